"""The proposals of a person's accounts.

Waiting ones by what is at stake, decided ones with what came of them.

Reads   actions with their decisions, rules, people, trends and earlier outcomes, a query each,
        never one a card.
Gives   `Card`s.
Never   shows an account that the person has no role for: what is foreign does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import ActionStatus, ActionType, Arm, arm_of
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import IMITATION, Reason, Role, Source
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.tables import (
    ActionEvent,
    AdAccount,
    AutomationAction,
    AutomationRule,
    Decision,
    User,
)
from intel_ml.operations import switches
from intel_ml.operations.approvals import action_from
from intel_ml.operations.values import budget_floor, value_of
from intel_ml.operations.wording import headline
from intel_ml.reporting import sentences
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.reporting.similar import Evidence, evidence, expected, similar
from intel_ml.reporting.trends import trends

__all__ = [
    "ActionStats",
    "Card",
    "TrendPoint",
    "Waiting",
    "card",
    "history",
    "pending_cards",
    "stats",
    "waiting",
    "what_happened",
]

_MOST_READ = 1000
_SEARCHED = (
    AutomationAction.entity_name,
    AutomationAction.reason,
    AutomationAction.action_type,
    AutomationAction.entity_type,
    AutomationAction.ad_account_id,
)

#: The first word of a headline, by which a proposal is looked for too.
_VERBS = {
    "raise": ActionType.INCREASE_BUDGET,
    "cut": ActionType.DECREASE_BUDGET,
    "pause": ActionType.PAUSE,
    "switch": ActionType.ACTIVATE,
}


@dataclass(frozen=True, slots=True)
class ActionStats:
    """What became of the proposals of some days."""

    proposed: int
    pending: int
    approved: int
    rejected: int
    executed: int
    failed: int
    expired: int
    held_out: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for an answer in one account."""

    account_id: AdAccountId
    proposals: int
    stake: Money


def waiting(session: Session, *, person: Person, now: datetime) -> list[Waiting]:
    """Return what waits in each account of the person that has anything, most at stake first."""
    currency = AutomationAction.value_before["currency"].astext
    rows = session.execute(
        select(
            AutomationAction.ad_account_id,
            currency.label("currency"),
            func.count().label("number"),
            func.sum(AutomationAction.stake_minor).label("stake"),
        )
        .where(
            *_visible(person, None),
            AutomationAction.status == ActionStatus.PENDING_APPROVAL,
            AutomationAction.expires_at > now,
        )
        .group_by(AutomationAction.ad_account_id, currency)
    )
    found = [
        Waiting(AdAccountId(row.ad_account_id), row.number, Money(int(row.stake), row.currency))
        for row in rows
    ]
    return sorted(found, key=lambda one: -one.stake.minor / budget_floor(one.stake.currency).minor)


def pending_cards(  # noqa: PLR0913  # whose, when, and three ways to narrow it
    session: Session,
    *,
    person: Person,
    now: datetime,
    account_id: str | None = None,
    search: str | None = None,
    limit: int = 100,
) -> list[Card]:
    """Return what waits for this person: most at stake first, then least time left."""
    wanted = [
        *_visible(person, account_id),
        AutomationAction.status == ActionStatus.PENDING_APPROVAL,
        AutomationAction.expires_at > now,
        *_matching(search),
    ]
    rows = list(session.scalars(select(AutomationAction).where(*wanted).limit(_MOST_READ)))
    rows.sort(key=lambda row: (-_stake_units(row), row.expires_at, row.id))
    return _cards(session, rows[:limit], now=now)


def card(
    session: Session, *, person: Person, account_id: str, action_id: int, now: datetime
) -> Card:
    """Return one card, whatever its status."""
    row = session.scalar(
        select(AutomationAction).where(
            *_visible(person, account_id), AutomationAction.id == action_id
        )
    )
    if row is None:
        raise NotFoundError(f"There is no action {action_id} in an account of yours.")
    return _cards(session, [row], now=now)[0]


def history(  # noqa: PLR0913  # whose, when, and three ways to narrow it
    session: Session,
    *,
    person: Person,
    now: datetime,
    days: int = 7,
    status: ActionStatus | None = None,
    account_id: str | None = None,
    limit: int = 100,
) -> list[Card]:
    """Return the actions of the last `days`, newest first, of one status or of all."""
    wanted = [
        *_visible(person, account_id),
        AutomationAction.created_at > now - timedelta(days=days),
    ]
    if status is not None:
        wanted.append(AutomationAction.status == status)
    newest = (
        select(AutomationAction)
        .where(*wanted)
        .order_by(AutomationAction.updated_at.desc())
        .limit(limit)
    )
    return _cards(session, list(session.scalars(newest)), now=now)


