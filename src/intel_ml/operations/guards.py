"""Every reason to refuse a change, one value each, looked at right before the change is sent.

Reads   `Facts` and `Limits`.
Gives   the first refusal with its reason and what is to become of the action; None when nothing
        speaks against it.
Never   lets through what it could not judge: a guard that errs denies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from intel_ml.core.actions import ActionType
from intel_ml.core.ids import LEVEL_NAMES, EntityType
from intel_ml.operations import values
from intel_ml.operations.facts import HOUR, Facts
from intel_ml.operations.limits import Limits
from intel_ml.operations.wording import span

RETRY = timedelta(minutes=1)
LEARNING = "LEARNING"
LOSS_PREVENTION = "loss_prevention"
#: What `effective_status` says of an entity that delivers.
DELIVERING = frozenset({"ACTIVE", "LEARNING", "LEARNING_LIMITED"})


class Becomes(StrEnum):
    """What a refused action becomes."""

    WAIT = "wait"
    ASK = "ask"
    STALE = "stale"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and what now; `retry_at` belongs to what waits."""

    guard: str
    reason: str
    becomes: Becomes
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One reason to refuse.

    `check` returns the refusal's sentence and fate, None when it does not object.
    """

    name: str
    check: Callable[[Facts, Limits], Refusal | None]
    spares_undo: bool = False


def first_refusal(facts: Facts, limits: Limits) -> Refusal | None:
    """Return what the first objecting guard says."""
    for guard in GUARDS:
        if guard.spares_undo and facts.change.is_undo:
            continue
        try:
            refusal = guard.check(facts, limits)
        except Exception as error:  # noqa: BLE001  # a guard that errs denies
            reason = f"The check '{guard.name}' could not be made ({type(error).__name__})."
            refusal = Refusal(guard.name, reason, Becomes.WAIT, facts.now + RETRY)
        if refusal is not None:
            return refusal
    return None


def _kill_switch(facts: Facts, _: Limits) -> Refusal | None:
    if facts.acting_allowed:
        return None
    return _wait("kill switch", "The kill switch is off: nothing acts.", facts.now)


def _approval(facts: Facts, _: Limits) -> Refusal | None:
    change = facts.change
    if change.expires_at <= facts.now:
        reason = f"The approval ended {span(facts.now - change.expires_at)} before its turn came."
        return Refusal("approval valid", reason, Becomes.EXPIRED)
    if change.requires_approval and not change.is_approved:
        return Refusal("approval valid", "Nobody approved it.", Becomes.ASK)
    return None


def _automatic(facts: Facts, limits: Limits) -> Refusal | None:
    change = facts.change
    if change.requires_approval or change.is_approved:
        return None
    if facts.now < facts.onboarded_at + timedelta(days=limits.require_approval_days):
        reason = (
            f"The account's first {limits.require_approval_days} days ask a person for each change."
        )
        return Refusal("approval period", reason, Becomes.ASK)
    if change.confidence is None or change.confidence < limits.min_confidence_for_auto:
        reason = f"Less sure than {limits.min_confidence_for_auto:.2f}, so a person decides."
        return Refusal("confidence", reason, Becomes.ASK)
    if not facts.cell_holds or not limits.acts_alone:
        reason = "Such changes do not go on by themselves (any more), so a person decides."
        return Refusal("earned autonomy", reason, Becomes.ASK)
    return None


def _hourly_cap(facts: Facts, limits: Limits) -> Refusal | None:
    recent = facts.others_in_last_hour
    if len(recent) < limits.max_actions_per_hour:
        return None
    frees = (
        recent[-limits.max_actions_per_hour] + HOUR
        if limits.max_actions_per_hour
        else facts.now + HOUR
    )
    reason = (
        f"{len(recent)} changes in the last 60 minutes; {limits.max_actions_per_hour} are allowed."
    )
    return Refusal("hourly cap", reason, Becomes.WAIT, frees)


def _cooldown(facts: Facts, limits: Limits) -> Refusal | None:
    last = facts.last_executed_at
    if last is None or last + limits.cooldown <= facts.now:
        return None
    passed = span(facts.now - last)
    reason = f"Changed {passed} ago; it is left alone for {limits.cooldown_hours:g} hours."
    return Refusal("cooldown", reason, Becomes.WAIT, last + limits.cooldown)


def _budget_changes(facts: Facts, limits: Limits) -> Refusal | None:
    recent, cap = facts.budget_changes_in_last_hour, limits.max_budget_changes_per_hour
    if not facts.change.touches_budget or len(recent) < cap:
        return None
    level = LEVEL_NAMES[facts.change.entity_type]
    reason = f"{len(recent)} budget changes in the last hour; Meta blocks the {level} at 4."
    return Refusal("budget changes an hour", reason, Becomes.WAIT, recent[-cap] + HOUR)


def _data_fresh(facts: Facts, limits: Limits) -> Refusal | None:
    latest = facts.latest_data_at
    if latest is not None and facts.now - latest <= limits.stale_after:
        return None
    old = (
        "There is no data yet"
        if latest is None
        else f"The latest data is {span(facts.now - latest)} old"
    )
    return _wait("data fresh", f"{old}; changes wait for a new look.", facts.now)


def _value_unchanged(facts: Facts, _: Limits) -> Refusal | None:
    change, now = facts.change, facts.seen.value
    touched = values.touches_same(now, change.before, change.action.type)
    if touched and (now.status == change.before.status or change.is_undo):
        return None
    if values.touches_same(now, change.after, change.action.type):
        return Refusal("value unchanged", "It is set to that already.", Becomes.STALE)
    reason = f"Someone changed it since: it was {change.before}, now it is {now}."
    return Refusal("value unchanged", reason, Becomes.STALE)


def _parent_active(facts: Facts, _: Limits) -> Refusal | None:
    change = facts.change
    if change.action.type is not ActionType.ACTIVATE:
        if facts.seen.effective_status in DELIVERING or change.is_undo:
            return None
        status = facts.seen.effective_status.replace("_", " ").lower() or "unknown"
        return Refusal("parent active", f"It does not deliver any more ({status}).", Becomes.STALE)
    if change.entity_type is EntityType.CAMPAIGN:
        return None
    if facts.parent is not None and facts.parent.effective_status in DELIVERING:
        return None
    level = EntityType.CAMPAIGN if change.entity_type is EntityType.ADSET else EntityType.ADSET
    return Refusal("parent active", f"Its {LEVEL_NAMES[level]} is not active.", Becomes.STALE)


def _campaign_budget(facts: Facts, _: Limits) -> Refusal | None:
    if not facts.change.touches_budget:
        return None
    if facts.seen.value.daily_budget_minor is None:
        return Refusal(
            "campaign budget", "It has no daily budget of its own any more.", Becomes.STALE
        )
    if facts.change.entity_type is not EntityType.ADSET:
        return None
    parent = facts.parent
    if parent is None:
        return _wait("campaign budget", "Its campaign could not be read.", facts.now)
    if parent.value.daily_budget_minor is not None or parent.has_lifetime_budget:
        return Refusal("campaign budget", "Its campaign sets the budget.", Becomes.STALE)
    return None


def _learning(facts: Facts, _: Limits) -> Refusal | None:
    if not facts.change.touches_budget or facts.seen.learning != LEARNING:
        return None
    if facts.rule_category == LOSS_PREVENTION:
        return None
    return Refusal(
        "learning phase", "It is learning; a new budget could start that over.", Becomes.STALE
    )


def _single_change(facts: Facts, limits: Limits) -> Refusal | None:
    percent = values.percent_change(facts.change.before, facts.change.after)
    if not facts.change.touches_budget or (
        percent is not None and _within(percent, limits.max_budget_change_percent)
    ):
        return None
    reason = f"It moves the budget by more than {limits.max_budget_change_percent}% at once."
    return Refusal("largest single change", reason, Becomes.FAILED)


def _daily_change(facts: Facts, limits: Limits) -> Refusal | None:
    if not facts.change.touches_budget:
        return None
    began = values.Value(facts.change.before.currency, facts.start_of_day_minor)
    percent = values.percent_change(began, facts.change.after)
    if percent is not None and _within(percent, limits.daily_change_percent):
        return None
    total = "an unknown share" if percent is None else f"{abs(percent):.0f}%"
    most = limits.daily_change_percent
    reason = f"With today's earlier changes the budget would move by {total}; {most}% is the most."
    return Refusal("largest daily change", reason, Becomes.STALE)


def _floor(facts: Facts, _: Limits) -> Refusal | None:
    wanted, floor = (
        facts.change.after.daily_budget_minor,
        values.budget_floor(facts.change.after.currency),
    )
    if not facts.change.touches_budget or (wanted is not None and wanted >= floor.minor):
        return None
    return Refusal("currency floor", f"A daily budget under {floor} is not set.", Becomes.FAILED)


def _rule_holds(facts: Facts, _: Limits) -> Refusal | None:
    if facts.rule_holds is not False or facts.change.was_modified:
        return None
    return Refusal(
        "rule holds", "The rule does not hold on the latest data any more.", Becomes.STALE
    )


def _wait(guard: str, reason: str, now: datetime) -> Refusal:
    return Refusal(guard, reason, Becomes.WAIT, now + RETRY)


def _within(percent: float, limit: float) -> bool:
    """Return whether a change keeps the limit, the rounding to minor units aside."""
    return abs(percent) <= limit + _ROUNDING_PERCENT


_ROUNDING_PERCENT = 0.5

GUARDS: tuple[Guard, ...] = (
    Guard("kill switch", _kill_switch),
    Guard("approval valid", _approval),
    Guard("automatic", _automatic, spares_undo=True),
    Guard("value unchanged", _value_unchanged),
    Guard("parent active", _parent_active),
    Guard("campaign budget", _campaign_budget),
    Guard("learning phase", _learning, spares_undo=True),
    Guard("rule holds", _rule_holds, spares_undo=True),
    Guard("largest single change", _single_change, spares_undo=True),
    Guard("largest daily change", _daily_change, spares_undo=True),
    Guard("currency floor", _floor),
    Guard("data fresh", _data_fresh, spares_undo=True),
    Guard("cooldown", _cooldown, spares_undo=True),
    Guard("budget changes an hour", _budget_changes),
    Guard("hourly cap", _hourly_cap),
)
