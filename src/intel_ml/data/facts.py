"""What was read, before anyone thinks about it: the shape every source of facts agrees on.

Reads   nothing.
Gives   `Delivered` (what an entity delivered on a day), `Described` (an entity as its platform
        describes it), `Pixel`,
        `Refused` (a row that cannot be believed, with the reason).
Never   fills a gap: what a source cannot tell is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from intel_ml.core.ids import AdAccountId, EntityId, EntityType


@dataclass(frozen=True, slots=True)
class Delivered:
    """One account day of one entity; money in minor units, `actions` by Meta's action type."""

    account: AdAccountId
    type: EntityType
    id: EntityId
    day: date
    impressions: int | None = None
    reach: int | None = None
    clicks: int | None = None
    link_clicks: int | None = None
    spend_minor: int | None = None
    conversions: float | None = None
    conversion_value_minor: int | None = None
    actions: Mapping[str, float] | None = None
    action_values: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """One campaign, ad set or ad.

    Statuses and learning stage in the platform's own words, budgets in minor units.
    """

    account: AdAccountId
    type: EntityType
    id: EntityId
    name: str
    configured_status: str
    effective_status: str
    campaign_id: EntityId | None = None
    adset_id: EntityId | None = None
    daily_budget_minor: int | None = None
    lifetime_budget_minor: int | None = None
    bid_amount_minor: int | None = None
    bid_strategy: str | None = None
    objective: str | None = None
    optimization_goal: str | None = None
    learning_stage: str | None = None
    learning_conversions: int | None = None
    last_significant_edit_at: datetime | None = None
    issues: Sequence[Mapping[str, Any]] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pixel:
    """A pixel as seen now.

    Events by name over seven days, match quality 0 to 10, funnel steps in percent.
    """

    id: str
    name: str | None
    events_today: int | None
    events_7d: int | None
    events_by_name: Mapping[str, int] | None
    match_quality: float | None
    last_fired_at: datetime | None
    funnel: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row kept out of every table but the quarantine."""

    source: str
    reason: str
    row: Mapping[str, Any]
