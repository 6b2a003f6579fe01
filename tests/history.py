"""A month of two small accounts, written by the product's own writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ARMS, ActionStatus, Arm, action_of
from intel_ml.core.ids import AdAccountId, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.data.facts import Delivered, Described
from intel_ml.data.store.accounts import save_account
from intel_ml.data.store.entities import write_entities
from intel_ml.data.store.performance import write_daily
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.features.catalogue import features_hash
from intel_ml.learning import feedback
from intel_ml.learning.states import read_states

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = 34
_ADSETS = 8
_PROPOSED = {Arm.PAUSE: 0.3, Arm.MAINTAIN: 0.2, Arm.REDUCE_20: 0.2, Arm.SCALE_10: 0.3}


@dataclass(frozen=True, slots=True)
class Fate:
    """How a proposal ended: its status, and what the person said."""

    status: ActionStatus
    human: str | None


FATES = (
    Fate(ActionStatus.EXECUTED, "approved"),
    Fate(ActionStatus.EXECUTED, "approved"),
    Fate(ActionStatus.REJECTED, "rejected"),
    Fate(ActionStatus.EXPIRED, None),
    Fate(ActionStatus.PENDING_APPROVAL, None),
)


def account(number: int, *, currency: str = "EUR", zone: str = "Europe/Berlin") -> Account:
    target = Money(20_00 if currency == "EUR" else 3_000, currency)
    return Account(
        id=AdAccountId(f"act_{number}"),
        name=f"Account {number}",
        currency=currency,
        time_zone=zone,
        target_cpa=target,
        target_roas=2.0,
        mode=Mode.SHADOW,
        source="api",
        onboarded_at=NOW - timedelta(days=DAYS),
    )


ACCOUNTS = (account(101), account(102, currency="JPY", zone="Asia/Tokyo"))


def write_history(store: Store, accounts: Sequence[Account] = ACCOUNTS, *, seed: int = 0) -> None:
    """Save accounts, entities and `DAYS` closed days of delivery; set the clock to `NOW`."""
    draw = np.random.default_rng(seed)
    for one in accounts:
        with store.session() as session:
            save_account(session, one)
        with store.connection() as connection:
            set_clock(connection, now=NOW)
            write_entities(connection, _described(one), seen_at=NOW - timedelta(days=DAYS))
            for back in range(DAYS, 0, -1):
                day = (NOW - timedelta(days=back)).date()
                seen = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(
                    days=1, hours=10
                )
                write_daily(connection, _delivered(one, day, draw), seen_at=seen)


def write_decisions(store: Store, one: Account, *, days: int = 20, seed: int = 0) -> int:
    """Log a decision a day for each ad set, with proposal and fate; return how many."""
    draw = np.random.default_rng(seed)
    moments = [NOW - timedelta(days=back) for back in range(days, 0, -1)]
    with store.connection() as connection:
        states = read_states(connection, accounts=[one], as_of=moments)
        decisions, actions = [], []
        for row, (entity, moment) in enumerate(zip(states.entities, states.moments, strict=True)):
            if entity.type is not EntityType.ADSET:
                continue
            held = bool(draw.random() < 0.2)
            proposed = (
                Arm.MAINTAIN
                if held
                else Arm(str(draw.choice(list(_PROPOSED), p=list(_PROPOSED.values()))))
            )
            pmf = {
                arm.value: 0.8 * _PROPOSED.get(arm, 0.0) + (0.2 if arm is Arm.MAINTAIN else 0)
                for arm in ARMS
            }
            key = f"d-{one.id}-{entity.id}-{moment:%m%d}"
            decisions.append(
                {
                    "ad_account_id": one.id,
                    "decision_id": key,
                    "entity_type": "adset",
                    "entity_id": entity.id,
                    "as_of": moment,
                    "decided_at": moment,
                    "trigger": "cycle",
                    "mode": "shadow",
                    "state": states.state(row),
                    "features_hash": features_hash(),
                    "allowed": [True] * len(ARMS),
                    "rule_id": 7 if held or proposed is not Arm.MAINTAIN else None,
                    "proposed": proposed.value,
                    "proposal_pmf": pmf,
                    "propensity": pmf[proposed.value],
                    "is_held_out": held,
                    "is_explored": False,
                }
            )
            if proposed is not Arm.MAINTAIN:
                fate = FATES[int(draw.integers(len(FATES) - 1))]
                actions.append(
                    action_row(one, (key, str(entity.id), proposed), fate=fate, moment=moment)
                )
        connection.execute(insert(Decision), decisions)
        connection.execute(insert(AutomationAction), actions)
    return len(decisions)


def action_row(
    one: Account, of: tuple[str, str, Arm], *, fate: Fate, moment: datetime
) -> dict[str, object]:
    """Return the action that came of a decision; executed ones an hour after their proposal."""
    decision, entity, arm = of
    action = action_of(arm)
    executed = fate.status is ActionStatus.EXECUTED
    return {
        "ad_account_id": one.id,
        "key": f"k-{decision}",
        "decision_id": decision,
        "rule_id": 7,
        "rule_version": 1,
        "source": "rules",
        "entity_type": "adset",
        "entity_id": entity,
        "entity_name": f"Ad set {entity}",
        "action_type": action.type.value,
        "action_params": {} if action.percent is None else {"percent": action.percent},
        "value_before": {},
        "value_after": {},
        "status": fate.status.value,
        "reason": "test",
        "reasons": [],
        "triggered_metrics": {},
        "stake_minor": 100,
        "data_as_of": moment,
        "requires_approval": True,
        "approved_by": 1 if executed else None,
        "approved_at": moment + timedelta(minutes=30) if executed else None,
        "human_decision": fate.human,
        "executed_at": moment + timedelta(hours=1) if executed else None,
        "expires_at": moment + timedelta(hours=24),
        "created_at": moment,
        "updated_at": moment + timedelta(hours=1),
    }


def learn_from(store: Store, one: Account, *, days: int = 20) -> tuple[int, int]:
    """Record and measure day by day as the scheduler would; return how many rows and outcomes."""
    recorded = measured = 0
    for back in range(days - 1, -1, -1):
        now = NOW - timedelta(days=back)
        with store.connection() as connection:
            recorded += feedback.record(connection, account=one, now=now)
        measured += feedback.measure(store, account=one, now=now)
    return recorded, measured


def _described(one: Account) -> list[Described]:
    entities = [_entity(one, EntityType.CAMPAIGN, f"{one.id[4:]}9")]
    for number in range(_ADSETS):
        adset = f"{one.id[4:]}{number}"
        entities.append(_entity(one, EntityType.ADSET, adset))
        entities.append(_entity(one, EntityType.AD, f"{adset}0", adset=adset))
    return entities


def _entity(one: Account, kind: EntityType, key: str, *, adset: str | None = None) -> Described:
    return Described(
        account=one.id,
        type=kind,
        id=EntityId(key),
        name=f"{kind} {key}",
        configured_status="ACTIVE",
        effective_status="ACTIVE",
        campaign_id=EntityId(f"{one.id[4:]}9"),
        adset_id=EntityId(adset) if adset else None,
        daily_budget_minor=100_00 if kind is EntityType.ADSET else None,
        created_at=NOW - timedelta(days=60),
    )


def _delivered(one: Account, day: date, draw: np.random.Generator) -> list[Delivered]:
    rows = []
    for entity in _described(one):
        quality = (
            0.6 + 0.2 * (int(str(entity.id)[-1]) % 5)
            if entity.type is not EntityType.CAMPAIGN
            else 1.0
        )
        impressions = int(draw.integers(3_000, 6_000))
        clicks = int(draw.binomial(impressions, 0.015 * quality))
        conversions = int(draw.poisson(4 * quality))
        rows.append(
            Delivered(
                account=one.id,
                type=entity.type,
                id=entity.id,
                day=day,
                impressions=impressions,
                reach=int(impressions / draw.uniform(1.1, 2.5)),
                clicks=clicks,
                link_clicks=clicks,
                spend_minor=int(draw.integers(5_000, 10_000)),
                conversions=float(conversions),
                conversion_value_minor=int(conversions * draw.integers(2_000, 6_000)),
            )
        )
    return rows
