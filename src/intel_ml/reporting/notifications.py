"""What a person should know: said once, read or unread.

Reads   `intel_notification` of one person, in the accounts they may see.
Gives   notes, newest first, and how many are unread.
Never   shows one person's to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Role
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import Notification
from intel_ml.operations.notices import Notice, say

__all__ = [
    "Note",
    "Notice",
    "Which",
    "mark_all_read",
    "mark_read",
    "notifications",
    "notify",
    "unread_count",
]


class Which(Enum):
    """Which notes to list."""

    ALL = "all"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Note:
    """One notification as its recipient sees it."""

    id: int
    account_id: AdAccountId
    type: str
    severity: str
    title: str
    message: str
    entity_type: str | None
    entity_id: str | None
    action_url: str | None
    data: Mapping[str, Any]
    is_read: bool
    read_at: datetime | None
    created_at: datetime


def notify(  # noqa: PLR0913  # the columns of what is said
    session: Session,
    *,
    account_id: str,
    type: str,  # noqa: A002  # the column's name, and the word of every caller
    severity: str,
    title: str,
    message: str,
    entity: tuple[str, str] | None = None,
    action_url: str | None = None,
    key: str | None = None,
    roles: tuple[Role, ...] = tuple(Role),
) -> int:
    """Tell every member of the account, or those of some roles; return how many were told.

    A `key` is said once only.
    """
    entity_type, entity_id = entity or (None, None)
    notice = Notice(
        type, severity, title, message, entity_type, entity_id, action_url, key, roles=roles
    )
    return say(session, account_id=account_id, notices=[notice], now=platform_now(session))


def notifications(
    session: Session, *, person: Person, which: Which = Which.ALL, limit: int = 50
) -> list[Note]:
    """Return the person's notes, newest first."""
    wanted = [*_own(person), *([~Notification.is_read] if which is Which.UNREAD else [])]
    rows = session.scalars(
        select(Notification)
        .where(*wanted)
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(limit)
    )
    return [_note(row) for row in rows]


def mark_read(session: Session, *, person: Person, notification_id: int, now: datetime) -> Note:
    """Mark one as read; marking twice keeps the first moment."""
    row = session.scalar(
        select(Notification)
        .where(*_own(person), Notification.id == notification_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError(f"There is no notification {notification_id} of yours.")
    if not row.is_read:
        row.is_read, row.read_at = True, now
        session.flush()
    return _note(row)


def mark_all_read(session: Session, *, person: Person, now: datetime) -> int:
    """Mark all of the person's as read; return how many were not."""
    changed = session.execute(
        update(Notification)
        .where(*_own(person), ~Notification.is_read)
        .values(is_read=True, read_at=now)
        .returning(Notification.id)
    )
    return len(changed.all())


def unread_count(session: Session, *, person: Person) -> int:
    """Return how many the person has not read."""
    statement = (
        select(func.count()).select_from(Notification).where(*_own(person), ~Notification.is_read)
    )
    return session.scalar(statement) or 0


def _own(person: Person) -> list[ColumnElement[bool]]:
    return [Notification.user_id == person.id, Notification.ad_account_id.in_(person.accounts)]


def _note(row: Notification) -> Note:
    return Note(
        id=row.id,
        account_id=AdAccountId(row.ad_account_id),
        type=row.type,
        severity=row.severity,
        title=row.title,
        message=row.message,
        entity_type=row.related_entity_type,
        entity_id=row.related_entity_id,
        action_url=row.action_url,
        data=row.data or {},
        is_read=row.is_read,
        read_at=row.read_at,
        created_at=row.created_at,
    )
