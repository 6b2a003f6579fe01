"""What may be done in a simulated account, and what of it is drawn: the platform's own limits.

    pmf(a) = (1 - h) [(1 - e) base(a) + e / |allowed|]          for an acting arm a
    pmf(maintain) = (1 - e) base(maintain) + e / |allowed| + h * (all that acts)

with h the hold-out share and e the exploration share, drawn by the decision's key. A test holds
every answer here to that of `operations`, which a simulation must not reach.

Reads   a world's ad sets as people see them, states, what was done lately.
Gives   `Limits`, which arms are open to an ad set, and `Drawn`.
Never   lets a decider do what the platform would refuse it in a real account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Action, ActionType, Arm, action_of
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.money import Money
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import effective_status, minimum_budget
from intel_ml.data.sandbox.population import Node
from intel_ml.features.states import Value

LOSS_PREVENTION = "loss_prevention"
_LEARNING_DAYS = 7
_MAINTAIN = ARMS.index(Arm.MAINTAIN)
_BITS = 53
_BUDGET = (ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far one change goes, how long an ad set rests after it, how much is left to chance.

    The numbers are the platform's defaults, but for the cooldown: one change a day.
    """

    max_budget_change_percent: int = 30
    cooldown_hours: float = 20
    rejected_hours: float = 24
    holdout_share: float = 0.10
    holdout_hours: float = 72
    exploration_share: float = 0.0
    min_confidence: float = 0.85

    def __post_init__(self) -> None:
        for name in ("holdout_share", "exploration_share"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidValueError(path=name, problem="must be from 0 to below 1")

    @property
    def cooldown(self) -> timedelta:
        """How long an ad set is left alone after a change."""
        return timedelta(hours=self.cooldown_hours)

    @property
    def held_out(self) -> timedelta:
        """How long an ad set that was drawn to be left alone stays so."""
        return timedelta(hours=self.holdout_hours)

    @property
    def rejected(self) -> timedelta:
        """How long nothing is proposed again after a rejection or an expiry."""
        return timedelta(hours=self.rejected_hours)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The arm that is proposed, the distribution it came from, and whether chance held it back."""

    arm: Arm
    pmf: Mapping[Arm, float]
    is_held_out: bool = False
    is_explored: bool = False


def certain(arm: Arm) -> Drawn:
    """Return the draw that could not have been another."""
    return Drawn(arm, {one: float(one is arm) for one in ARMS})


def draw(
    shown: Arm, *, base: NDArray[np.float64], allowed: NDArray[np.bool_], limits: Limits, key: str
) -> Drawn:
    """Return what is proposed where `shown`, drawn from `base`, is what the decider would do."""
    hold, explore = limits.holdout_share, limits.exploration_share
    uniform = allowed / max(int(allowed.sum()), 1)
    mixed = (1 - explore) * base + explore * uniform
    acting = mixed.sum() - mixed[_MAINTAIN]
    pmf = (1 - hold) * mixed
    pmf[_MAINTAIN] = mixed[_MAINTAIN] + hold * acting
    arm, explores = shown, chance(key, "explore") < explore
    if explores:
        choices = np.flatnonzero(allowed)
        arm = ARMS[choices[int(chance(key, "arm") * len(choices))]]
    holds = arm is not Arm.MAINTAIN and chance(key, "hold") < hold
    told = dict(zip(ARMS, pmf.tolist(), strict=True))
    is_explored = explores and arm is not shown and not holds
    return Drawn(Arm.MAINTAIN if holds else arm, told, holds, is_explored)


def chance(key: str, purpose: str) -> float:
    """Return a number in [0, 1) that belongs to this key and purpose."""
    digest = hashlib.sha256(f"{key}|{purpose}".encode()).digest()
    return float((int.from_bytes(digest[:8]) >> (64 - _BITS)) / 2**_BITS)


def delivers(world: World, node: Node) -> bool:
    """Return whether an ad set is active, its campaign included."""
    return effective_status(world.population, node) == "ACTIVE"


def allowed_arms(
    world: World, node: Node, state: Mapping[str, Value], *, limits: Limits
) -> NDArray[np.bool_]:
    """Return which arms are open to an ad set, in the order of `ARMS`; maintaining always is."""
    return np.array(
        [
            arm is Arm.MAINTAIN
            or (
                abs(ARM_PERCENT[arm] or 0) <= limits.max_budget_change_percent
                and objection(world, node, state, action=action_of(arm)) is None
            )
            for arm in ARMS
        ]
    )


def objection(
    world: World,
    node: Node,
    state: Mapping[str, Value],
    *,
    action: Action,
    category: str | None = None,
) -> str | None:
    """Return what speaks against an action on a delivering ad set; None when nothing does."""
    if action.type is ActionType.PAUSE:
        return None
    if action.type not in _BUDGET:
        return f"'{action.type}' is for people to do"
    budget = node.daily_budget_minor
    if budget is None:
        return "it has no daily budget of its own"
    currency = world.population.accounts[node.account].currency
    wanted = Money(budget, currency).changed_by(action.percent or 0).minor
    if wanted < minimum_budget(world.population, node):
        return "the budget would fall under the floor of its account"
    if wanted == budget:
        return "the change is smaller than the smallest unit of its currency"
    return "it is learning" if category != LOSS_PREVENTION and _is_learning(state) else None


def clamped(action: Action, *, limits: Limits) -> Action:
    """Return the action within the largest single change.

    >>> clamped(Action(ActionType.DECREASE_BUDGET, -50), limits=Limits()).percent
    -30
    """
    most, percent = limits.max_budget_change_percent, action.percent or 0
    if action.type not in _BUDGET or abs(percent) <= most:
        return action
    return Action(action.type, most if percent > 0 else -most)


def _is_learning(state: Mapping[str, Value]) -> bool:
    """Return whether an ad set is learning; where nobody says, a young one counts as learning."""
    phase = state.get("learning_phase")
    if phase is not None:
        return phase == "LEARNING"
    days = state.get("days_active")
    return not isinstance(days, float | int) or days < _LEARNING_DAYS
