"""A small tenant world: two accounts, an ad set and a waiting proposal each, and their people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from intel_ml.core.accounts import Account
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store.accounts import create_token, grant, save_account, save_person
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import (
    AutomationAction,
    AutomationRule,
    CollectionRun,
    EntityRow,
    EntityState,
    Notification,
)
from intel_ml.features.catalogue import features_hash

OURS, THEIRS = AdAccountId("act_101"), AdAccountId("act_202")
OUR_ADSET, THEIR_ADSET = "120010000001", "220010000001"
COSTLY = {"spend": 68.5, "spend_7d": 300.0, "conversions": 0.0, "impressions": 4200.0, "ctr": 0.9}
STOP_LOSS: dict[str, Any] = {
    "operator": "AND",
    "rules": [
        {"field": "spend", "operator": ">", "value": 50},
        {"field": "conversions", "operator": "=", "value": 0},
        {"field": "impressions", "operator": ">", "value": 1000},
    ],
}


@dataclass(frozen=True)
class Tenants:
    """Tokens by role, and the ids of what is in the database."""

    tokens: dict[str, str]
    our_action: int
    their_action: int
    our_rule: int
    their_rule: int
    our_notification: int
    their_notification: int

    def auth(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}


def make_tenants(store: Store) -> Tenants:
    now = store.now()
    made: dict[str, list[int]] = {"action": [], "rule": [], "notification": []}
    tokens: dict[str, str] = {}
    with store.session() as session:
        for account_id, name in ((OURS, "Shop"), (THEIRS, "Rival")):
            save_account(
                session,
                Account(
                    id=account_id, name=name, currency="USD", time_zone="Europe/Berlin",
                    target_cpa=Money(20_00, "USD"), target_roas=2.5, mode=Mode.SHADOW, source="api",
                    onboarded_at=now - timedelta(days=40),
                ),
            )  # fmt: skip
        people = {
            "viewer": OURS,
            "approver": OURS,
            "operator": OURS,
            "admin": OURS,
            "stranger": THEIRS,
        }
        ids = {}
        for who, account_id in people.items():
            ids[who] = save_person(session, name=who, password_hash="-", now=now)  # noqa: S106  # nobody logs in
            role = Role.ADMIN if who == "stranger" else Role(who)
            grant(session, user_id=ids[who], account_id=account_id, role=role)
            tokens[who] = create_token(session, user_id=ids[who], name="test")
        for account_id, adset, owner in (
            (OURS, OUR_ADSET, "admin"),
            (THEIRS, THEIR_ADSET, "stranger"),
        ):
            session.add(
                EntityRow(
                    ad_account_id=account_id, entity_type="adset", entity_id=adset,
                    name="Summer Sale",
                    campaign_id="c1", configured_status="ACTIVE", effective_status="ACTIVE",
                    daily_budget_minor=50_00, seen_at=now,
                )
            )  # fmt: skip
            session.add(
                CollectionRun(
                    ad_account_id=account_id, as_of=now, started_at=now, took_ms=5, status="done",
                    calls=1, rows=1, quarantined=0,
                )
            )  # fmt: skip
            session.add(
                EntityState(
                    ad_account_id=account_id, entity_type="adset", entity_id=adset, as_of=now,
                    state=COSTLY, features_hash=features_hash(),
                )
            )  # fmt: skip
            rule = AutomationRule(
                ad_account_id=account_id, name="Zero Conversions Stop Loss",
                category="loss_prevention",
                conditions=STOP_LOSS, action_type="pause", action_params={}, version=3,
                execution_mode="approval_required", applies_to="adset", is_active=True, priority=0,
                created_at=now, updated_at=now,
            )  # fmt: skip
            action = AutomationAction(
                ad_account_id=account_id, key=f"k-{account_id}", source="rules",
                entity_type="adset",
                entity_id=adset, entity_name="Summer Sale", action_type="pause", action_params={},
                value_before={"daily_budget_minor": 5000, "status": "ACTIVE", "currency": "USD"},
                value_after={"daily_budget_minor": 5000, "status": "PAUSED", "currency": "USD"},
                status="pending_approval", reason="spent 68.50 USD with no purchase",
                reasons=[{"text": "spent 68.50 USD with no purchase"}],
                triggered_metrics={"spend": 68.5},
                stake_minor=50_00, data_as_of=now, expires_at=now + timedelta(hours=24),
                created_at=now, updated_at=now,
            )  # fmt: skip
            note = Notification(
                ad_account_id=account_id, user_id=ids[owner], type="alert", severity="warning",
                title="Spending without purchases", message="Look at Summer Sale.", created_at=now,
            )  # fmt: skip
            session.add_all([rule, action, note])
            session.flush()
            made["rule"].append(rule.id)
            made["action"].append(action.id)
            made["notification"].append(note.id)
    return Tenants(tokens, *made["action"], *made["rule"], *made["notification"])
