"""What an account gains when others lend it their experience, and what an unlike one loses.

Accounts k pay phi' theta_ka for arm a, theta_ka = mu_a + departure, with noise; the features of k
are normal around a middle of its own. Seven share with 300 decisions each; the eighth is left out.
It was watched for 100 hours in which nobody changed anything, as any account is before its first
decision, and then has 0, 50, 200 or 1,000 decisions of its own, by chance. Its policy picks for
states it has not seen: the share of what the best arm would gain over `maintain`. The peer is the
same policy, alone. Unlike accounts pay the opposite of the others:

    in everything               what was earned while nothing was changed tells
    in everything, elsewhere    no outcome is known yet, but its features lie two spreads away
    but for `maintain`          nothing tells before the first decisions: no mark until those
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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
_WATCHED, _MIDDLES, _ELSEWHERE = 100, 0.3, 2.0
_SEEDS = 30
_LEFT_OUT = "act_8"


class Kind(StrEnum):
    """What the eighth account is like."""

    ALIKE = "left out of the lenders"
    OPPOSITE = "unlike the others"
    ELSEWHERE = "unlike, in other states"
    HIDDEN = "unlike in changes only"


_MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Account:
    """What an account's arms pay, (arms, 1 + features), and around what its features lie."""

    name: str
    paid: np.ndarray
    middle: np.ndarray | float = 0.0


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    for kind in Kind:
        gains = np.array([_gains(seed, kind=kind) for seed in range(_SEEDS)])
        for at, own in enumerate(OWN):
            shared, alone, _ = gains[:, at].T / gains[:, at, 2].mean()
            difference = shared - alone
            error = float(difference.std(ddof=1)) / np.sqrt(_SEEDS)
            yield quality(
                f"share of the best's gain, account {kind}, {own:,} own decisions",
                float(shared.mean()),
                mark=_mark(own, kind=kind),
                note=f"alone {alone.mean():.3f}; difference {difference.mean():+.3f} "
                f"± {2 * error:.3f}",
            )
    yield from _speed()


def _mark(own: int, *, kind: Kind) -> str:
    if kind is Kind.ALIKE and own < OWN[-1]:
        return "> alone"
    return "" if kind is Kind.HIDDEN and not own else "≥ alone less its noise"


def _gains(seed: int, *, kind: Kind, counts: Sequence[int] = OWN) -> np.ndarray:
    """Return what is gained with sharing, alone, and by the best, for each number of decisions."""
    source = np.random.default_rng(seed)
    common = source.normal(size=(len(ARMS), 1 + len(FEATURES)))
    lent = [
        _decisions(source, Account(f"act_{k}", _parted(source, common), _middle(source)), _LENT)
        for k in range(1, _LENDERS + 1)
    ]
    own = _parted(source, common if kind is Kind.ALIKE else -common)
    if kind is Kind.HIDDEN:
        own[MAINTAIN] = common[MAINTAIN]
    middle = _middle(source)
    if kind is Kind.ELSEWHERE:
        middle += source.choice([-_ELSEWHERE, _ELSEWHERE], size=len(FEATURES))
    new = Account(_LEFT_OUT, own, middle)
    watched = _decisions(source, new, _WATCHED, arms=[MAINTAIN])
    if kind is Kind.ELSEWHERE:
        watched = watched.assign(reward=np.nan)
    mine = _decisions(source, new, max(OWN))
    asked = middle + source.normal(size=(_ASKED, len(FEATURES)))
    found = []
    for count in counts:
        seen = _joined([watched, mine.head(count)])
        both = (
            make_policy("sharing", features=FEATURES, alpha=0.0).fit(_joined([*lent, seen])),
            make_policy("ridge", features=FEATURES, alpha=0.0),
        )
        if seen["reward"].notna().any():
            both[1].fit(seen)
        found.append([*(_gain(policy, asked, own) for policy in both), _most(asked, own)])
    return np.array(found)


def _middle(source: np.random.Generator) -> np.ndarray:
    """Return where the features of an account lie."""
    return source.normal(scale=_MIDDLES, size=len(FEATURES))


def _gain(policy: Policy, asked: np.ndarray, paid: np.ndarray) -> float:
    """Return what a policy gains over leaving things alone, in the mean of these states."""
    every = np.ones((len(asked), len(ARMS)), dtype=bool)
    keys = [str(at) for at in range(len(asked))]
    chosen = policy.choose(_states(asked), allowed=every, keys=keys).greedy
    worth = _phi(asked) @ paid.T
    return float((worth[np.arange(len(asked)), chosen] - worth[:, MAINTAIN]).mean())


def _most(asked: np.ndarray, paid: np.ndarray) -> float:
    """Return what the best arms gain."""
    worth = _phi(asked) @ paid.T
    return float((worth.max(axis=1) - worth[:, MAINTAIN]).mean())


def _parted(source: np.random.Generator, common: np.ndarray) -> np.ndarray:
    return common + source.normal(scale=_DEPARTURE, size=common.shape)


def _decisions(
    source: np.random.Generator,
    one: Account,
    count: int,
    *,
    arms: Sequence[int] = range(len(ARMS)),
) -> pd.DataFrame:
    """Return decisions of one account by chance among some arms, with what they paid."""
    import pandas as pd  # noqa: PLC0415  # slow to load

    values = one.middle + source.normal(size=(count, len(FEATURES)))
    taken = source.choice(arms, size=count)
    worth = (_phi(values) @ one.paid.T)[np.arange(count), taken]
    return pd.DataFrame(
        {
            **{f"state_{name}": values[:, at] for at, name in enumerate(FEATURES)},
            "ad_account_id": one.name,
            "share_learning": True,
            "entity_type": "adset",
            "as_of": [_MOMENT + timedelta(hours=at) for at in range(count)],
            "executed": [ARMS[arm].value for arm in taken],
            "p_executed": 1 / len(arms),
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
    log = _joined([_decisions(source, Account(f"act_{k}", common), _LENT) for k in range(1, 9)])
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
