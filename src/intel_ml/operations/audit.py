"""One action's story, oldest first: who did what, when, and what the platform said.

Reads   the journal of one action.
Gives   events with a sentence each.
Never   shows an account's action to someone who may not see the account: callers pass what they
        checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import NotFoundError
from intel_ml.data.store.tables import ActionEvent, AutomationAction
from intel_ml.operations.wording import STATUS_WORDS


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the journal."""

    at: datetime
    kind: str
    actor: str
    says: str
    detail: Mapping[str, Any]


def trail(session: Session, *, action_id: int, account_id: str | None = None) -> list[Event]:
    """Return all that happened to an action.

    Without an account, whichever has it (operators only).
    """
    wanted = select(AutomationAction.ad_account_id).where(AutomationAction.id == action_id)
    if account_id is not None:
        wanted = wanted.where(AutomationAction.ad_account_id == account_id)
    account = session.scalar(wanted)
    if account is None:
        raise NotFoundError(f"There is no action {action_id}.")
    rows = session.scalars(
        select(ActionEvent)
        .where(ActionEvent.ad_account_id == account, ActionEvent.action_id == action_id)
        .order_by(ActionEvent.id)
    )
    return [Event(row.at, row.kind, row.actor, _sentence(row), row.detail) for row in rows]


def _sentence(row: ActionEvent) -> str:
    detail = row.detail
    why = f": {detail['why']}" if detail.get("why") else ""
    if row.kind == "transition":
        return f"{STATUS_WORDS[ActionStatus(detail['to'])].capitalize()}{why}"
    return {
        "intent": "About to change the account",
        "request": "Sent the change to the platform",
        "answer": _answer(detail),
        "guard": f"Held back by {detail.get('guard', 'a guard')}{why}",
        "read_back": f"Read the platform back: {detail.get('read', 'no answer')}",
    }.get(row.kind, f"Note{why}")


def _answer(detail: Mapping[str, Any]) -> str:
    answer = detail.get("answer")
    if isinstance(answer, Mapping) and answer.get("success") is True:
        return "The platform took the change"
    return f"No clear answer: {detail.get('error', 'nothing came back')}"
