"""What the REST API answers: one model a thing, described for OpenAPI.

Reads   nothing.
Gives   the pydantic models of every response and request of the plan's section 5.
Never   holds a float for an amount: minor units, the currency, and the text people read.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from intel_ml.core.ids import EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Reason

LONGEST_TEXT = 2_000
LONGEST_NAME = 200

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)
]
Word = Annotated[str, StringConstraints(max_length=64)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)
]
PatternType = Literal[
    "time_performance",
    "audience_decay",
    "creative_fatigue",
    "budget_sweet_spot",
    "conversion_lag",
    "seasonal",
]


class Request(BaseModel):
    """A request body: what it does not name is refused, and so is a number that is not finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class MoneyOut(BaseModel):
    """An exact amount."""

    minor: int = Field(description="Integer minor units.", examples=[6850])
    currency: str = Field(examples=["USD"])
    text: str = Field(description="As a person reads it.", examples=["68.50 USD"])

    @classmethod
    def of(cls, money: Money) -> MoneyOut:
        """Return an amount ready for JSON."""
        return cls(minor=money.minor, currency=money.currency, text=str(money))


class ReasonOut(BaseModel):
    """Why: the value observed beside the threshold, or the weight it had."""

    text: str = Field(examples=["spent 68.50 USD with no purchase"])
    field: str | None = Field(None, examples=["spend"])
    observed: float | str | None = Field(None, examples=[68.5])
    operator: str | None = Field(None, examples=[">"])
    threshold: float | str | None = Field(None, examples=[50])
    unit: str | None = Field(None, examples=["USD"])
    contribution: float | None = None

    @classmethod
    def of(cls, reason: Reason) -> ReasonOut:
        """Return a reason ready for JSON."""
        return cls(
            text=reason.text,
            field=reason.field,
            observed=reason.observed,
            operator=reason.operator,
            threshold=reason.threshold,
            unit=reason.unit,
            contribution=reason.contribution,
        )


class DayPoint(BaseModel):
    """One account day of an entity; null is unknown, not zero."""

    day: date
    spend: MoneyOut | None
    impressions: int | None
    clicks: int | None
    conversions: float | None
    cpa: float | None = Field(description="Major units of the account's currency.")
    roas: float | None
    ctr: float | None = Field(description="Percent.")
    frequency: float | None


class Trend(BaseModel):
    """An entity's days, oldest first, as they are believed now."""

    account_id: str
    entity_type: EntityType
    entity_id: str
    entity_name: str
    currency: str
    days: int
    points: list[DayPoint]


class PixelHealthOut(BaseModel):
    """A pixel as last seen."""

    account_id: str
    pixel_id: str
    pixel_name: str | None
    snapshot_time: datetime
    event_match_quality: float | None = Field(description="0 to 10.")
    events_received_today: int | None
    events_received_7d: int | None
    events_received_30d: int | None
    event_breakdown: dict[str, Any] | None
    funnel_conversion_rates: dict[str, Any] | None
    last_fired_time: datetime | None


class ScoreOut(BaseModel):
    """The account's score and its parts, 0 to 100; null where there was nothing to judge by."""

    account_id: str
    calculated_at: datetime
    overall_score: int | None
    change: int | None = Field(description="Against the score of a week before.")
    learning_health_score: int | None
    performance_score: int | None
    budget_efficiency_score: int | None
    creative_health_score: int | None
    score_breakdown: dict[str, Any]
    recommendations: list[Any]


class NotificationOut(BaseModel):
    """Something you should know."""

    id: int
    account_id: str
    type: str
    severity: str
    title: str
    message: str
    related_entity_type: str | None
    related_entity_id: str | None
    action_url: str | None
    data: dict[str, Any]
    is_read: bool
    read_at: datetime | None
    created_at: datetime


class NotificationList(BaseModel):
    """Notifications, newest first."""

    notifications: list[NotificationOut]


class UnreadCount(BaseModel):
    """How many are waiting."""

    unread: int


class ReadAll(BaseModel):
    """How many were marked."""

    marked: int


class PatternOut(BaseModel):
    """A regularity of an account with its evidence."""

    id: int
    account_id: str
    pattern_type: PatternType
    says: str = Field(description="What was learned, in a sentence.")
    pattern_data: dict[str, Any]
    confidence_score: float
    sample_size: int
    valid_from: datetime
    valid_until: datetime


class PatternList(BaseModel):
    """What was learned about the accounts you may see."""

    patterns: list[PatternOut]


class JobOut(BaseModel):
    """A run and how far it is."""

    id: int
    name: str
    status: Literal["running", "done", "failed"]
    started_at: datetime
    ended_at: datetime | None
    message: str | None
