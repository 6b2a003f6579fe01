"""One account on a Graph that remembers its writes, two approvers, and actions to try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store import accounts
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import (
    ActionEvent,
    AutomationAction,
    CollectionRun,
    EntityRow,
    EntityVersion,
)
from intel_ml.operations import switches, values
from intel_ml.operations.access import WriteAccess
from intel_ml.operations.approvals import params
from intel_ml.operations.dispatcher import drain
from intel_ml.operations.limits import Limits
from tests.operations.graph import Graph, serving

TOKEN = "EAAwritewritewritewrite"  # noqa: S105  # the Graph of the tests takes any
CUT = Action(ActionType.DECREASE_BUDGET, -20)
PAUSE = Action(ActionType.PAUSE)


@dataclass
class Desk:
    """Everything a test of acting needs."""

    store: Store
    graph: Graph
    account: Account
    ana: Person
    bob: Person
    stranger: Person
    limits: Limits = field(default_factory=lambda: Limits(cooldown_hours=4))

    @property
    def access(self) -> WriteAccess:
        return WriteAccess(self.graph.url, TOKEN)

    def now(self) -> datetime:
        return self.store.now()

    def propose(
        self,
        entity: str = "11",
        action: Action = CUT,
        *,
        status: ActionStatus = ActionStatus.APPROVED,
        **changes: Any,
    ) -> int:
        """Insert one action as the cycle would, approved unless said otherwise; return its id."""
        seen = self.graph.entities[entity]
        budget = int(seen["daily_budget"]) if "daily_budget" in seen else None
        before = values.Value(self.account.currency, budget, seen["status"])
        with self.store.session() as session:
            now = platform_now(session)
            row = AutomationAction(
                ad_account_id=self.account.id,
                key=f"k-{entity}-{now.timestamp()}",
                source="policy",
                entity_type="ad" if entity.startswith("9") else "adset",
                entity_id=entity,
                entity_name=f"Ad set {entity}",
                action_type=action.type,
                action_params=params(action),
                value_before=before.as_json(),
                value_after=values.after(before, action).as_json(),
                status=status,
                requires_approval=True,
                approved_by=self.ana.id if status is not ActionStatus.PENDING_APPROVAL else None,
                approved_at=now if status is not ActionStatus.PENDING_APPROVAL else None,
                reason="It costs too much.",
                reasons=[{"text": "it costs too much"}],
                triggered_metrics={},
                stake_minor=100,
                data_as_of=now,
                expires_at=now + timedelta(hours=24),
                created_at=now,
                updated_at=now,
            )
            for name, value in changes.items():
                setattr(row, name, value)
            session.add(row)
            session.flush()
            return row.id

    def drain(self, limits: Limits | None = None) -> int:
        return drain(self.store, self.access, limits or self.limits, enabled=True)

    def action(self, action_id: int) -> AutomationAction:
        with self.store.session() as session:
            return session.get_one(AutomationAction, (self.account.id, action_id))

    def events(self, action_id: int, kind: str) -> list[ActionEvent]:
        with self.store.session() as session:
            found = session.scalars(
                select(ActionEvent)
                .where(ActionEvent.action_id == action_id, ActionEvent.kind == kind)
                .order_by(ActionEvent.id)
            )
            return list(found)

    def action_is_free(self, entity: str) -> bool:
        with self.store.session() as session:
            return not session.scalars(
                select(AutomationAction.id).where(
                    AutomationAction.entity_id == entity,
                    AutomationAction.status.in_(("pending_approval", "approved", "executing")),
                )
            ).all()

    def ready(self, action_id: int) -> None:
        """Let a waiting action be taken up at once."""
        with self.store.session() as session:
            session.get_one(AutomationAction, (self.account.id, action_id)).execution_result = None

    def collected(self, *, at: datetime) -> None:
        with self.store.session() as session:
            session.add(
                CollectionRun(
                    ad_account_id=self.account.id,
                    as_of=at,
                    started_at=at,
                    took_ms=1,
                    status="done",
                    calls=1,
                    rows=1,
                    quarantined=0,
                )
            )

    def count(self, model: Any) -> int:
        with self.store.session() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def graph() -> Iterator[Graph]:
    with serving() as one:
        yield one


@pytest.fixture
def desk(store: Store, graph: Graph) -> Desk:
    now = store.now()
    account = Account(
        id=AdAccountId("act_1"),
        name="Shoes",
        currency="USD",
        time_zone="UTC",
        target_cpa=Money(2000, "USD"),
        target_roas=None,
        mode=Mode.SHADOW,
        source="api",
        onboarded_at=now - timedelta(days=10),
    )
    other = AdAccountId("act_2")
    with store.session() as session:
        accounts.save_account(session, account)
        names = ("Ana", "Bob", "Zoe")
        ids = [accounts.save_person(session, name=one, password_hash=one, now=now) for one in names]
        for user in ids[:2]:
            accounts.grant(session, user_id=user, account_id=account.id, role=Role.APPROVER)
        switches.revive(session, reason="test", by="test")
        for number in (*range(11, 23), 91):
            session.add_all(_entity(account, str(number), now))
        session.add_all(_entity(account, "5", now, kind="campaign"))
    for number in range(11, 23):
        graph.entities[str(number)] = {
            "id": str(number),
            "campaign_id": "5",
            "status": "ACTIVE",
            "effective_status": "ACTIVE",
            "daily_budget": "5000",
        }
    graph.entities["91"] = {
        "id": "91",
        "adset_id": "11",
        "campaign_id": "5",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
    }
    graph.entities["5"] = {"id": "5", "status": "ACTIVE", "effective_status": "ACTIVE"}
    ana, bob = (
        Person(i, n, ((account.id, Role.APPROVER),))
        for i, n in zip(ids, names, strict=False)
        if n != "Zoe"
    )
    desk = Desk(store, graph, account, ana, bob, Person(ids[2], "Zoe", ((other, Role.ADMIN),)))
    desk.collected(at=now)
    return desk


def _entity(
    account: Account, key: str, now: datetime, kind: str = "adset"
) -> tuple[EntityRow, EntityVersion]:
    kind = "ad" if key.startswith("9") else kind
    who = {"ad_account_id": account.id, "entity_type": kind, "entity_id": key, "seen_at": now}
    told = {
        "effective_status": "ACTIVE",
        "daily_budget_minor": 5000 if kind == "adset" else None,
    }
    entity = EntityRow(
        **who,
        **told,
        campaign_id=None if kind == "campaign" else "5",
        adset_id="11" if kind == "ad" else None,
        name=f"Ad set {key}",
        configured_status="ACTIVE",
    )
    return entity, EntityVersion(**who, **told)
