"""One decision in process: the policy chooses among the arms for one state and explains it.

Its peer is `uniform`, which chooses by chance and has nothing to explain: what the protocol itself
costs. The whole cycle of an account (states, rules and policy, decisions logged, proposals made)
stands beside the reading of its states alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.installation import Installation
from benchmarks.measuring import Row, ratio, row, side_by_side
from intel_ml.core.actions import ARMS
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Choices, Policy
from intel_ml.learning.states import read_states
from intel_ml.operations.decisions import decide
from intel_ml.surfaces.platform import limits_of

if TYPE_CHECKING:
    import pandas as pd

_LEARNED_FROM = 2_000


def measure(installation: Installation) -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    with installation.store.connection() as connection:
        states = read_states(connection, accounts=installation.accounts, as_of=installation.now)
    adsets = [at for at, one in enumerate(states.entities) if one.type == "adset"]
    states = states.take(adsets)
    log = _log(states)
    ridge, uniform = (make_policy(name).fit(log) for name in ("ridge", "uniform"))
    ours, chance, every = side_by_side(
        _Decide(ridge, states),
        _Decide(uniform, states),
        lambda: _choose(ridge, states),
        repeats=500,
    )
    yield row(
        "one decision, ridge: choose and explain",
        ours,
        note=f"{len(ridge.features)} features; {ratio(ours, chance)} uniform",
    )
    yield row("one decision, uniform", chance, note="the peer: a choice by chance")
    each = float(np.median(every)) / len(states) * 1e6
    yield row(f"{len(states)} decisions at once, ridge: choose", every, note=f"{each:,.0f} µs each")
    yield from _cycle(installation, ridge)


@dataclass(frozen=True, slots=True)
class _InUse:
    """A policy as the registry would give it."""

    policy: Policy
    name: str = "campaign-policy"
    version: str = "1"


def _cycle(installation: Installation, policy: Policy) -> Iterator[Row]:
    """Yield the row of whole cycles, each a minute after the one before, as none decides twice."""
    store, account = installation.store, installation.accounts[0]
    limits, minutes = limits_of(installation.settings), iter(range(1, 1_000))
    decided = []

    def whole() -> None:
        now = installation.now + timedelta(minutes=next(minutes))
        report = decide(store, account, now=now, limits=limits, policy=_InUse(policy))
        decided.append(report.decisions)

    def states_alone() -> None:
        with store.connection() as connection:
            read_states(connection, accounts=[account], as_of=installation.now)

    taken, alone = side_by_side(whole, states_alone, repeats=40)
    yield row(
        f"a whole cycle of one account: {decided[-1]} decisions by rules and ridge, logged",
        taken,
        note=f"{ratio(taken, alone)} its states alone",
    )


class _Decide:
    """Decide about one entity after the other, so that no call repeats the last one's work."""

    def __init__(self, policy: Policy, states: States) -> None:
        self._policy = policy
        self._ones = [states.take([at]) for at in range(len(states))]
        self._at = 0

    def __call__(self) -> None:
        state = self._ones[self._at % len(self._ones)]
        self._at += 1
        choices = _choose(self._policy, state)
        self._policy.explain(state, 0, choices.arm(0))


def _choose(policy: Policy, states: States) -> Choices:
    allowed = np.ones((len(states), len(ARMS)), dtype=bool)
    return policy.choose(states, allowed=allowed, keys=[str(n) for n in range(len(states))])


def _log(states: States) -> pd.DataFrame:
    """Return decisions to learn from: real states, arms and rewards by chance.

    How long a choice takes depends on how much was learned from, not on what.
    """
    import pandas as pd  # noqa: PLC0415  # slow to load

    source = np.random.default_rng(1)
    rows = source.integers(len(states), size=_LEARNED_FROM)
    drawn = states.take(rows.tolist())
    columns = {f"state_{name}": values for name, values in drawn.columns.items()}
    arms = [arm.value for arm in ARMS]
    return pd.DataFrame(
        {
            **columns,
            "entity_type": "adset",
            "executed": source.choice(arms, size=_LEARNED_FROM),
            "p_executed": 1 / len(arms),
            "reward": source.normal(size=_LEARNED_FROM),
        }
    )
