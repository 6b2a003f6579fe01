"""What becomes of an action that the executor took up, written down and said to people.

Reads   the action under a lock.
Gives   its new status, its journal, and a notification where somebody should know.
Never   talks to the platform.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.core.ids import EntityType
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import AutomationAction, AutomationRule
from intel_ml.operations import notices, wording
from intel_ml.operations.approvals import action_from
from intel_ml.operations.facts import Change
from intel_ml.operations.guards import Becomes, Refusal
from intel_ml.operations.journal import EXECUTOR, Entry, move, write
from intel_ml.operations.values import Value

ENDED, NOT_ENDED = 1, 0

_STATUS = {
    Becomes.STALE: ActionStatus.STALE,
    Becomes.EXPIRED: ActionStatus.EXPIRED,
    Becomes.FAILED: ActionStatus.FAILED,
}


def refuse(session: Session, row: AutomationAction, refusal: Refusal, *, now: datetime) -> None:
    """Do what a guard asks for with an approved action."""
    detail = {"guard": refusal.guard, "why": refusal.reason, "becomes": refusal.becomes}
    if row.status_reason != refusal.reason:
        write(session, row, Entry(now, EXECUTOR, "guard", detail))
    if refusal.becomes is Becomes.WAIT:
        _keep_waiting(row, why=refusal.reason, until=refusal.retry_at or now, now=now)
    elif refusal.becomes is Becomes.ASK:
        row.requires_approval = True
        row.expires_at = now + (row.expires_at - row.created_at)
        move(
            session, row, ActionStatus.PENDING_APPROVAL, at=now, actor=EXECUTOR, why=refusal.reason
        )
    else:
        move(session, row, _STATUS[refusal.becomes], at=now, actor=EXECUTOR, why=refusal.reason)
        row.error_message = refusal.reason if refusal.becomes is Becomes.FAILED else None
        _tell(session, row, "warning", f"Not done: {_order(row)}", refusal.reason, now=now)


def wait(store: Store, change: Change, *, why: str, wait: timedelta) -> int:
    """Leave an approved action in the queue for a while, with the reason."""
    with store.session() as session:
        row, now = _locked(session, change), platform_now(session)
        if row.status == ActionStatus.APPROVED:
            _keep_waiting(row, why=why, until=now + wait, now=now)
    return NOT_ENDED


def put_back(store: Store, change: Change, *, why: str, wait: timedelta) -> int:
    """Return an action that surely was not applied to the queue."""
    with store.session() as session:
        row, now = _locked(session, change), platform_now(session)
        write(session, row, Entry(now, EXECUTOR, "answer", {"error": why}))
        move(session, row, ActionStatus.APPROVED, at=now, actor=EXECUTOR, why=why)
        _keep_waiting(row, why=why, until=now + wait, now=now)
    return NOT_ENDED


def stop_account(store: Store, change: Change, *, why: str, wait: timedelta) -> int:
    """Let every approved action of the account wait, and tell its people once a day."""
    with store.session() as session:
        now = platform_now(session)
        retry_at = {"retry_at": (now + wait).isoformat()}
        session.execute(
            update(AutomationAction)
            .where(
                AutomationAction.ad_account_id == change.account_id,
                AutomationAction.status == ActionStatus.APPROVED,
            )
            .values(status_reason=why, execution_result=retry_at)
        )
        told = notices.Notice(
            type="system",
            severity="error",
            title="Changes have stopped: the platform refuses our token",
            message=why,
            key=f"token:{now:%Y-%m-%d}",
        )
        notices.say(session, account_id=change.account_id, notices=[told], now=now)
    return NOT_ENDED


def execute(store: Store, change: Change, *, read: Value) -> int:
    """Record a change that the platform confirms."""
    with store.session() as session:
        row, now = _locked(session, change), platform_now(session)
        move(session, row, ActionStatus.EXECUTED, at=now, actor=EXECUTOR)
        row.executed_at, row.execution_result = now, {"read_back": read.as_json()}
        if row.undoes_id is not None:
            _undone(session, row, now=now)
        if row.rule_id is not None:
            session.execute(
                update(AutomationRule)
                .where(
                    AutomationRule.ad_account_id == row.ad_account_id,
                    AutomationRule.id == row.rule_id,
                )
                .values(times_executed=AutomationRule.times_executed + 1)
            )
        said = wording.done(change.action, level=change.entity_type, name=change.entity_name)
        _tell(
            session,
            row,
            "success",
            said,
            f"{change.before} → {change.after}. {row.reason}",
            now=now,
        )
    return ENDED


def fail(store: Store, change: Change, *, why: str) -> int:
    """Record a change that the platform will not take."""
    with store.session() as session:
        row, now = _locked(session, change), platform_now(session)
        write(session, row, Entry(now, EXECUTOR, "answer", {"error": why}))
        move(session, row, ActionStatus.FAILED, at=now, actor=EXECUTOR, why=why)
        row.error_message = why
        _tell(session, row, "error", f"Failed: {_order(row)}", why, now=now)
    return ENDED


def review(store: Store, change: Change, *, why: str) -> int:
    """Ask a person to look: what the platform shows is neither the old value nor ours."""
    with store.session() as session:
        row, now = _locked(session, change), platform_now(session)
        move(session, row, ActionStatus.NEEDS_REVIEW, at=now, actor=EXECUTOR, why=why)
        row.error_message = why
        _tell(session, row, "error", f"Needs a look: {_order(row)}", why, now=now)
    return ENDED


def _undone(session: Session, row: AutomationAction, *, now: datetime) -> None:
    original = session.get_one(
        AutomationAction, (row.ad_account_id, row.undoes_id), with_for_update=True
    )
    if original.status == ActionStatus.EXECUTED:
        move(
            session,
            original,
            ActionStatus.UNDONE,
            at=now,
            actor=EXECUTOR,
            why=f"Undone by action {row.id}.",
        )


def _keep_waiting(row: AutomationAction, *, why: str, until: datetime, now: datetime) -> None:
    row.status_reason, row.updated_at = why, now
    row.execution_result = {"retry_at": until.isoformat()}


def _locked(session: Session, change: Change) -> AutomationAction:
    return session.scalars(
        select(AutomationAction)
        .where(
            AutomationAction.ad_account_id == change.account_id,
            AutomationAction.id == change.action_id,
        )
        .with_for_update()
    ).one()


def _order(row: AutomationAction) -> str:
    action = action_from(row.action_type, row.action_params)
    return wording.headline(action, level=EntityType(row.entity_type), name=row.entity_name)


def _tell(  # noqa: PLR0913  # about what, how bad, and the words
    session: Session,
    row: AutomationAction,
    severity: str,
    title: str,
    message: str,
    *,
    now: datetime,
) -> None:
    told = notices.Notice(
        type="action_executed" if severity == "success" else "alert",
        severity=severity,
        title=title,
        message=message,
        entity_type="automation_action",
        entity_id=str(row.id),
        action_url=notices.action_page(row.ad_account_id, row.id),
    )
    notices.say(session, account_id=row.ad_account_id, notices=[told], now=now)
