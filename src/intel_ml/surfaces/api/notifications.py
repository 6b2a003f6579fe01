"""A person's notifications over HTTP (the plan's section 5.4).

Reads   notifications as stored.
Gives   the caller's own, newest first; marks them as read.
Never   shows or marks another person's.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from intel_ml.data.store.sessions import platform_now
from intel_ml.reporting import notifications as stored
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
    which = stored.Which.UNREAD if unread else stored.Which.ALL
    with platform.store.session() as session:
        notes = stored.notifications(session, person=person, which=which, limit=limit)
    return NotificationList(notifications=[note_out(note) for note in notes])


@router.get("/count")
def count_unread(person: Caller, platform: ThePlatform) -> UnreadCount:
    """Return how many are waiting."""
    with platform.store.session() as session:
        return UnreadCount(unread=stored.unread_count(session, person=person))


@router.post("/read-all")
def read_all(person: Caller, platform: ThePlatform) -> ReadAll:
    """Mark all as read."""
    with platform.store.session() as session:
        marked = stored.mark_all_read(session, person=person, now=platform_now(session))
        return ReadAll(marked=marked)


@router.post("/{notification_id}/read")
def read_one(
    notification_id: NotificationId, person: Caller, platform: ThePlatform
) -> NotificationOut:
    """Mark one as read; a second time changes nothing."""
    with platform.store.session() as session:
        note = stored.mark_read(
            session, person=person, notification_id=notification_id, now=platform_now(session)
        )
        return note_out(note)


def note_out(note: stored.Note) -> NotificationOut:
    """Return a notification ready for JSON."""
    return NotificationOut(
        id=note.id,
        account_id=note.account_id,
        type=note.type,
        severity=note.severity,
        title=note.title,
        message=note.message,
        related_entity_type=note.entity_type,
        related_entity_id=note.entity_id,
        action_url=note.action_url,
        data=dict(note.data),
        is_read=note.is_read,
        read_at=note.read_at,
        created_at=note.created_at,
    )
