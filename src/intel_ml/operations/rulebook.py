"""The rules of an account, in and out of the database.

Reads   `intel_automation_rule`.
Gives   parsed `Rule` values, and the plan's default rules for a new account.
Never   evaluates one: that is `judgement.rules`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.data.store.tables import AutomationRule
from intel_ml.judgement.rules.language import Rule, parse_rule, rule_json
from intel_ml.judgement.rules.templates import default_rules

_STORED = (
    "name",
    "description",
    "category",
    "conditions",
    "action_type",
    "action_params",
    "execution_mode",
    "applies_to",
    "is_active",
    "priority",
)


def rules(session: Session, account_id: str) -> list[Rule]:
    """Return the rules in force, by id."""
    rows = session.scalars(
        select(AutomationRule)
        .where(
            AutomationRule.ad_account_id == account_id,
            AutomationRule.is_active,
            AutomationRule.deleted_at.is_(None),
        )
        .order_by(AutomationRule.id)
    )
    return [_rule(row) for row in rows]


def rule(session: Session, account_id: str, rule_id: int) -> Rule | None:
    """Return one rule as it is now, active or not; None when it was deleted."""
    row = session.get(AutomationRule, (account_id, rule_id))
    return None if row is None or row.deleted_at is not None else _rule(row)


def install_defaults(session: Session, account: Account, *, now: datetime) -> int:
    """Give a new account the default rules; return how many of them it did not have yet."""
    values = [_values(one, account_id=account.id, now=now) for one in default_rules(account)]
    if not values:
        return 0
    added = session.execute(
        insert(AutomationRule)
        .values(values)
        .on_conflict_do_nothing(
            index_elements=["ad_account_id", "name"],
            index_where=AutomationRule.deleted_at.is_(None),
        )
        .returning(AutomationRule.id)
    )
    return len(added.all())


def _values(one: Rule, *, account_id: str, now: datetime) -> dict[str, Any]:
    json = rule_json(one)
    stored = {name: json.get(name) for name in _STORED}
    stored["action_params"] = stored["action_params"] or {}
    return stored | {
        "ad_account_id": account_id,
        "version": 1,
        "times_triggered": 0,
        "times_executed": 0,
        "created_at": now,
        "updated_at": now,
    }


def _rule(row: AutomationRule) -> Rule:
    return parse_rule(
        {name: getattr(row, name) for name in _STORED} | {"id": row.id, "version": row.version}
    )
