"""What a person says to a proposal.

Approve, reject, or something else instead. The first commit wins.

Reads   the action under a lock.
Gives   the action's new status and what happens next, in words.
Never   changes an account: an approved action is left for the executor, which is told through
        `intel_approved`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.errors import (
    ConflictError,
    IntelError,
    InvalidValueError,
    NotAllowedError,
    NotFoundError,
)
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Role, Verdict
from intel_ml.data.store.tables import ActionEvent, AutomationAction
from intel_ml.learning.cells import reconsider
from intel_ml.operations import journal, switches, values, wording
from intel_ml.operations.limits import Limits

CHANNEL = "intel_approved"
OTHER = "other"
REJECT_REASONS = ("too early", "promotion running", "wrong data", "not our goal", OTHER)
NEXT_APPROVED = "The change is made within seconds; this card will say what happened."
NEXT_REJECTED = "Rejected. Nothing changes, and the next model learns from it."
_LONGEST_REASON = 500
_ALLOWED_INSTEAD = {
    ActionType.PAUSE,
    ActionType.ACTIVATE,
    ActionType.INCREASE_BUDGET,
    ActionType.DECREASE_BUDGET,
}


@dataclass(frozen=True, slots=True)
class Decided:
    """Where the action stands now, and what happens next."""

    account_id: str
    action_id: int
    status: ActionStatus
    says: str


@dataclass(frozen=True, slots=True)
class Refused:
    """One of many that could not be decided, and why."""

    account_id: str
    action_id: int
    why: str


@dataclass(frozen=True, slots=True)
class ManyDecided:
    """What became of each of many."""

    decided: tuple[Decided, ...]
    refused: tuple[Refused, ...]


def approve(  # noqa: PLR0913  # the keys, the person, the moment, and a note
    session: Session,
    *,
    account_id: str,
    action_id: int,
    by: Person,
    now: datetime,
    note: str | None = None,
) -> Decided:
    """Approve a waiting proposal; it stays valid for as long again as the proposal was."""
    action = _waiting(session, account_id, action_id, by=by, now=now)
    _accept(action, by=by, now=now, verdict=Verdict.APPROVED, feedback=note)
    journal.move(session, action, ActionStatus.APPROVED, at=now, actor=by.name, why=note or "")
    _wake(session)
    says = f"Approved. {switches.soon(session, NEXT_APPROVED)}"
    return Decided(account_id, action_id, ActionStatus.APPROVED, says)


def reject(  # noqa: PLR0913  # the keys, the person, the moment, and the reason
    session: Session, *, account_id: str, action_id: int, by: Person, now: datetime, reason: str
) -> Decided:
    """Reject a waiting proposal, with the reason."""
    said = _reason(reason)
    action = _waiting(session, account_id, action_id, by=by, now=now)
    action.human_decision, action.rejection_reason = Verdict.REJECTED, said
    action.human_feedback_reason = said
    journal.move(session, action, ActionStatus.REJECTED, at=now, actor=by.name, why=said)
    _weigh(session, action, now=now)
    return Decided(account_id, action_id, ActionStatus.REJECTED, NEXT_REJECTED)


def modify(  # noqa: PLR0913  # the keys, the person, the moment, and what is wanted instead
    session: Session,
    *,
    account_id: str,
    action_id: int,
    by: Person,
    now: datetime,
    action: Action,
    reason: str,
    limits: Limits | None = None,
) -> Decided:
    """Approve something else instead of what was proposed, within the same limits."""
    row = _waiting(session, account_id, action_id, by=by, now=now)
    before = values.value_of(row.value_before)
    wanted = _within(action, before=before, limits=limits or Limits())
    row.human_modified_action = {
        "proposed": {"action_type": row.action_type, "params": row.action_params},
        "wanted": {"action_type": action.type, "params": params(action)},
    }
    row.action_type, row.action_params = action.type, params(action)
    row.value_after = wanted.as_json()
    _accept(row, by=by, now=now, verdict=Verdict.MODIFIED, feedback=_reason(reason))
    journal.move(session, row, ActionStatus.APPROVED, at=now, actor=by.name, why=_reason(reason))
    _weigh(session, row, now=now)
    _wake(session)
    instead = wording.headline(action, level=EntityType(row.entity_type), name=row.entity_name)
    return Decided(
        account_id,
        action_id,
        ActionStatus.APPROVED,
        f"Approved with your change: {instead}. "
        f"{switches.soon(session, 'It is made within seconds.')}",
    )


def approve_many(
    session: Session,
    *,
    actions: Sequence[tuple[str, int]],
    by: Person,
    now: datetime,
    note: str | None = None,
) -> ManyDecided:
    """Approve each of many; one that cannot be approved leaves the others approved."""
    decided: list[Decided] = []
    refused: list[Refused] = []
    for account_id, action_id in sorted(set(actions)):
        try:
            with session.begin_nested():
                decided.append(
                    approve(
                        session,
                        account_id=account_id,
                        action_id=action_id,
                        by=by,
                        now=now,
                        note=note,
                    )
                )
        except IntelError as error:
            refused.append(Refused(account_id, action_id, str(error)))
    return ManyDecided(tuple(decided), tuple(refused))


def params(action: Action) -> dict[str, Any]:
    """Return what is stored beside the type of an action.

    >>> params(Action(ActionType.DECREASE_BUDGET, -20))
    {'percentage': 20}
    """
    return {} if action.percent is None else {"percentage": abs(action.percent)}


def action_from(kind: str, stored: dict[str, Any]) -> Action:
    """Return the action that a row stores.

    >>> action_from("decrease_budget", {"percentage": 20})
    Action(type=<ActionType.DECREASE_BUDGET: 'decrease_budget'>, percent=-20)
    """
    percent = stored.get("percentage")
    sign = -1 if kind == ActionType.DECREASE_BUDGET else 1
    return Action(ActionType(kind), None if percent is None else sign * int(percent))


def visible(
    session: Session, *, account_id: str, action_id: int, by: Person, role: Role = Role.VIEWER
) -> AutomationAction:
    """Return an action of an account that the person may see, locked.

    The foreign does not exist for them.
    """
    row = (
        session.scalar(
            select(AutomationAction)
            .where(AutomationAction.ad_account_id == account_id, AutomationAction.id == action_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if by.may(Role.VIEWER, account_id)
        else None
    )
    if row is None:
        raise NotFoundError(f"There is no action {action_id} in an account of yours.")
    if not by.may(role, account_id):
        raise NotAllowedError(
            f"Deciding needs the role '{role}' for {account_id}.",
            hint="An admin of the account grants it.",
        )
    return row


def _waiting(
    session: Session, account_id: str, action_id: int, *, by: Person, now: datetime
) -> AutomationAction:
    row = visible(session, account_id=account_id, action_id=action_id, by=by, role=Role.APPROVER)
    if row.status != ActionStatus.PENDING_APPROVAL:
        raise ConflictError(_who_was_first(session, row, now=now))
    if row.expires_at <= now:
        raise ConflictError(
            f"Expired {wording.ago(row.expires_at, now=now)}: nobody decided in time.",
            hint="A new proposal is made if the reason still holds.",
        )
    return row


def _who_was_first(session: Session, row: AutomationAction, *, now: datetime) -> str:
    events = session.scalars(
        select(ActionEvent)
        .where(
            ActionEvent.ad_account_id == row.ad_account_id,
            ActionEvent.action_id == row.id,
            ActionEvent.kind == "transition",
        )
        .order_by(ActionEvent.id)
    )
    for event in events:
        if event.detail.get("from") == ActionStatus.PENDING_APPROVAL:
            what = wording.STATUS_WORDS[ActionStatus(event.detail["to"])]
            if event.actor in (journal.CYCLE, journal.EXECUTOR):
                return f"No longer open since {wording.ago(event.at, now=now)}: {what}."
            return f"Decided by {event.actor} {wording.ago(event.at, now=now)}: {what}."
    return f"No longer open: {wording.STATUS_WORDS[ActionStatus(row.status)]}."


def _accept(
    action: AutomationAction, *, by: Person, now: datetime, verdict: Verdict, feedback: str | None
) -> None:
    action.expires_at = now + (action.expires_at - action.created_at)
    action.approved_by, action.approved_at = by.id, now
    action.human_decision, action.human_feedback_reason = verdict, feedback


def _within(action: Action, *, before: values.Value, limits: Limits) -> values.Value:
    if action.type not in _ALLOWED_INSTEAD:
        raise InvalidValueError(
            path="action.type",
            problem=f"'{action.type}' cannot be carried out here",
            hint=f"Known: {', '.join(sorted(_ALLOWED_INSTEAD))}.",
        )
    if abs(action.percent or 0) > limits.max_budget_change_percent:
        raise InvalidValueError(
            path="action.percent",
            problem=f"{abs(action.percent or 0)}% is more than one change may move a budget: "
            f"{limits.max_budget_change_percent}%",
        )
    wanted = values.after(before, action)
    floor = values.budget_floor(before.currency)
    if action.type in values.BUDGET_TYPES and (wanted.daily_budget_minor or 0) < floor.minor:
        raise InvalidValueError(
            path="action.percent",
            problem=f"{wanted.daily_budget} a day is under the floor of {floor}",
        )
    if values.touches_same(before, wanted, action.type):
        raise InvalidValueError(path="action", problem="that is what it is set to already")
    return wanted


def _reason(text_: str) -> str:
    said = " ".join(text_.split())
    if not said:
        raise InvalidValueError(
            path="reason", problem="is missing", hint=f"Choose one of: {', '.join(REJECT_REASONS)}."
        )
    return said[:_LONGEST_REASON]


def _weigh(session: Session, action: AutomationAction, *, now: datetime) -> None:
    """Let a disagreement with what could have gone on by itself count at once."""
    if action.autonomy is not None:
        session.flush()
        reconsider(session, action.ad_account_id, now=now)


def _wake(session: Session) -> None:
    session.execute(text(f"NOTIFY {CHANNEL}"))
