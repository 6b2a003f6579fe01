"""The append-only record of an action: every move, every request, every answer.

Reads   an action's keys.
Gives   one row an event.
Never   holds a token, and never changes a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.data.store.tables import ActionEvent, AutomationAction

EXECUTOR = "executor"
PLATFORM = "platform"
CYCLE = "decision cycle"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, when."""

    at: datetime
    actor: str
    kind: str
    detail: Mapping[str, Any]


def write(session: Session, action: AutomationAction, entry: Entry) -> None:
    """Append one event to the action's record."""
    session.execute(
        insert(ActionEvent).values(
            ad_account_id=action.ad_account_id,
            action_id=action.id,
            at=entry.at,
            kind=entry.kind,
            actor=entry.actor,
            detail=dict(entry.detail),
        )
    )


def move(  # noqa: PLR0913  # what is moved where, when, by whom and why
    session: Session,
    action: AutomationAction,
    to: ActionStatus,
    *,
    at: datetime,
    actor: str,
    why: str = "",
) -> None:
    """Move the action to a status and record who moved it.

    The database refuses what is not a legal move.
    """
    origin, action.status = action.status, to
    action.status_reason = why or None
    action.updated_at = at
    session.flush()
    detail = {"from": origin, "to": to} | ({"why": why} if why else {})
    write(session, action, Entry(at, actor, "transition", detail))
