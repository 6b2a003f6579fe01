"""The proposals of a person's accounts.

Waiting ones by what is at stake, decided ones with what came of them.

Reads   actions, narrowed to what a person may see and asks for.
Gives   `Card`s, as `filling` fills them, and how many there are of what.
Never   shows an account that the person has no role for: what is foreign does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.actions import ActionStatus, ActionType
from intel_ml.core.errors import NotFoundError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Role, Source
from intel_ml.data.store.tables import AdAccount, AutomationAction, Decision
from intel_ml.operations.values import budget_floor
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.reporting.filling import filled

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
]

_MOST_READ = 1000
_SEARCHED = (
    AutomationAction.entity_name,
    AutomationAction.reason,
    AutomationAction.action_type,
    AutomationAction.entity_type,
    AutomationAction.ad_account_id,
)

#: Words by which the tries of chance are found.
_TRY_WORDS = ("tries", "random")
_SHORTEST_TRY_WORD = 3

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
    """Return what waits for this person: most at stake first, then least time left; tries last."""
    wanted = [
        *_visible(person, account_id),
        AutomationAction.status == ActionStatus.PENDING_APPROVAL,
        AutomationAction.expires_at > now,
        *_matching(search),
    ]
    rows = list(session.scalars(select(AutomationAction).where(*wanted).limit(_MOST_READ)))
    rows.sort(key=lambda row: (_is_try(row), -_stake_units(row), row.expires_at, row.id))
    return filled(session, rows[:limit], now=now)


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
    return filled(session, [row], now=now)[0]


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
    return filled(session, list(session.scalars(newest)), now=now)


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
    named: list[ColumnElement[bool]] = [
        AutomationAction.ad_account_id.in_(
            select(AdAccount.ad_account_id).where(AdAccount.name.icontains(word, autoescape=True))
        ),
        AutomationAction.action_type.in_(
            [kind for verb, kind in _VERBS.items() if verb.startswith(word.lower())]
        ),
    ]
    if len(word) >= _SHORTEST_TRY_WORD and any(w.startswith(word.lower()) for w in _TRY_WORDS):
        named.append(AutomationAction.source == Source.EXPLORATION)
    return or_(*(column.icontains(word, autoescape=True) for column in _SEARCHED), *named)


def _is_try(row: AutomationAction) -> bool:
    return row.source == Source.EXPLORATION


def _stake_units(row: AutomationAction) -> float:
    """Return the stake in units that compare across currencies: about one US dollar each."""
    return row.stake_minor / budget_floor(str(row.value_before["currency"])).minor