def what_happened(
    session: Session, *, person: Person, account_id: str, action_id: int, now: datetime
) -> str:
    """Return what happens next with an action, or what happened, in words."""
    return card(session, person=person, account_id=account_id, action_id=action_id, now=now).says


def stats(
    session: Session, *, person: Person, now: datetime, days: int = 7, account_id: str | None = None
) -> ActionStats:
    """Return how many proposals of the last `days` met which fate."""
    since = now - timedelta(days=days)
    grouped = session.execute(
        select(AutomationAction.status, func.count().label("number"))
        .where(*_visible(person, account_id), AutomationAction.created_at > since)
        .group_by(AutomationAction.status)
    )
    counts: dict[str, int] = {row.status: row.number for row in grouped}
    held = session.scalar(
        select(func.count())
        .select_from(Decision)
        .where(
            Decision.ad_account_id.in_(_accounts(person, account_id)),
            Decision.as_of > since,
            Decision.is_held_out,
        )
    )
    executed = counts.get("executed", 0) + counts.get("undone", 0)
    return ActionStats(
        proposed=sum(counts.values()),
        pending=counts.get("pending_approval", 0),
        approved=executed
        + sum(counts.get(one, 0) for one in ("approved", "executing", "failed", "needs_review")),
        rejected=counts.get("rejected", 0),
        executed=executed,
        failed=counts.get("failed", 0) + counts.get("needs_review", 0),
        expired=counts.get("expired", 0) + counts.get("stale", 0),
        held_out=held or 0,
    )


def _accounts(person: Person, account_id: str | None) -> list[str]:
    if account_id is None:
        return list(person.accounts)
    if not person.may(Role.VIEWER, account_id):
        raise NotFoundError(f"There is no account '{account_id[:60]}' of yours.")
    return [account_id]


def _visible(person: Person, account_id: str | None) -> list[ColumnElement[bool]]:
    return [AutomationAction.ad_account_id.in_(_accounts(person, account_id))]


def _matching(search: str | None) -> list[ColumnElement[bool]]:
    return [_holds(word) for word in (search or "").split()]


def _holds(word: str) -> ColumnElement[bool]:
    """Return whether a proposal has `word` in what its card shows."""
    named = [
        AutomationAction.ad_account_id.in_(
            select(AdAccount.ad_account_id).where(AdAccount.name.icontains(word, autoescape=True))
        ),
        AutomationAction.action_type.in_(
            [kind for verb, kind in _VERBS.items() if verb.startswith(word.lower())]
        ),
    ]
    return or_(*(column.icontains(word, autoescape=True) for column in _SEARCHED), *named)


def _stake_units(row: AutomationAction) -> float:
    """Return the stake in units that compare across currencies: about one US dollar each."""
    return row.stake_minor / budget_floor(str(row.value_before["currency"])).minor


@dataclass(frozen=True, slots=True)
class _Around:
    """What belongs to many cards, read once."""

    accounts: dict[AdAccountId, Account]
    decisions: dict[str, Decision]
    rules: dict[int, str]
    people: dict[int, str]
    rejected: dict[int, tuple[str, datetime]]
    stopped: str | None
    trends: dict[Entity, tuple[TrendPoint, ...]]
    evidence: Evidence


def _cards(session: Session, rows: Sequence[AutomationAction], *, now: datetime) -> list[Card]:
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
        trends=trends(session, entities, accounts=accounts, now=now),
        evidence=evidence(session, ids, now=now),
    )


def _stopped(session: Session, rows: Sequence[AutomationAction]) -> str | None:
    """Return why approved changes wait, None where none is approved or none has to wait."""
    if any(row.status == ActionStatus.APPROVED for row in rows):
        return switches.halted(switches.switch(session))
    return None


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
        proposer=sentences.proposer(row, rule=around.rules.get(row.rule_id or 0), person=person),
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
            around.evidence, account_id=entity.account, rule_id=row.rule_id, kind=action.type
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
    )


def _entity(row: AutomationAction) -> Entity:
    return Entity(
        AdAccountId(row.ad_account_id), EntityType(row.entity_type), EntityId(row.entity_id)
    )


def _reason(stored: dict[str, Any]) -> Reason:
    return Reason(**{name: stored[name] for name in Reason.__slots__ if name in stored})
