"""A person's notifications over HTTP (the plan's section 5.4).

Reads   notifications as stored.
Gives   the caller's own, newest first; marks them as read.
Never   shows or marks another person's.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from intel_ml.core.accounts import Person
from intel_ml.core.errors import NotFoundError
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import Notification
from intel_ml.surfaces.api.callers import LARGEST_ID, Caller, ThePlatform
from intel_ml.surfaces.api.schemas import NotificationList, NotificationOut, ReadAll, UnreadCount

router = APIRouter(prefix="/api/notifications", tags=["notifications"])

MOST_ROWS = 500

NotificationId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("")
def list_notifications(
    person: Caller,
    platform: ThePlatform,
    *,
    unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> NotificationList:
    """Return your notifications, newest first."""
    with platform.store.session() as session:
        wanted = (
            select(Notification)
            .where(*_yours(session, person))
            .order_by(Notification.created_at.desc(), Notification.id.desc())
            .limit(limit)
        )
        if unread:
            wanted = wanted.where(~Notification.is_read)
        return NotificationList(notifications=[_out(row) for row in session.scalars(wanted)])


@router.get("/count")
def count_unread(person: Caller, platform: ThePlatform) -> UnreadCount:
    """Return how many are waiting."""
    with platform.store.session() as session:
        wanted = select(func.count()).where(*_yours(session, person), ~Notification.is_read)
        return UnreadCount(unread=session.scalar(wanted) or 0)


@router.post("/read-all")
def read_all(person: Caller, platform: ThePlatform) -> ReadAll:
    """Mark all as read."""
    with platform.store.session() as session:
        marked = session.scalars(
            update(Notification)
            .where(*_yours(session, person), ~Notification.is_read)
            .values(is_read=True, read_at=platform_now(session))
            .returning(Notification.id)
        )
        return ReadAll(marked=len(list(marked)))


@router.post("/{notification_id}/read")
def read_one(
    notification_id: NotificationId, person: Caller, platform: ThePlatform
) -> NotificationOut:
    """Mark one as read; a second time changes nothing."""
    with platform.store.session() as session:
        row = session.scalar(
            select(Notification)
            .where(Notification.id == notification_id, *_yours(session, person))
            .with_for_update()
        )
        if row is None:
            raise NotFoundError(f"There is no notification {notification_id} for you.")
        if not row.is_read:
            row.is_read, row.read_at = True, platform_now(session)
        return _out(row)


def _yours(session: Session, person: Person) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a notification the person's: theirs, of their accounts, not expired."""
    return (
        Notification.user_id == person.id,
        Notification.ad_account_id.in_(person.accounts),
        or_(Notification.expires_at.is_(None), Notification.expires_at > platform_now(session)),
    )


def _out(row: Notification) -> NotificationOut:
    columns = set(NotificationOut.model_fields) - {"account_id"}
    return NotificationOut.model_validate(
        {name: getattr(row, name) for name in columns} | {"account_id": row.ad_account_id}
    )
