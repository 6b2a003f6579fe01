"""One decision in process, and learning anew from 100,000 logged ones.

A decision is: check state and mask, choose with the champion's configuration (`models/`), write its
line of the log (state, pmf, arm, propensity) as JSON. Its peer is VowpalWabbit alone, asked for a
prediction of the same context as text. The most alike past cases are looked for in a full memory,
only where somebody asks. Relearning's peer is VowpalWabbit reading the same decisions
from a file it is given ready-made.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import Row, quality, ratio, row, shown, side_by_side
from intel_ml.core.actions import ARMS
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.context import LEVELS
from intel_ml.intelligence.policy.protocol import Policy, Remembers
from intel_ml.learning.gates import read_model

if TYPE_CHECKING:
    import pandas as pd

_CHAMPION = Path("models/campaign-policy")
_DECISIONS = 5_000
_LEARNED_FROM = 20_000
_RELEARNED_FROM = 100_000
#: With these each row teaches what a pause would have earned, too.
_MONEY = ("spend", "conversions", "target_cpa")
_MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)
_EXPLORE = "--quiet --cb_explore_adf --squarecb -q sa --ignore_linear s --random_seed 1"


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    training = read_model(_CHAMPION).training
    plainest, features = training.considered[0], list(training.features)

    def fresh() -> Policy:
        return make_policy(plainest.algorithm, features=features, **plainest.parameters)

    log = _log(_RELEARNED_FROM, features)
    policy = fresh().fit(log.head(_LEARNED_FROM))
    states = _states(log.head(500), features)
    vw = _VowpalWabbit(log.head(_LEARNED_FROM), features)
    ours, both, recalled, peer = side_by_side(
        _Decide(policy, states),
        _Decide(policy, states, explains=True),
        _Recall(policy, states),
        vw.predict_next,
        repeats=_DECISIONS,
        warm_up=200,
    )
    yield _timed(
        "one decision in process: check, choose, log line", ours, f"{ratio(ours, peer)} VW alone"
    )
    yield row("the same, explained", both, note=f"{ratio(both, peer)} VW alone")
    yield row(
        "its 5 most alike past cases of 2,000, with their sentence",
        recalled,
        note=f"{ratio(recalled, peer)} VW alone; only where asked for",
    )
    yield row("VowpalWabbit alone: predict from text", peer, note="the peer")
    yield from _relearn(fresh, log, features)


def _timed(what: str, taken: np.ndarray, note: str) -> Row:
    middle, tail = np.quantile(taken, [0.5, 0.99])
    return Row(what, shown(float(middle)), shown(float(tail)), note, "≤ 60 / 200 µs")


def _relearn(fresh: Callable[[], Policy], log: pd.DataFrame, features: list[str]) -> Iterator[Row]:
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        fresh().fit(log)
        taken.append(time.perf_counter() - began)
    peer = _vw_file(log, features)
    yield quality(
        f"relearn from {_RELEARNED_FROM:,} logged decisions, seconds",
        float(np.median(taken)),
        mark="≤ 2",
        note=f"in this run VW reads the same from its file in {peer:.2f} s",
        digits=2,
    )


class _Decide:
    """Decide about one entity after the other, so that no call repeats the last one's work."""

    def __init__(self, policy: Policy, states: States, *, explains: bool = False) -> None:
        self._policy, self._explains = policy, explains
        self._ones = [states.take([at]) for at in range(len(states))]
        self._allowed = np.ones((1, len(ARMS)), dtype=bool)
        self._at = 0

    def __call__(self) -> str:
        self._at += 1
        one, key = self._ones[self._at % len(self._ones)], f"decision-{self._at}"
        found = self._policy.choose(one, allowed=self._allowed, keys=[key])
        line = {
            "decision_id": key,
            "entity": one.entities[0].id,
            "as_of": one.moments[0].isoformat(),
            "state": one.state(0),
            "pmf": found.pmf[0].tolist(),
            "arm": found.arm(0),
            "propensity": found.probability(0),
            "confidence": float(found.confidence[0]),
        }
        if self._explains:
            reasons = self._policy.explain(one, 0, found.arm(0))
            line["reasons"] = [reason.text for reason in reasons]
        return json.dumps(line, allow_nan=False)


