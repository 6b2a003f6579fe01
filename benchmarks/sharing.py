"""What an account gains when others lend it their experience, and what an unlike one loses.

Accounts k pay phi' theta_ka for arm a, theta_ka = mu_a + departure, with noise. Seven share with
300 decisions each; the eighth is left out and has 0, 50, 200 or 1,000 decisions of its own, by
chance. Its policy then picks for states it has not seen: the share of what the best arm would
gain over `maintain`. The peer is the same policy, alone. The unlike account pays the opposite;
while it has made no decision nothing can tell, and that row has no mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measuring import Row, quality, ratio, row, side_by_side
from intel_ml.core.actions import ARMS
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import MAINTAIN, Policy

if TYPE_CHECKING:
    import pandas as pd

FEATURES = ("cpa_ratio", "roas", "frequency", "cpa_trend_3d", "ctr_trend_7d", "budget_pacing")
OWN = (0, 50, 200, 1_000)
_LENDERS, _LENT, _ASKED = 7, 300, 400
_DEPARTURE, _NOISE = 0.35, 1.5
_SEEDS = 30
_LEFT_OUT = "act_8"
_MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    for is_unlike in (False, True):
        gains = np.array([_gains(seed, is_unlike=is_unlike) for seed in range(_SEEDS)])
        name = "unlike the others" if is_unlike else "left out of the lenders"
        for at, own in enumerate(OWN):
            shared, alone = gains[:, at, 0], gains[:, at, 1]
            difference = shared - alone
            error = float(difference.std(ddof=1)) / np.sqrt(_SEEDS)
            yield quality(
                f"share of the best's gain, account {name}, {own:,} own decisions",
                float(shared.mean()),
                mark=_mark(own, is_unlike=is_unlike),
                note=f"alone {alone.mean():.3f}; difference {difference.mean():+.3f} "
                f"± {2 * error:.3f}",
            )
    yield from _speed()


def _mark(own: int, *, is_unlike: bool) -> str:
    if is_unlike:
        return "≥ alone less its noise" if own else ""
    return "≥ alone less its noise" if own == OWN[-1] else "> alone"


def _gains(seed: int, *, is_unlike: bool) -> np.ndarray:
    """Return for each number of own decisions what is gained with sharing, and alone."""
    source = np.random.default_rng(seed)
    common = source.normal(size=(len(ARMS), 1 + len(FEATURES)))
    lent = [
        _decisions(source, f"act_{k}", _parted(source, common), _LENT)
        for k in range(1, _LENDERS + 1)
    ]
    own = -common if is_unlike else _parted(source, common)
    mine = _decisions(source, _LEFT_OUT, own, OWN[-1])
    asked = source.normal(size=(_ASKED, len(FEATURES)))
    found = []
    for count in OWN:
        log = _joined([*lent, mine.head(count)])
        both = (
            make_policy("sharing", features=FEATURES, sharing=[_LEFT_OUT], alpha=0.0).fit(log),
            make_policy("ridge", features=FEATURES, alpha=0.0),
        )
        if count:
            both[1].fit(mine.head(count))
        found.append([_gain(policy, asked, own) for policy in both])
    return np.array(found)


def _gain(policy: Policy, asked: np.ndarray, paid: np.ndarray) -> float:
    """Return the share of what the best arm would gain over leaving things alone."""
    every = np.ones((len(asked), len(ARMS)), dtype=bool)
    keys = [str(at) for at in range(len(asked))]
    chosen = policy.choose(_states(asked), allowed=every, keys=keys).greedy
    worth = _phi(asked) @ paid.T
    usual, best = worth[:, MAINTAIN], worth.max(axis=1)
    got = worth[np.arange(len(asked)), chosen]
    return float((got - usual).sum() / (best - usual).sum())


def _parted(source: np.random.Generator, common: np.ndarray) -> np.ndarray:
    return common + source.normal(scale=_DEPARTURE, size=common.shape)


def _decisions(
    source: np.random.Generator, account: str, paid: np.ndarray, count: int
) -> pd.DataFrame:
    """Return decisions of one account by chance, with what they paid."""
    import pandas as pd  # noqa: PLC0415  # slow to load

    values = source.normal(size=(count, len(FEATURES)))
    arms = source.integers(len(ARMS), size=count)
    worth = (_phi(values) @ paid.T)[np.arange(count), arms]
    return pd.DataFrame(
        {
            **{f"state_{name}": values[:, at] for at, name in enumerate(FEATURES)},
            "ad_account_id": account,
            "share_learning": True,
            "entity_type": "adset",
            "as_of": [_MOMENT + timedelta(hours=at) for at in range(count)],
            "executed": [ARMS[arm].value for arm in arms],
            "p_executed": 1 / len(ARMS),
            "reward": worth + source.normal(scale=_NOISE, size=count),
        }
    )


def _joined(logs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # slow to load

    return pd.concat([log for log in logs if len(log)], ignore_index=True)


def _phi(values: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(values)), values])


def _states(values: np.ndarray) -> States:
    rows: list[dict[str, Value]] = [
        dict(zip(FEATURES, map(float, one), strict=True)) for one in values
    ]
    entities = [
        Entity(AdAccountId(_LEFT_OUT), EntityType.ADSET, EntityId(str(at)))
        for at in range(len(rows))
    ]
    return states_of(rows, entities=entities, moments=[_MOMENT] * len(rows))


def _speed() -> Iterator[Row]:
    """Yield how long one choice takes, beside the same account's ridge regression."""
    source = np.random.default_rng(0)
    common = source.normal(size=(len(ARMS), 1 + len(FEATURES)))
    log = _joined([_decisions(source, f"act_{k}", common, _LENT) for k in range(1, 9)])
    shared = make_policy("sharing", features=FEATURES).fit(log)
    alone = make_policy("ridge", features=FEATURES).fit(log)
    states = _states(source.normal(size=(500, len(FEATURES))))
    ones = [states.take([at]) for at in range(len(states))]
    every = np.ones((1, len(ARMS)), dtype=bool)

    def choosing(policy: Policy) -> object:
        turns = iter(range(10**9))

        def choose() -> None:
            at = next(turns)
            policy.choose(ones[at % len(ones)], allowed=every, keys=[f"k{at}"])

        return choose

    ours, peer = side_by_side(choosing(shared), choosing(alone), repeats=3_000, warm_up=200)
    taken = row("one choice of an account that shares", ours, note=f"{ratio(ours, peer)} ridge")
    yield Row(taken.what, taken.p50, taken.p99, taken.note, "≤ 60 / 200 µs")
