"""An account on one page: how it does, what waits, what was done, what was learned.

Reads   scores, actions, rules, patterns, decisions and the daily numbers of one account.
Gives   a `Dashboard`; what is not known yet is None, with a sentence in its place.
Never   shows an account that the person has no role for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import ActionStatus
from intel_ml.core.days import account_day, day_start
from intel_ml.core.errors import NotFoundError
from intel_ml.core.recommendations import Role
from intel_ml.data.store.accounts import account as account_row
from intel_ml.data.store.tables import (
    AccountScore,
    AutomationAction,
    AutomationRule,
    LearnedPattern,
)
from intel_ml.learning.cells import Earned, evidence
from intel_ml.operations.limits import Limits
from intel_ml.reporting.agreement import Agreed, agreed
from intel_ml.reporting.cards import Card, TrendPoint
from intel_ml.reporting.patterns import pattern_sentence
from intel_ml.reporting.queue import history, pending_cards
from intel_ml.reporting.savings import Savings, savings
from intel_ml.reporting.trends import account_trend

SURE_ENOUGH = Limits().min_confidence_for_auto
_WEEK, _MONTH = 7, 30
_MOST_RECENT = 8
_MOST_RECOMMENDED = 3
_PARTS = ("learning_health", "performance", "budget_efficiency", "creative_health")


@dataclass(frozen=True, slots=True)
class Score:
    """The account's score, its parts, and its change against a week before.

    None is "nothing to judge by". While no score is a week old, `change` is against the oldest one
    that is at least a day old; `since` tells when that was.
    """

    overall: int | None
    change: int | None
    parts: Mapping[str, int | None]
    breakdown: Mapping[str, Any]
    recommendations: tuple[Mapping[str, Any], ...]
    calculated_at: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regularity of the account, in a sentence."""

    type: str
    says: str
    confidence: float
    sample_size: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LastCycle:
    """What the latest cycle looked at."""

    at: datetime
    checked: int
    hits: int
    proposed: int
    held_out: int
    says: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the dashboard shows of one account."""

    account: Account
    now: datetime
    score: Score | None
    pending: int
    active_rules: int
    savings: Savings
    recent: tuple[Card, ...]
    week: tuple[TrendPoint, ...]
    month: tuple[TrendPoint, ...]
    recommendations: tuple[Card, ...]
    patterns: tuple[Pattern, ...]
    archetypes: Mapping[str, int]
    last_cycle: LastCycle | None
    cells: tuple[Earned, ...] = ()
    agreed: Agreed | None = None


def dashboard(
    session: Session,
    *,
    person: Person,
    account_id: str,
    now: datetime,
    floor: float = SURE_ENOUGH,
) -> Dashboard:
    """Return the account's page, for a person who may see it.

    Nothing less sure than `floor` ever runs by itself.
    """
    if not person.may(Role.VIEWER, account_id):
        raise NotFoundError(f"There is no account '{account_id[:60]}' of yours.")
    account = account_row(session, account_id)
    month = account_trend(session, account, now=now, days=_MONTH)
    since = day_start(account_day(now, account.time_zone).replace(day=1), account.time_zone)
    waiting = pending_cards(
        session, person=person, now=now, account_id=account_id, limit=_MOST_RECOMMENDED
    )
    pending = _pending(session, account_id, now=now)
    # What waits is among the newest too, and is shown elsewhere.
    newest = history(
        session,
        person=person,
        now=now,
        days=_MONTH,
        account_id=account_id,
        limit=_MOST_RECENT + pending,
    )
    done = [one for one in newest if one.status is not ActionStatus.PENDING_APPROVAL]
    return Dashboard(
        account=account,
        now=now,
        score=_score(session, account_id, now=now),
        pending=pending,
        active_rules=_active_rules(session, account_id),
        savings=savings(session, account_id=account_id, since=since, now=now),
        recent=tuple(done[:_MOST_RECENT]),
        week=month[-_WEEK:],
        month=month,
        recommendations=tuple(waiting),
        patterns=patterns(session, account_id, now=now),
        archetypes=_archetypes(session, account_id),
        last_cycle=last_cycle(session, account_id),
        cells=tuple(evidence(session, account_id, now=now, floor=floor)),
        agreed=agreed(session, account_id, now=now),
    )


def patterns(session: Session, account_id: str, *, now: datetime) -> tuple[Pattern, ...]:
    """Return what was learned of the account and still holds, surest first."""
    rows = session.scalars(
        select(LearnedPattern)
        .where(
            LearnedPattern.ad_account_id == account_id,
            LearnedPattern.is_active,
            LearnedPattern.valid_until > now,
        )
        .order_by(LearnedPattern.confidence_score.desc(), LearnedPattern.pattern_type)
    )
    return tuple(
        Pattern(
            type=row.pattern_type,
            says=pattern_sentence(row.pattern_type, row.pattern_data),
            confidence=row.confidence_score,
            sample_size=row.sample_size,
            data=row.pattern_data,
        )
        for row in rows
    )


def last_cycle(session: Session, account_id: str) -> LastCycle | None:
    """Return what the latest cycle of the account looked at, None before the first."""
    row = session.execute(
        text(
            """
            SELECT as_of, count(*) AS checked, count(rule_id) AS hits,
                count(*) FILTER (WHERE is_held_out) AS held_out,
                count(*) FILTER (WHERE proposed <> 'maintain') AS proposed
            FROM intel_decision
            WHERE ad_account_id = :account AND trigger = 'cycle' AND as_of = (
                SELECT max(as_of) FROM intel_decision
                WHERE ad_account_id = :account AND trigger = 'cycle')
            GROUP BY as_of
            """
        ),
        {"account": account_id},
    ).one_or_none()
    if row is None:
        return None
    looked = "1 entity was" if row.checked == 1 else f"{row.checked} entities were"
    return LastCycle(
        row.as_of, row.checked, row.hits, row.proposed, row.held_out, f"{looked} checked."
    )


def _score(session: Session, account_id: str, *, now: datetime) -> Score | None:
    newest = (
        select(AccountScore)
        .where(AccountScore.ad_account_id == account_id, AccountScore.calculated_at <= now)
        .order_by(AccountScore.calculated_at.desc())
        .limit(1)
    )
    row = session.scalar(newest)
    if row is None:
        return None
    week_before = row.calculated_at - timedelta(days=_WEEK)
    earlier = session.scalar(newest.where(AccountScore.calculated_at <= week_before))
    if earlier is None:
        earlier = session.scalar(
            select(AccountScore)
            .where(
                AccountScore.ad_account_id == account_id,
                AccountScore.calculated_at <= row.calculated_at - timedelta(days=1),
            )
            .order_by(AccountScore.calculated_at)
            .limit(1)
        )
    if row.overall_score is None or earlier is None or earlier.overall_score is None:
        change = None
    else:
        change = row.overall_score - earlier.overall_score
    return Score(
        overall=row.overall_score,
        change=change,
        parts={part: getattr(row, f"{part}_score") for part in _PARTS},
        breakdown=row.score_breakdown,
        recommendations=tuple(row.recommendations),
        calculated_at=row.calculated_at,
        since=None if change is None or earlier is None else earlier.calculated_at,
    )


def _pending(session: Session, account_id: str, *, now: datetime) -> int:
    statement = select(func.count()).where(
        AutomationAction.ad_account_id == account_id,
        AutomationAction.status == ActionStatus.PENDING_APPROVAL,
        AutomationAction.expires_at > now,
    )
    return session.scalar(statement) or 0


def _active_rules(session: Session, account_id: str) -> int:
    statement = select(func.count()).where(
        AutomationRule.ad_account_id == account_id,
        AutomationRule.is_active,
        AutomationRule.deleted_at.is_(None),
    )
    return session.scalar(statement) or 0


def _archetypes(session: Session, account_id: str) -> dict[str, int]:
    """Return how many ad sets of the latest cycle belong to each archetype."""
    rows = session.execute(
        text(
            """
            SELECT archetype, count(*) AS number FROM intel_decision
            WHERE ad_account_id = :account AND trigger = 'cycle' AND entity_type = 'adset' AND
            archetype IS NOT NULL
              AND as_of = (SELECT max(as_of) FROM intel_decision WHERE ad_account_id = :account AND
                  trigger = 'cycle')
            GROUP BY archetype ORDER BY 2 DESC, 1
            """
        ),
        {"account": account_id},
    )
    return {row.archetype: row.number for row in rows}