class _Recall:
    """Recall what is most alike of one arm after the other, for one entity after the other."""

    def __init__(self, policy: Policy, states: States) -> None:
        if not isinstance(policy, Remembers):
            raise TypeError(f"{policy.name} remembers no cases")
        self._policy, self._at = policy, 0
        self._ones = [states.take([at]) for at in range(len(states))]

    def __call__(self) -> str:
        self._at += 1
        one = self._ones[self._at % len(self._ones)]
        return self._policy.nearest(one, 0, ARMS[self._at % len(ARMS)]).says


class _VowpalWabbit:
    def __init__(self, log: pd.DataFrame, features: list[str]) -> None:
        from vowpalwabbit import Workspace  # noqa: PLC0415  # slow to load

        self._workspace = Workspace(_EXPLORE)
        lines = _vw_lines(log, features)
        for shared, label, arm in lines:
            arms = [f"|a {one}" for one in ARMS]
            arms[arm] = f"{label} {arms[arm]}"
            self._workspace.learn([shared, *arms])
        self._asked = [[shared, *(f"|a {one}" for one in ARMS)] for shared, _, _ in lines[:500]]
        self._at = 0

    def predict_next(self) -> None:
        self._at += 1
        self._workspace.predict(self._asked[self._at % len(self._asked)])


def _vw_lines(log: pd.DataFrame, features: list[str]) -> list[tuple[str, str, int]]:
    columns = [log[f"state_{name}"].tolist() for name in features]
    arms = [ARMS.index(arm) for arm in log["executed"]]
    lines = []
    for values, arm, reward in zip(zip(*columns, strict=True), arms, log["reward"], strict=True):
        told = [
            f"{name}={value}" if isinstance(value, str) else f"{name}:{value:.6g}"
            for name, value in zip(features, values, strict=True)
        ]
        lines.append((f"shared |s {' '.join(told)}", f"0:{-reward:.6g}:{1 / len(ARMS):.6g}", arm))
    return lines


def _vw_file(log: pd.DataFrame, features: list[str]) -> float:
    """Return how many seconds VowpalWabbit takes to learn the log from its own text."""
    from vowpalwabbit import Workspace  # noqa: PLC0415  # slow to load

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        with path.open("w", encoding="ascii") as file:
            for shared, label, arm in _vw_lines(log, features):
                arms = [f"{label} |a {a}" if at == arm else f"|a {a}" for at, a in enumerate(ARMS)]
                file.write("\n".join([shared, *arms]) + "\n\n")
        began = time.perf_counter()
        Workspace(f"{_EXPLORE} -d {path}").finish()
        return time.perf_counter() - began


def _log(rows: int, features: list[str]) -> pd.DataFrame:
    """Return decisions by chance: how long learning takes depends on how many, not on what."""
    import pandas as pd  # noqa: PLC0415  # slow to load

    source = np.random.default_rng(1)
    columns: dict[str, Any] = {}
    for name in features:
        if name in LEVELS:
            columns[f"state_{name}"] = source.choice(LEVELS[name], size=rows).astype(object)
        else:
            columns[f"state_{name}"] = source.lognormal(size=rows)
    return pd.DataFrame(
        {
            **columns,
            "ad_account_id": "act_1",
            "entity_id": [str(at % 500) for at in range(rows)],
            "decision_id": [f"{at:024x}" for at in range(rows)],
            "as_of": _MOMENT - pd.to_timedelta(10 + np.arange(rows) % 90, unit="D"),
            "entity_type": "adset",
            "executed": source.choice([arm.value for arm in ARMS], size=rows),
            "p_executed": 1 / len(ARMS),
            "reward": source.uniform(size=rows),
            "reward_earned": source.uniform(size=rows),
            "reward_against_holdout": source.uniform(size=rows),
            **{f"state_{name}": source.uniform(1, 9, rows) for name in _MONEY},
        }
    )


def _states(log: pd.DataFrame, features: list[str]) -> States:
    rows: list[dict[str, Value]] = [
        dict(zip(features, values, strict=True))
        for values in zip(*(log[f"state_{name}"].tolist() for name in features), strict=True)
    ]
    entities = [
        Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId(str(at))) for at in range(len(rows))
    ]
    return states_of(rows, entities=entities, moments=[_MOMENT] * len(rows))
