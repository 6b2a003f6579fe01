"""The words of a card: who proposes, what the policy thinks, what happens next and what happened.

Reads   an action's row and what belongs to it.
Gives   sentences a media buyer reads at a glance.
Never   asks the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from intel_ml.core.actions import ActionStatus, Arm
from intel_ml.core.money import money_from_major
from intel_ml.core.recommendations import IMITATION, Source
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.learning.horizons import HORIZON_HOURS, HORIZONS
from intel_ml.operations import values
from intel_ml.operations.expecting import EXPECTED_GAIN
from intel_ml.operations.recalling import NEAREST_CASES
from intel_ml.operations.wording import ARM_WORDS, ago, span
from intel_ml.reporting.similar import NOT_ENOUGH, Cases

NO_VIEW = "No model had a view."
NOT_WHAT_IT_EARNS = "The model only says what people would do, not what that earns."
SAFE_TO_REJECT = "Nothing depends on it: rejecting it is safe."
#: Less sure than this, a policy is not sure.
_SURE = 0.5
LATE = timedelta(minutes=2)
#: Outcomes are measured by a job that runs daily.
MEASURED_BY = timedelta(hours=HORIZON_HOURS + 48)


def proposer(
    row: AutomationAction,
    *,
    rule: str | None,
    person: str | None,
    decision: Decision | None = None,
) -> str:
    """Return who proposes, with the version."""
    if row.undoes_id is not None:
        return f"{person or 'A person'} (undo of action {row.undoes_id})"
    if row.source == Source.RULES:
        return f"Rule {rule or row.rule_id} v{row.rule_version}"
    if row.source == Source.EXPLORATION:
        if decision is not None and not decision.is_explored:
            return f"Policy {row.model_version}, by chance: it thinks another choice best"
        return "Chance: a few changes a day are tried, so that their effect is known"
    if row.source == Source.POLICY:
        return f"Policy {row.model_version}"
    return person or "A person"


def policy_view(decision: Decision | None, *, agrees: bool | None) -> str:
    """Return what the policy would do and how sure it is."""
    if decision is None or decision.policy_arm is None:
        return NO_VIEW
    confidence = decision.policy_confidence
    if decision.policy_name == IMITATION:
        return _imitation_view(decision, agrees=agrees)
    if confidence is None:
        sure = ""
    elif confidence < _SURE:
        sure = f", but it is far from sure: {confidence:.0%} that this is best"
    else:
        sure = f"; it is {confidence:.0%} sure that this is best"
    also = "also " if agrees else ""
    return f"The policy would {also}{ARM_WORDS[Arm(decision.policy_arm)]}{sure}."


def _imitation_view(decision: Decision, *, agrees: bool | None) -> str:
    """Return what people would do, by an imitation of them."""
    arm, also = ARM_WORDS[Arm(str(decision.policy_arm))], "also " if agrees else ""
    sure = decision.policy_confidence
    likely = "" if sure is None else f" ({sure:.0%} sure)"
    return f"Going by earlier verdicts, people here would {also}{arm}{likely}."


def expectation(measured: str, decision: Decision | None) -> str:
    """Return what was measured of the change, or what the policy that spoke expects of it.

    Of an imitation, that it knows nothing of effects.
    """
    if decision is None or decision.policy_arm is None:
        return measured
    if decision.policy_name == IMITATION:
        return f"{measured} {NOT_WHAT_IT_EARNS}"
    told = [one["text"] for one in decision.policy_reasons or () if _is_gain(one)]
    return (
        f"Not measured yet. The policy's estimate: {told[0]}."
        if told and measured == NOT_ENOUGH
        else measured
    )


def _is_gain(reason: dict[str, Any]) -> bool:
    return reason.get("field") == EXPECTED_GAIN


def nearest_cases(decision: Decision | None) -> Cases | None:
    """Return what the model told of the most alike past cases; None where it told nothing."""
    for one in () if decision is None else decision.policy_reasons or ():
        if decision is not None and one.get("field") == NEAREST_CASES:
            # Told how alike the nearest is, there are some.
            return Cases(
                says=one["text"],
                are_alike=one.get("observed") is not None,
                are_verdicts=decision.policy_name == IMITATION,
            )
    return None


def alone(row: AutomationAction) -> str:
    """Return that this went on by itself, or could have; empty where it could not."""
    told = row.autonomy
    if told is None:
        return ""
    bar, where = told.get("threshold"), told.get("archetype") or "no archetype"
    surer = "" if bar is None else f": surer than {bar:.0%} in {where}"
    if told.get("way") == "audit":
        return f"Asked at random, although this could have gone on by itself{surer}."
    if row.requires_approval:
        return f"This would have gone on by itself{surer}. A limit asked for a person instead."
    return f"Went on by itself{surer}."


def why(row: AutomationAction) -> str:
    """Return why this is proposed; a random try says that nothing is lost without it."""
    return f"{row.reason} {SAFE_TO_REJECT}" if row.source == Source.EXPLORATION else row.reason


def what_happens(  # the action, who and when, and what holds it up
    row: AutomationAction,
    *,
    who: str | None,
    at: datetime | None,
    now: datetime,
    stopped: str | None = None,
) -> str:
    """Return what happens next with an action, or what happened; `stopped` is why it waits."""
    by = f" by {who}" if who else ""
    when = f" {ago(at, now=now)}" if at else ""
    why = row.status_reason or ""
    status = ActionStatus(row.status)
    if status is ActionStatus.PENDING_APPROVAL:
        left = f"Waits for an answer; {span(row.expires_at - now)} left."
        return (
            f"{why} {left}".strip()
            if row.expires_at > now
            else "Its time is over; it is about to be closed."
        )
    if status is ActionStatus.APPROVED:
        said = f"Approved{by}{when}." if row.requires_approval else f"Goes on by itself{when}."
        return f"{said} {_why_waiting(row, at=at, now=now, stopped=stopped)}"
    if status is ActionStatus.EXECUTED:
        return f"{_done(row, now=now)} {_outcome(row, now=now)}"
    return {
        ActionStatus.EXECUTING: "The change is being made.",
        ActionStatus.FAILED: f"It failed, nothing was changed: {row.error_message or why}",
        ActionStatus.NEEDS_REVIEW: f"Look at it in Ads Manager: {row.error_message or why}",
        ActionStatus.REJECTED: f"Rejected{by}{when}: {_sentence(row.rejection_reason or why)}",
        ActionStatus.EXPIRED: f"Expired, nothing was changed: {_sentence(why)}",
        ActionStatus.STALE: f"Overtaken by events, nothing was changed: {_sentence(why)}",
        ActionStatus.UNDONE: f"{_done(row, now=now)} Undone since: the old value is back.",
    }[status]


def _why_waiting(
    row: AutomationAction, *, at: datetime | None, now: datetime, stopped: str | None
) -> str:
    if stopped is not None:
        return f"Not made yet: {stopped.rstrip('.')}. It waits until changes are made again."
    if row.execution_result is not None and "retry_at" in row.execution_result:
        return f"Waiting: {_sentence(row.status_reason)}"
    if at is not None and now - at > LATE:
        return "Not made yet: the executor has not answered. `intel-ml status` tells why."
    return "The change is made within seconds."


def _done(row: AutomationAction, *, now: datetime) -> str:
    before, after = values.value_of(row.value_before), values.value_of(row.value_after)
    change = (
        f"{before.daily_budget} → {after.daily_budget} a day"
        if before.daily_budget != after.daily_budget
        else f"{_word(before.status)} → {_word(after.status)}"
    )
    when = ago(row.executed_at, now=now) if row.executed_at else ""
    return f"Done {when}: {change}."


def _outcome(row: AutomationAction, *, now: datetime) -> str:
    metrics = row.outcome_metrics
    if row.undoes_id is not None and not metrics:
        return "The old value is back."
    if not metrics:
        is_over = row.executed_at is not None and now - row.executed_at > MEASURED_BY
        return (
            "What came of it could not be measured."
            if is_over
            else f"What came of it is measured {HORIZONS[0]} hours later."
        )
    currency = str(row.value_before["currency"])
    before, after = metrics.get("before") or {}, metrics.get("after") or {}
    # Where nothing was spent a cost or return per unit spent says nothing.
    has_stopped = after.get("spend") == 0
    parts = [
        f"{label} {show(before[name], currency)} → {show(after[name], currency)}"
        for name, label, show in (
            ("cpa", "CPA", _money),
            ("roas", "ROAS", _ratio),
            ("spend", "spend", _money),
        )
        if before.get(name) is not None
        and after.get(name) is not None
        and (name == "spend" or not has_stopped)
    ]
    hours = metrics["horizon_hours"]
    return (
        f"{hours} hours later: {', '.join(parts)}."
        if parts
        else f"{hours} hours later nothing could be compared."
    )


def _money(value: float, currency: str) -> str:
    return str(money_from_major(f"{value:.4f}", currency))


def _ratio(value: float, _: str) -> str:
    return f"{value:.2f}"


def _word(status: str | None) -> str:
    return (status or "unknown").lower()


def _sentence(text: str | None) -> str:
    said = (text or "no reason was given").rstrip(".")
    return f"{said[:1].lower()}{said[1:]}."
