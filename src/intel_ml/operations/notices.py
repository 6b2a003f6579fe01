"""What is said to the members of an account, once.

Reads   memberships.
Gives   one notification a member, none where the same key was said before.
Never   decides what is worth saying: callers do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.recommendations import Role

_SAY = text(
    """
    INSERT INTO intel_notification (ad_account_id, user_id, type, severity, title, message,
        related_entity_type, related_entity_id, action_url, data, is_read, created_at)
    SELECT :account, member.user_id, said.type, said.severity, said.title, said.message,
        said.entity_type, said.entity_id, said.action_url, said.data, false, :now
    FROM jsonb_to_recordset(CAST(:said AS jsonb)) AS said(type text, severity text, title text,
        message text, entity_type text, entity_id text, action_url text, data jsonb, roles jsonb)
    JOIN intel_membership AS member ON member.ad_account_id = :account
        AND jsonb_exists(said.roles, member.role)
    WHERE said.data ->> 'key' IS NULL OR NOT EXISTS (
        SELECT FROM intel_notification AS earlier
        WHERE earlier.ad_account_id = :account AND earlier.user_id = member.user_id
          AND earlier.data ->> 'key' = said.data ->> 'key')
    """
)


def action_page(account_id: str, action_id: int) -> str:
    """Return where the pages show one action."""
    return f"/?{urlencode({'action': action_id, 'account': account_id})}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing worth knowing; `key` makes it be said once only, `roles` to those members only."""

    type: str
    severity: str
    title: str
    message: str
    entity_type: str | None = None
    entity_id: str | None = None
    action_url: str | None = None
    key: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    roles: tuple[Role, ...] = tuple(Role)


def say(session: Session, *, account_id: str, notices: Sequence[Notice], now: datetime) -> int:
    """Tell every member of the account; return how many notifications that made."""
    if not notices:
        return 0
    said = [
        {
            "type": notice.type,
            "severity": notice.severity,
            "title": notice.title,
            "message": notice.message,
            "entity_type": notice.entity_type,
            "entity_id": notice.entity_id,
            "action_url": notice.action_url,
            "data": {**notice.data, **({"key": notice.key} if notice.key else {})},
            "roles": notice.roles,
        }
        for notice in notices
    ]
    result = session.execute(_SAY, {"account": account_id, "now": now, "said": json.dumps(said)})
    return int(result.rowcount)  # type: ignore[attr-defined]  # the result of an INSERT has one
