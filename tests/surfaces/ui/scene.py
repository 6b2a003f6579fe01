"""Two tenants with something to decide, and what a browser would send."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from intel_ml.core.accounts import Account, Person
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import (
    AutomationAction,
)
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.auth import COOKIE_NAME, session_cookie
from intel_ml.surfaces.ui.pages import Pages
from intel_ml.surfaces.ui.people import Door

SECRET = secrets.token_urlsafe(32)
EVIL = "<script>window.owned=1</script>"
ACCOUNTS = (("act_1", "USD", "America/New_York"), ("act_2", "JPY", "Asia/Tokyo"))


def pages_of(store: Store) -> Pages:
    with store.session() as session:
        now = platform_now(session)
        for account_id, currency, zone in ACCOUNTS:
            account_rows.save_account(
                session,
                Account(
                    id=AdAccountId(account_id),
                    name=f"Shop {currency} {EVIL}",
                    currency=currency,
                    time_zone=zone,
                    target_cpa=Money(2000, currency),
                    target_roas=2.0,
                    mode=Mode.SHADOW,
                    source="api",
                    onboarded_at=now - timedelta(days=40),
                ),
            )
        for name, role in (
            ("anna", Role.OPERATOR),
            ("boris", Role.APPROVER),
            ("vera", Role.VIEWER),
        ):
            user_id = account_rows.save_person(session, name=name, password_hash=name, now=now)
            account_rows.grant(session, user_id=user_id, account_id="act_1", role=role)
        for number, (account_id, currency, _) in enumerate(ACCOUNTS):
            session.add(action_of(account_id, currency=currency, number=number, now=now))
    return Pages(Door(store, SECRET), Limits())


def action_of(account_id: str, *, currency: str, number: int, now: datetime) -> AutomationAction:
    before = {"daily_budget_minor": 5000, "status": "ACTIVE", "currency": currency}
    return AutomationAction(
        ad_account_id=account_id,
        key=f"key-{number}",
        source="rules",
        rule_version=1,
        entity_type="adset",
        entity_id=f"12{number}",
        entity_name=EVIL,
        action_type="decrease_budget",
        action_params={"percentage": 20},
        value_before=before,
        value_after=before | {"daily_budget_minor": 4000},
        status="pending_approval",
        reason=f"too expensive {EVIL}",
        reasons=[{"text": EVIL}],
        triggered_metrics={},
        stake_minor=9000,
        data_as_of=now,
        expires_at=now + timedelta(hours=5),
        created_at=now - timedelta(minutes=5),
        updated_at=now,
    )


def person_of(store: Store, name: str) -> Person:
    with store.session() as session:
        found = account_rows.person_named(session, name)
    assert found is not None
    return found[0]


def cookies_of(store: Store, name: str) -> dict[str, str]:
    return {COOKIE_NAME: session_cookie(person_of(store, name), SECRET, datetime.now(UTC))}


def row_of(store: Store, account_id: str = "act_1") -> AutomationAction:
    with store.session() as session:
        return session.scalars(
            select(AutomationAction).where(AutomationAction.ad_account_id == account_id)
        ).one()


def key_of(store: Store) -> str:
    return f"act_1:{row_of(store).id}"


def asked(store: Store, kind: str, **more: Any) -> dict[str, Any]:
    row = row_of(store)
    return {"page": "approvals", "kind": kind, "key": f"act_1:{row.id}", **more}
