"""The kill switch: whether anything may act at all, re-read before each change.

Reads   `intel_switch`.
Gives   whether acting is allowed; a missing row means that it is not.
Never   switches itself back on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import Switch

ACTING = "acting"


@dataclass(frozen=True, slots=True)
class SwitchState:
    """The switch as last set: by whom, when, why."""

    is_on: bool
    reason: str
    set_by: str
    set_at: datetime


def acting_allowed(session: Session | Connection) -> bool:
    """Return whether the switch allows acting, as committed at this moment."""
    return bool(session.execute(select(Switch.is_on).where(Switch.name == ACTING)).scalar())


def switch(session: Session) -> SwitchState | None:
    """Return the switch as last set, None when nobody ever set it (and then nothing acts)."""
    columns = (Switch.is_on, Switch.reason, Switch.set_by, Switch.set_at)
    row = session.execute(select(*columns).where(Switch.name == ACTING)).one_or_none()
    return None if row is None else SwitchState(*row)


def halted(state: SwitchState | None) -> str | None:
    """Return why no change is made at present, None while changes are made."""
    if state is None:
        return "changes were never switched on; an operator does with `intel-ml revive`"
    if state.is_on:
        return None
    return f"{state.set_by} stopped all changes: {state.reason.rstrip('.')}"


def soon(session: Session, says: str) -> str:
    """Return when a change that was just asked for is made: `says`, or that it waits, and why."""
    why = halted(switch(session))
    return says if why is None else f"It waits: {why}. It is made once changes are made again."


def kill(session: Session, *, reason: str, by: str) -> None:
    """Stop every change, within seconds and in every process."""
    _set(session, SwitchState(is_on=False, reason=reason, set_by=by, set_at=platform_now(session)))


def revive(session: Session, *, reason: str, by: str) -> None:
    """Allow changes again."""
    _set(session, SwitchState(is_on=True, reason=reason, set_by=by, set_at=platform_now(session)))


def _set(session: Session, state: SwitchState) -> None:
    values = {
        "is_on": state.is_on,
        "reason": state.reason,
        "set_by": state.set_by,
        "set_at": state.set_at,
    }
    statement = insert(Switch).values(name=ACTING, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
