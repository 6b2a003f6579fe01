"""What the response policy makes of the oracle's gain in the sandbox's worlds after 30 days.

    share = sum of (profit(policy) - profit(rules)) / sum of (profit(oracle) - profit(rules))

over seeds that no setting was chosen on, every decider under the same limits and the same hold-out.
Two oracles: one that looks three days ahead, as rewards do, and a stronger one that looks a week
ahead; the first chases spells and may make less than the rules, then there is no gain to share. The
last rows pool the four worlds with something to learn, each seed in shares of what doing nothing
spends. In `thin` the policy must not make less than the rules, in `null` nothing may matter.

Takes six to eight minutes on two idle cores; progress goes to standard error. Alone, with more
seeds: `.venv/bin/python -m benchmarks.regret --seeds 8`.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.measuring import Row, quality
from intel_ml.learning.evaluation.intervals import Interval, of_mean
from intel_ml.learning.simulation import Conditions, Evaluation, evaluate
from intel_ml.learning.simulation.deciders import NOTHING, ORACLE, RULES
from intel_ml.learning.simulation.pictures import money
from intel_ml.learning.simulation.results import share_of_gain

POLICY = "response"
WORLDS = ("demo", "seasonal", "nonstationary", "fatigue")
FIRST_SEED, SEEDS = 9001, 3
HORIZONS = {72: "three days", 168: "a week"}
_MARK = "≥ .60"


def measure(seeds: int = SEEDS) -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    chosen = range(FIRST_SEED, FIRST_SEED + seeds)
    found: dict[int, list[Evaluation]] = {hours: [] for hours in HORIZONS}
    for world in WORLDS:
        far = evaluate(
            POLICY,
            world,
            seeds=chosen,
            conditions=Conditions(oracle_hours=168),
            beside=(NOTHING, RULES, ORACLE),
            on_step=functools.partial(_tell, world),
        )
        near = evaluate(
            ORACLE,
            world,
            seeds=chosen,
            conditions=Conditions(oracle_hours=72),
            beside=(ORACLE,),
            on_step=functools.partial(_tell, world),
        )
        nearer = replace(far, outcomes={**far.outcomes, ORACLE: near.outcomes[ORACLE]})
        for hours, one in ((72, nearer), (168, far)):
            found[hours].append(one)
            yield _share_row(one, hours)
    for hours, all_of_it in found.items():
        part = np.concatenate([_relative(one, POLICY) for one in all_of_it])
        whole = np.concatenate([_relative(one, ORACLE) for one in all_of_it])
        share = share_of_gain(part, whole)
        yield quality(
            f"regret: share of the gain of an oracle that sees {HORIZONS[hours]}, four worlds",
            float(part.sum() / whole.sum()) if whole.sum() > 0 else float("nan"),
            mark=_MARK,
            note=_span(share) or "the oracle's gain over the rules is not clearly above zero",
        )
    for world, mark in (("thin", "≥ 0"), ("null", "0 ± noise")):
        one = evaluate(
            POLICY,
            world,
            seeds=chosen,
            beside=(NOTHING, RULES),
            on_step=functools.partial(_tell, world),
        )
        gain = of_mean(_relative(one, POLICY))
        yield quality(
            f"regret: more than the rules in {world}, share of spend",
            gain.value,
            mark=mark,
            note=f"{_span(gain)}; {money(one.gain(POLICY, over=RULES), one.currency)}",
        )


def _tell(world: str, done: int, total: int) -> None:
    sys.stderr.write(f"\rregret: {world}, {done} of {total} plays{' ' * 12}")
    sys.stderr.flush()


def _share_row(one: Evaluation, hours: int) -> Row:
    mine, best = one.gain(POLICY, over=RULES), one.gain(ORACLE, over=RULES)
    is_gain = best.value > 0
    share = one.share_of(POLICY)
    told = _span(share) or (
        "no gain to share" if not is_gain else "its gain is not clearly above 0"
    )
    return quality(
        f"regret: share of the gain of an oracle that sees {HORIZONS[hours]}, {one.world}",
        mine.value / best.value if is_gain else float("nan"),
        mark=_MARK,
        note=f"over the rules: policy {mine.value:+,.0f} ({mine.low:+,.0f} to {mine.high:+,.0f}), "
        f"oracle {best.value:+,.0f} {one.currency}; {told}",
    )


def _relative(one: Evaluation, decider: str) -> np.ndarray:
    """Return what each seed made more than the rules, as a share of what doing nothing spends."""
    spend = one.outcomes[NOTHING].spend.sum(axis=1)
    return np.asarray((one.outcomes[decider].total - one.outcomes[RULES].total) / spend)


def _span(one: Interval | None) -> str:
    return "" if one is None else f"95 % interval {one.low:+.2f} to {one.high:+.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    for each in measure(parser.parse_args().seeds):
        print(each.what, each.p50, each.mark, each.note, sep=" | ", flush=True)
