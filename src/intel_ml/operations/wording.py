"""Actions and moments in words, as a media buyer says them.

Reads   nothing.
Gives   headlines, past tenses, and "2 minutes ago".
Never   formats money: `Money` does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from intel_ml.core.actions import Action, ActionStatus, ActionType, Arm
from intel_ml.core.ids import LEVEL_NAMES, EntityType

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_JUST_NOW_S = 45

STATUS_WORDS = {
    ActionStatus.PENDING_APPROVAL: "waiting for approval",
    ActionStatus.APPROVED: "approved",
    ActionStatus.EXECUTING: "being carried out",
    ActionStatus.EXECUTED: "carried out",
    ActionStatus.FAILED: "failed",
    ActionStatus.NEEDS_REVIEW: "needs a look",
    ActionStatus.REJECTED: "rejected",
    ActionStatus.EXPIRED: "expired",
    ActionStatus.STALE: "overtaken by events",
    ActionStatus.UNDONE: "undone",
}

ARM_WORDS = {
    Arm.PAUSE: "pause it",
    Arm.MAINTAIN: "leave it as it is",
    Arm.SCALE_10: "raise its budget by 10%",
    Arm.SCALE_20: "raise its budget by 20%",
    Arm.REDUCE_20: "cut its budget by 20%",
    Arm.REDUCE_50: "cut its budget by 50%",
}


def headline(action: Action, *, level: EntityType, name: str) -> str:
    """Return what is proposed, as an order.

    >>> headline(
    ...     Action(ActionType.DECREASE_BUDGET, -30), level=EntityType.ADSET, name="Summer Sale"
    ... )
    'Cut the budget of ad set Summer Sale by 30%'
    """
    subject = f"{LEVEL_NAMES[level]} {name}"
    percent = abs(action.percent or 0)
    return {
        ActionType.PAUSE: f"Pause {subject}",
        ActionType.ACTIVATE: f"Switch {subject} back on",
        ActionType.INCREASE_BUDGET: f"Raise the budget of {subject} by {percent}%",
        ActionType.DECREASE_BUDGET: f"Cut the budget of {subject} by {percent}%",
    }.get(action.type, f"{action.type.replace('_', ' ').capitalize()} {subject}")


def done(action: Action, *, level: EntityType, name: str) -> str:
    """Return the same, once it has happened."""
    order = headline(action, level=level, name=name)
    first, _, rest = order.partition(" ")
    past = {"Pause": "Paused", "Raise": "Raised", "Switch": "Switched"}
    return f"{past.get(first, first)} {rest}"


def ago(moment: datetime, *, now: datetime) -> str:
    """Return how long ago `moment` was.

    >>> from datetime import UTC
    >>> ago(datetime(2026, 1, 1, 9, 58, tzinfo=UTC), now=datetime(2026, 1, 1, 10, tzinfo=UTC))
    '2 minutes ago'
    """
    passed = (now - moment).total_seconds()
    return "just now" if passed < _JUST_NOW_S else f"{span(now - moment)} ago"


def span(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit, rounded down.

    >>> span(timedelta(hours=26))
    '26 hours'
    """
    seconds = max(0, int(length.total_seconds()))
    if seconds < _HOUR:
        return _counted(max(1, round(seconds / _MINUTE)), "minute")
    if seconds < 2 * _DAY:
        return _counted(seconds // _HOUR, "hour")
    return _counted(seconds // _DAY, "day")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
