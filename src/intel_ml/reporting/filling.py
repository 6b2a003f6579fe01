"""From actions to the cards that people read: what belongs to each is read once for all of them.

Reads   the decisions, rules, people, trends and earlier outcomes of many actions, a query each,
        never one a card.
Gives   `Card`s, in the order of the actions.
Never   asks who may see them: `queue` gives only what a person may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ActionStatus, ActionType, Arm, arm_of
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import IMITATION, Reason, Source
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.tables import (
    ActionEvent,
    AutomationAction,
    AutomationRule,
    Decision,
    User,
)
from intel_ml.operations import switches
from intel_ml.operations.approvals import action_from
from intel_ml.operations.values import STATUS_TYPES, Value, touches_same, value_of
from intel_ml.operations.wording import headline
from intel_ml.reporting import sentences
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.reporting.similar import Evidence, evidence, expected, similar
from intel_ml.reporting.trends import trends


@dataclass(frozen=True, slots=True)
class _Around:
    """What belongs to many cards, read once."""

    accounts: dict[AdAccountId, Account]
    decisions: dict[str, Decision]
    rules: dict[int, str]
    people: dict[int, str]
    rejected: dict[int, tuple[str, datetime]]
    stopped: str | None
    set_last: dict[tuple[Entity, bool], Value]
    trends: dict[Entity, tuple[TrendPoint, ...]]
    evidence: Evidence


def filled(session: Session, rows: Sequence[AutomationAction], *, now: datetime) -> list[Card]:
    """Return the card of each action."""
    if not rows:
        return []
    around = _around(session, rows, now=now)
    return [_card(row, around, now=now) for row in rows]


def _around(session: Session, rows: Sequence[AutomationAction], *, now: datetime) -> _Around:
    ids = sorted({row.ad_account_id for row in rows})
    accounts = {one.id: one for one in account_rows.accounts(session) if one.id in ids}
    decisions = session.scalars(
        select(Decision).where(
            Decision.ad_account_id.in_(ids),
            Decision.decision_id.in_([row.decision_id for row in rows if row.decision_id]),
        )
    )
    rules = session.execute(
        select(AutomationRule.id, AutomationRule.name).where(
            AutomationRule.ad_account_id.in_(ids),
            AutomationRule.id.in_({row.rule_id for row in rows if row.rule_id}),
        )
    )
    people = session.execute(
        select(User.id, User.name).where(
            User.id.in_({row.approved_by for row in rows if row.approved_by})
        )
    )
    # Oldest first, so that of an action's transitions the last, the rejection, stays.
    refused = session.execute(
        select(ActionEvent.action_id, ActionEvent.actor, ActionEvent.at)
        .where(
            ActionEvent.ad_account_id.in_(ids),
            ActionEvent.kind == "transition",
            ActionEvent.action_id.in_([r.id for r in rows if r.status == ActionStatus.REJECTED]),
        )
        .order_by(ActionEvent.id)
    )
    entities = list(dict.fromkeys(_entity(row) for row in rows))
    return _Around(
        accounts=accounts,
        decisions={one.decision_id: one for one in decisions},
        rules={row.id: row.name for row in rules},
        people={row.id: row.name for row in people},
        stopped=_stopped(session, rows),
        rejected={action_id: (actor, at) for action_id, actor, at in refused},
        set_last=_set_last(session, rows),
        trends=trends(session, entities, accounts=accounts, now=now),
        evidence=evidence(session, ids, now=now),
    )


def _stopped(session: Session, rows: Sequence[AutomationAction]) -> str | None:
    """Return why approved changes wait, None where none is approved or none has to wait."""
    if any(row.status == ActionStatus.APPROVED for row in rows):
        return switches.halted(switches.switch(session))
    return None


def _set_last(
    session: Session, rows: Sequence[AutomationAction]
) -> dict[tuple[Entity, bool], Value]:
    """Return what was last set of each entity, apart for status (true) and budget."""
    done = [row for row in rows if row.status == ActionStatus.EXECUTED]
    if not done:
        return {}
    # Oldest first, so that of what set the same thing the last stays.
    found = session.scalars(
        select(AutomationAction)
        .where(
            AutomationAction.ad_account_id.in_({row.ad_account_id for row in done}),
            AutomationAction.entity_id.in_({row.entity_id for row in done}),
            AutomationAction.status == ActionStatus.EXECUTED,
        )
        .order_by(AutomationAction.executed_at, AutomationAction.id)
    )
    return {_set(row): value_of(row.value_after) for row in found}


def _set(row: AutomationAction) -> tuple[Entity, bool]:
    return _entity(row), row.action_type in STATUS_TYPES


def _may_undo(row: AutomationAction, around: _Around) -> bool:
    last = around.set_last.get(_set(row))
    if row.status != ActionStatus.EXECUTED or last is None:
        return False
    return touches_same(last, value_of(row.value_after), ActionType(row.action_type))


def _card(row: AutomationAction, around: _Around, *, now: datetime) -> Card:
    entity = _entity(row)
    account = around.accounts[entity.account]
    action = action_from(row.action_type, row.action_params)
    decision = around.decisions.get(row.decision_id or "")
    person = around.people.get(row.approved_by or 0)
    who, at = around.rejected.get(row.id, (person, row.approved_at))
    policy_arm = Arm(decision.policy_arm) if decision is not None and decision.policy_arm else None
    agrees = None if policy_arm is None else policy_arm is arm_of(action)
    reasons = tuple(_reason(one) for one in row.reasons)
    seen = around.evidence
    hoped = expected(seen, account_id=entity.account, rule_id=row.rule_id, action=action)
    return Card(
        account_id=entity.account,
        account_name=account.name,
        time_zone=account.time_zone,
        currency=account.currency,
        action_id=row.id,
        entity_type=entity.type,
        entity_id=entity.id,
        entity_name=row.entity_name,
        action_type=action.type,
        percent=action.percent,
        headline=headline(action, level=entity.type, name=row.entity_name),
        why=sentences.why(row),
        reasons=reasons,
        trend=around.trends[entity],
        expected=sentences.expectation(hoped, decision),
        proposer=sentences.proposer(
            row, rule=around.rules.get(row.rule_id or 0), person=person, decision=decision
        ),
        rule_id=row.rule_id,
        decision_id=row.decision_id,
        policy_arm=policy_arm,
        policy_confidence=decision.policy_confidence if decision else None,
        policy_pmf={Arm(arm): p for arm, p in (decision.policy_pmf or {}).items()}
        if decision
        else {},
        policy_version=f"{decision.policy_name} {decision.policy_version}"
        if policy_arm and decision
        else None,
        policy_says=sentences.policy_view(decision, agrees=agrees),
        agrees=agrees,
        similar=similar(
            around.evidence,
            account_id=entity.account,
            rule_id=row.rule_id,
            kind=action.type,
            cases=sentences.nearest_cases(decision),
        ),
        stake=Money(row.stake_minor, account.currency),
        value_before=value_of(row.value_before),
        value_after=value_of(row.value_after),
        source=Source(row.source),
        held_out=bool(decision and decision.is_held_out),
        created_at=row.created_at,
        expires_at=row.expires_at,
        status=ActionStatus(row.status),
        says=sentences.what_happens(row, who=who, at=at, now=now, stopped=around.stopped),
        decided_by=who,
        decided_at=at,
        executed_at=row.executed_at,
        alone=sentences.alone(row),
        was_alone=not row.requires_approval,
        imitates=decision is not None and decision.policy_name == IMITATION,
        may_undo=_may_undo(row, around),
    )


def _entity(row: AutomationAction) -> Entity:
    return Entity(
        AdAccountId(row.ad_account_id), EntityType(row.entity_type), EntityId(row.entity_id)
    )


def _reason(stored: dict[str, Any]) -> Reason:
    return Reason(**{name: stored[name] for name in Reason.__slots__ if name in stored})
