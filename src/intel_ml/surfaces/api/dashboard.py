"""The dashboard over HTTP: scores, alerts, recent actions (the plan's sections 5.1 and 6.3).

Reads   `reporting.dashboard` and the caller's unread notifications.
Gives   one entry an account that the caller may see.
Never   fills in a number that is not known: it is null, with a sentence where there is one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from intel_ml.core.recommendations import Mode
from intel_ml.data.store.sessions import platform_now
from intel_ml.reporting import notifications as stored
from intel_ml.reporting.cards import TrendPoint
from intel_ml.reporting.dashboard import Dashboard, dashboard
from intel_ml.surfaces.api.action_schemas import SavingsOut, savings_out
from intel_ml.surfaces.api.callers import AccountId, Caller, ThePlatform, visible_accounts
from intel_ml.surfaces.api.card_schemas import CardOut, card_out
from intel_ml.surfaces.api.notifications import note_out
from intel_ml.surfaces.api.schemas import NotificationOut, PatternType

router = APIRouter(prefix="/api/intelligence", tags=["dashboard"])

MOST_ALERTS = 20


class AccountOut(BaseModel):
    """An account and how it is run."""

    id: str
    name: str
    currency: str
    time_zone: str
    mode: Mode


class ScoreSummary(BaseModel):
    """The score, its parts, its change against a week before."""

    overall: int | None
    change: int | None
    parts: dict[str, int | None]
    recommendations: list[dict[str, Any]]
    calculated_at: datetime


class DayOut(BaseModel):
    """One account day; money in major units, CTR in percent, null where nothing is known."""

    day: date
    spend: float | None
    conversions: float | None
    cpa: float | None
    ctr: float | None


class TrendsOut(BaseModel):
    """The account's last 7 and 30 days, today so far included."""

    days_7: list[DayOut]
    days_30: list[DayOut]


class PatternSummary(BaseModel):
    """Something learned, in a sentence."""

    type: PatternType
    says: str
    confidence: float
    sample_size: int


class CycleOut(BaseModel):
    """What the latest cycle looked at."""

    at: datetime
    checked: int
    hits: int
    proposed: int
    held_out: int
    says: str


class AccountDashboard(BaseModel):
    """One account on one page."""

    account: AccountOut
    score: ScoreSummary | None
    pending_actions: int
    active_rules: int
    savings_this_month: SavingsOut
    recent_actions: list[CardOut]
    performance_trend: TrendsOut
    recommendations: list[CardOut]
    patterns: list[PatternSummary]
    archetypes: dict[str, int] = Field(description="How many ad sets belong to each.")
    last_cycle: CycleOut | None


class DashboardOut(BaseModel):
    """All that the caller may see, at one moment."""

    as_of: datetime
    accounts: list[AccountDashboard]
    alerts: list[NotificationOut] = Field(description="Your unread notifications, newest first.")


@router.get("/dashboard")
def read_dashboard(
    person: Caller, platform: ThePlatform, account_id: AccountId = None
) -> DashboardOut:
    """Return scores, alerts, what waits, what was done and what was learned."""
    with platform.store.session() as session:
        now = platform_now(session)
        accounts = visible_accounts(person, account_id)
        alerts = stored.notifications(
            session, person=person, which=stored.Which.UNREAD, limit=MOST_ALERTS
        )
        return DashboardOut(
            as_of=now,
            accounts=[
                _out(dashboard(session, person=person, account_id=account, now=now))
                for account in accounts
            ],
            alerts=[note_out(note) for note in alerts if note.account_id in accounts],
        )


def _out(page: Dashboard) -> AccountDashboard:
    account = page.account
    return AccountDashboard(
        account=AccountOut(
            id=account.id,
            name=account.name,
            currency=account.currency,
            time_zone=account.time_zone,
            mode=account.mode,
        ),
        score=None
        if page.score is None
        else ScoreSummary.model_validate(page.score, from_attributes=True),
        pending_actions=page.pending,
        active_rules=page.active_rules,
        savings_this_month=savings_out(account.id, page.savings),
        recent_actions=[card_out(card) for card in page.recent],
        performance_trend=TrendsOut(
            days_7=[_day(point) for point in page.week],
            days_30=[_day(point) for point in page.month],
        ),
        recommendations=[card_out(card) for card in page.recommendations],
        patterns=[
            PatternSummary.model_validate(one, from_attributes=True) for one in page.patterns
        ],
        archetypes=dict(page.archetypes),
        last_cycle=None
        if page.last_cycle is None
        else CycleOut.model_validate(page.last_cycle, from_attributes=True),
    )


def _day(point: TrendPoint) -> DayOut:
    return DayOut.model_validate(point, from_attributes=True)
