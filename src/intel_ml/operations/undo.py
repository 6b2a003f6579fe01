"""The old value again, as an approved and audited action of its own.

Reads   an executed action.
Gives   a new action that restores what was there; the executor sets it only if the value now is
        still ours.
Never   undoes the same action twice: the second time returns the first undo.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.errors import ConflictError
from intel_ml.core.recommendations import Role, Source, Verdict
from intel_ml.data.store.tables import AutomationAction
from intel_ml.learning.cells import reconsider
from intel_ml.operations import journal, switches, values, wording
from intel_ml.operations.approvals import CHANNEL, Decided, params, visible

_VALID = timedelta(hours=1)
_OPEN = (
    ActionStatus.PENDING_APPROVAL,
    ActionStatus.APPROVED,
    ActionStatus.EXECUTING,
    ActionStatus.NEEDS_REVIEW,
)
_COUNTS = (*_OPEN, ActionStatus.EXECUTED)
NEXT = "The old value is restored within seconds, unless someone changed it since."


@dataclass(frozen=True, slots=True)
class _Restoring:
    action: Action
    before: values.Value
    after: values.Value


def undo(
    session: Session, *, account_id: str, action_id: int, by: Person, now: datetime
) -> Decided:
    """Ask for the old value again; the person asking approves it by asking."""
    row = visible(session, account_id=account_id, action_id=action_id, by=by, role=Role.APPROVER)
    earlier = session.scalar(
        select(AutomationAction)
        .where(
            AutomationAction.ad_account_id == account_id,
            AutomationAction.undoes_id == action_id,
            AutomationAction.status.in_(_COUNTS),
        )
        .limit(1)
    )
    if earlier is not None:
        words = wording.STATUS_WORDS[ActionStatus(earlier.status)]
        return Decided(
            account_id,
            earlier.id,
            ActionStatus(earlier.status),
            f"Undo was asked for already: {words}.",
        )
    if row.status != ActionStatus.EXECUTED:
        words = wording.STATUS_WORDS[ActionStatus(row.status)]
        raise ConflictError(f"Only what was carried out can be undone; this is {words}.")
    _nothing_open(session, row)
    undoing = _row(row, by=by, now=now)
    session.add(undoing)
    session.flush()
    journal.write(
        session,
        undoing,
        journal.Entry(
            now, by.name, "transition", {"from": None, "to": "approved", "why": undoing.reason}
        ),
    )
    if row.autonomy is not None:
        reconsider(session, account_id, now=now)
    session.execute(text(f"NOTIFY {CHANNEL}"))
    return Decided(account_id, undoing.id, ActionStatus.APPROVED, switches.soon(session, NEXT))


def _nothing_open(session: Session, row: AutomationAction) -> None:
    busy = session.scalar(
        select(AutomationAction.id)
        .where(
            AutomationAction.ad_account_id == row.ad_account_id,
            AutomationAction.entity_type == row.entity_type,
            AutomationAction.entity_id == row.entity_id,
            AutomationAction.status.in_(_OPEN),
        )
        .limit(1)
    )
    if busy is not None:
        raise ConflictError(
            f"Another change of {row.entity_name} is open (action {busy}).",
            hint="Decide that one first.",
        )


def _restoring(row: AutomationAction) -> _Restoring:
    before, ours = values.value_of(row.value_before), values.value_of(row.value_after)
    kind = ActionType(row.action_type)
    if kind in values.STATUS_TYPES:
        back = ActionType.ACTIVATE if kind is ActionType.PAUSE else ActionType.PAUSE
        return _Restoring(Action(back), ours, before)
    percent = round(values.percent_change(ours, before) or 0)
    rises = (before.daily_budget_minor or 0) > (ours.daily_budget_minor or 0)
    action = (
        Action(ActionType.INCREASE_BUDGET, max(1, percent))
        if rises
        else Action(ActionType.DECREASE_BUDGET, min(-1, percent))
    )
    return _Restoring(action, ours, before)


def _row(row: AutomationAction, *, by: Person, now: datetime) -> AutomationAction:
    restoring = _restoring(row)
    why = f"{by.name} undoes action {row.id}: {row.reason}"
    return AutomationAction(
        ad_account_id=row.ad_account_id,
        key=f"undo-{row.ad_account_id}-{row.id}-{int(now.timestamp())}",
        decision_id=None,
        undoes_id=row.id,
        source=Source.HUMAN,
        entity_type=row.entity_type,
        entity_id=row.entity_id,
        entity_name=row.entity_name,
        action_type=restoring.action.type,
        action_params=params(restoring.action),
        value_before=restoring.before.as_json(),
        value_after=restoring.after.as_json(),
        status=ActionStatus.APPROVED,
        reason=why,
        reasons=[{"text": why}],
        triggered_metrics={},
        stake_minor=row.stake_minor,
        data_as_of=row.data_as_of,
        requires_approval=True,
        approved_by=by.id,
        approved_at=now,
        human_decision=Verdict.APPROVED,
        expires_at=now + _VALID,
        created_at=now,
        updated_at=now,
    )
