"""Proposals and what becomes of them over HTTP (the plan's section 5.3).

Reads   a caller's verdicts.
Gives   actions as stored; approving leads to the executor, not to the account itself.
Never   changes an account: `operations.approvals` records the verdict, the executor acts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.actions import Action, ActionStatus
from intel_ml.core.errors import NotFoundError
from intel_ml.core.money import Money
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import AdAccount, AutomationAction
from intel_ml.operations import approvals
from intel_ml.operations.undo import undo
from intel_ml.reporting.savings import savings
from intel_ml.surfaces.api.action_schemas import (
    ActionDecided,
    ActionList,
    ActionOut,
    ActionStats,
    ApproveIn,
    ModifyIn,
    RejectIn,
    savings_out,
)
from intel_ml.surfaces.api.callers import (
    LARGEST_ID,
    AccountId,
    Caller,
    ThePlatform,
    visible_accounts,
)
from intel_ml.surfaces.api.schemas import MoneyOut
from intel_ml.surfaces.platform import limits_of

router = APIRouter(prefix="/api/intelligence/actions", tags=["actions"])

LONGEST_DAYS = 365
MOST_ROWS = 1_000

ActionId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS, description="How far back.")]
Status = Literal[
    "all",
    "pending_approval",
    "approved",
    "executing",
    "executed",
    "failed",
    "needs_review",
    "rejected",
    "expired",
    "stale",
    "undone",
]

_COLUMNS = [name for name in ActionOut.model_fields if name not in {"account_id", "stake"}]


@router.get("")
def list_actions(  # noqa: PLR0913  # one argument for each query parameter
    person: Caller,
    platform: ThePlatform,
    *,
    account_id: AccountId = None,
    status: Status = "all",
    days: Days = 7,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> ActionList:
    """Return actions created in the last days, newest first."""
    accounts = visible_accounts(person, account_id)
    with platform.store.session() as session:
        wanted = (
            select(AutomationAction, AdAccount.currency)
            .join(AdAccount, AdAccount.ad_account_id == AutomationAction.ad_account_id)
            .where(
                AutomationAction.ad_account_id.in_(accounts),
                AutomationAction.created_at >= platform_now(session) - timedelta(days=days),
            )
            .order_by(AutomationAction.created_at.desc(), AutomationAction.id.desc())
            .limit(limit)
        )
        if status != "all":
            wanted = wanted.where(AutomationAction.status == status)
        rows = session.execute(wanted)
        return ActionList(actions=[_out(row, currency) for row, currency in rows])


@router.get("/stats")
def action_stats(
    person: Caller, platform: ThePlatform, *, account_id: AccountId = None, days: Days = 30
) -> ActionStats:
    """Return how many actions were triggered and executed, and what that saved."""
    accounts = visible_accounts(person, account_id)
    with platform.store.session() as session:
        now = platform_now(session)
        since = now - timedelta(days=days)
        counted = session.execute(
            select(AutomationAction.status, func.count())
            .where(
                AutomationAction.ad_account_id.in_(accounts), AutomationAction.created_at >= since
            )
            .group_by(AutomationAction.status)
        )
        by_status = dict.fromkeys(map(str, ActionStatus), 0) | {str(s): int(n) for s, n in counted}
        saved = [
            savings_out(account, savings(session, account_id=account, since=since, now=now))
            for account in accounts
        ]
    return ActionStats(
        days=days,
        triggered=sum(by_status.values()),
        executed=by_status[ActionStatus.EXECUTED] + by_status[ActionStatus.UNDONE],
        by_status=by_status,
        savings=saved,
    )


@router.get("/{action_id}")
def one_action(action_id: ActionId, person: Caller, platform: ThePlatform) -> ActionOut:
    """Return one action."""
    with platform.store.session() as session:
        return _stored(session, action_id, person=person)


@router.post("/{action_id}/approve")
def approve(
    action_id: ActionId, person: Caller, platform: ThePlatform, body: ApproveIn | None = None
) -> ActionDecided:
    """Approve a proposal; `says` tells when the change is made, or why it waits."""
    with platform.store.session() as session:
        decided = approvals.approve(
            session,
            account_id=_account_of(session, action_id, person=person),
            action_id=action_id,
            by=person,
            now=platform_now(session),
            note=body.note if body else None,
        )
        return _decided(session, decided, person=person)


@router.post("/{action_id}/reject")
def reject(
    action_id: ActionId, body: RejectIn, person: Caller, platform: ThePlatform
) -> ActionDecided:
    """Reject a proposal, with the reason; the next model learns from it."""
    with platform.store.session() as session:
        decided = approvals.reject(
            session,
            account_id=_account_of(session, action_id, person=person),
            action_id=action_id,
            by=person,
            now=platform_now(session),
            reason=body.reason,
        )
        return _decided(session, decided, person=person)


@router.post("/{action_id}/modify")
def modify(
    action_id: ActionId, body: ModifyIn, person: Caller, platform: ThePlatform
) -> ActionDecided:
    """Approve something else instead of what was proposed."""
    wanted = Action(body.action.type, body.action.percent)
    with platform.store.session() as session:
        decided = approvals.modify(
            session,
            account_id=_account_of(session, action_id, person=person),
            action_id=action_id,
            by=person,
            now=platform_now(session),
            action=wanted,
            reason=body.reason,
            limits=limits_of(platform.settings),
        )
        return _decided(session, decided, person=person)


@router.post("/{action_id}/undo")
def undo_action(action_id: ActionId, person: Caller, platform: ThePlatform) -> ActionDecided:
    """Ask for the old value again; returns the action that restores it, and when or why not yet."""
    with platform.store.session() as session:
        decided = undo(
            session,
            account_id=_account_of(session, action_id, person=person),
            action_id=action_id,
            by=person,
            now=platform_now(session),
        )
        return _decided(session, decided, person=person)


def _account_of(session: Session, action_id: int, *, person: Person) -> str:
    found = session.scalar(
        select(AutomationAction.ad_account_id).where(
            AutomationAction.id == action_id, AutomationAction.ad_account_id.in_(person.accounts)
        )
    )
    if found is None:
        raise NotFoundError(f"There is no action {action_id} in an account of yours.")
    return found


def _decided(session: Session, decided: approvals.Decided, *, person: Person) -> ActionDecided:
    stored = _stored(session, decided.action_id, person=person)
    return ActionDecided(**dict(stored), says=decided.says)


def _stored(session: Session, action_id: int, *, person: Person) -> ActionOut:
    account_id = _account_of(session, action_id, person=person)
    session.flush()
    row = session.get_one(AutomationAction, (account_id, action_id))
    return _out(row, session.get_one(AdAccount, account_id).currency)


def _out(row: AutomationAction, currency: str) -> ActionOut:
    return ActionOut.model_validate(
        {name: getattr(row, name) for name in _COLUMNS}
        | {"account_id": row.ad_account_id, "stake": MoneyOut.of(Money(row.stake_minor, currency))}
    )
