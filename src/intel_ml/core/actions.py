"""What can be done with a campaign, ad set or ad, and how an action moves from proposal to outcome.

Reads   nothing.
Gives   `ActionType` (what people and rules say), `Arm` (what a policy chooses from), `Action`, and
the life of an action.
Never   performs one: that is `operations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from intel_ml.core.errors import InvalidValueError


class ActionType(StrEnum):
    """Every kind of change a rule or a person can ask for."""

    PAUSE = "pause"
    ACTIVATE = "activate"
    INCREASE_BUDGET = "increase_budget"
    DECREASE_BUDGET = "decrease_budget"
    ADJUST_BID = "adjust_bid"
    DUPLICATE = "duplicate"
    NOTIFY_ONLY = "notify_only"
    DO_NOTHING = "do_nothing"


class Arm(StrEnum):
    """The choices of a policy, in the fixed order in which probabilities are stored."""

    PAUSE = "pause"
    MAINTAIN = "maintain"
    SCALE_10 = "scale_10"
    SCALE_20 = "scale_20"
    REDUCE_20 = "reduce_20"
    REDUCE_50 = "reduce_50"


_EVERYTHING = -100
ARMS: tuple[Arm, ...] = tuple(Arm)

#: Budget change of each arm in percent; None where the arm does not touch the budget.
ARM_PERCENT: dict[Arm, int | None] = {
    Arm.PAUSE: None,
    Arm.MAINTAIN: None,
    Arm.SCALE_10: 10,
    Arm.SCALE_20: 20,
    Arm.REDUCE_20: -20,
    Arm.REDUCE_50: -50,
}


@dataclass(frozen=True, slots=True)
class Action:
    """One change; `percent` is signed and belongs to budget and bid changes only."""

    type: ActionType
    percent: int | None = None

    def __post_init__(self) -> None:
        needs = self.type in (
            ActionType.INCREASE_BUDGET,
            ActionType.DECREASE_BUDGET,
            ActionType.ADJUST_BID,
        )
        if needs and (self.percent is None or self.percent == 0):
            raise InvalidValueError(
                path="percent", problem=f"{self.type} needs a percentage other than 0"
            )
        if not needs and self.percent is not None:
            raise InvalidValueError(path="percent", problem=f"{self.type} takes no percentage")
        if self.percent is not None and self.percent <= _EVERYTHING:
            raise InvalidValueError(path="percent", problem=f"{self.percent} would leave nothing")
        wrong_sign = (self.type is ActionType.INCREASE_BUDGET and (self.percent or 0) < 0) or (
            self.type is ActionType.DECREASE_BUDGET and (self.percent or 0) > 0
        )
        if wrong_sign:
            raise InvalidValueError(
                path="percent", problem=f"{self.percent} contradicts {self.type}"
            )


def action_of(arm: Arm) -> Action:
    """Return the change an arm stands for.

    >>> action_of(Arm.REDUCE_20)
    Action(type=<ActionType.DECREASE_BUDGET: 'decrease_budget'>, percent=-20)
    """
    percent = ARM_PERCENT[arm]
    if arm is Arm.PAUSE:
        return Action(ActionType.PAUSE)
    if percent is None:
        return Action(ActionType.DO_NOTHING)
    kind = ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET
    return Action(kind, percent)


def arm_of(action: Action) -> Arm | None:
    """Return the arm whose effect is nearest to `action`; None for what no arm stands for.

    >>> arm_of(Action(ActionType.DECREASE_BUDGET, -30))
    <Arm.REDUCE_20: 'reduce_20'>
    """
    if action.type is ActionType.PAUSE:
        return Arm.PAUSE
    if action.type in (ActionType.DO_NOTHING, ActionType.NOTIFY_ONLY):
        return Arm.MAINTAIN
    if action.type in (ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET):
        percent = action.percent or 0
        same_sign = [
            a for a in ARMS if (p := ARM_PERCENT[a]) is not None and (p > 0) == (percent > 0)
        ]
        return min(same_sign, key=lambda arm: abs((ARM_PERCENT[arm] or 0) - percent))
    return None


class ActionStatus(StrEnum):
    """Where an action is in its life."""

    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    UNDONE = "undone"


#: The only moves an action can make; the database refuses every other.
TRANSITIONS: dict[ActionStatus, frozenset[ActionStatus]] = {
    ActionStatus.PENDING_APPROVAL: frozenset(
        {ActionStatus.APPROVED, ActionStatus.REJECTED, ActionStatus.EXPIRED, ActionStatus.STALE}
    ),
    ActionStatus.APPROVED: frozenset(
        {
            ActionStatus.EXECUTING,
            ActionStatus.PENDING_APPROVAL,
            ActionStatus.REJECTED,
            ActionStatus.EXPIRED,
            ActionStatus.STALE,
            ActionStatus.FAILED,
        }
    ),
    ActionStatus.EXECUTING: frozenset(
        {
            ActionStatus.EXECUTED,
            ActionStatus.FAILED,
            ActionStatus.NEEDS_REVIEW,
            ActionStatus.APPROVED,
        }
    ),
    ActionStatus.EXECUTED: frozenset({ActionStatus.UNDONE}),
    ActionStatus.NEEDS_REVIEW: frozenset({ActionStatus.EXECUTED, ActionStatus.FAILED}),
    ActionStatus.FAILED: frozenset(),
    ActionStatus.REJECTED: frozenset(),
    ActionStatus.EXPIRED: frozenset(),
    ActionStatus.STALE: frozenset(),
    ActionStatus.UNDONE: frozenset(),
}
