"""What was delivered: each row is a fact with the moment it was seen.

Counts are null where the source cannot tell them; zero means that the source said so. Money is
minor units.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.core.ids import EntityType
from intel_ml.data.store.tables.base import Account, Base, Big, Key, Moment, not_negative, one_of

METRICS = (
    "impressions",
    "reach",
    "clicks",
    "link_clicks",
    "spend_minor",
    "conversions",
    "conversion_value_minor",
)


class _Delivered:
    """The metrics that a snapshot, a day and a week have in common."""

    impressions: Mapped[Big | None]
    reach: Mapped[Big | None]
    clicks: Mapped[Big | None]
    link_clicks: Mapped[Big | None]
    spend_minor: Mapped[Big | None]
    conversions: Mapped[float | None] = mapped_column(Float)
    conversion_value_minor: Mapped[Big | None]
    actions: Mapped[dict[str, Any] | None]
    action_values: Mapped[dict[str, Any] | None]


class PerformanceSnapshot(_Delivered, Base):
    """The day so far of an entity at the moment it was seen; an hour is the difference of two.

    Partitioned by day: forgetting a day is dropping its partition.
    """

    __tablename__ = "intel_performance_snapshot"
    __table_args__ = (
        one_of("entity_type", list(EntityType)),
        *not_negative(*METRICS),
        {"postgresql_partition_by": "RANGE (day)"},
    )

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    day: Mapped[date] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment] = mapped_column(primary_key=True)


class PerformanceDaily(_Delivered, Base):
    """An account day of an entity, as believed from `seen_at` on; restatements are further rows.

    `is_total` marks rows of a file without dates: the totals of an unknown period, filed under the
    day of import.
    """

    __tablename__ = "intel_performance_daily"
    __table_args__ = (
        one_of("entity_type", list(EntityType)),
        one_of("source", ["api", "file"]),
        *not_negative(*METRICS),
        Index(None, "ad_account_id", "day"),
    )

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    day: Mapped[date] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(8), default="api")
    is_total: Mapped[bool] = mapped_column(default=False)


class PerformanceWeekly(_Delivered, Base):
    """An ISO week of an entity, named by its Monday; kept for a year."""

    __tablename__ = "intel_performance_weekly"
    __table_args__ = (one_of("entity_type", list(EntityType)), *not_negative(*METRICS))

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    week: Mapped[date] = mapped_column(primary_key=True)
    seen_at: Mapped[Moment]


class PixelHealth(Base):
    """A pixel as seen at a moment; 30-day counts are null until we watched as long."""

    __tablename__ = "intel_pixel_health"
    __table_args__ = (*not_negative("event_match_quality"),)

    ad_account_id: Mapped[Account]
    pixel_id: Mapped[Key]
    snapshot_time: Mapped[Moment] = mapped_column(primary_key=True)
    pixel_name: Mapped[str | None]
    events_received_today: Mapped[Big | None]
    events_received_7d: Mapped[Big | None]
    events_received_30d: Mapped[Big | None]
    event_breakdown: Mapped[dict[str, Any] | None]
    event_match_quality: Mapped[float | None] = mapped_column(Float)
    last_fired_time: Mapped[Moment | None]
    funnel_conversion_rates: Mapped[dict[str, Any] | None]
