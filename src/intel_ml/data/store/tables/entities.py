"""The account's structure: as last seen, as it was, its changes; the latest state of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.core.ids import EntityType
from intel_ml.data.store.tables.base import Account, Base, Big, Key, Moment, not_negative, one_of


class EntityRow(Base):
    """A campaign, ad set or ad as last seen; a budget is null where this level has none."""

    __tablename__ = "intel_entity"
    __table_args__ = (
        one_of("entity_type", list(EntityType)),
        *not_negative("daily_budget_minor", "lifetime_budget_minor", "bid_amount_minor"),
        Index(None, "ad_account_id", "adset_id"),
    )

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    campaign_id: Mapped[str | None] = mapped_column(String(64))
    adset_id: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str]
    configured_status: Mapped[str] = mapped_column(String(32))
    effective_status: Mapped[str] = mapped_column(String(32))
    daily_budget_minor: Mapped[Big | None]
    lifetime_budget_minor: Mapped[Big | None]
    bid_amount_minor: Mapped[Big | None]
    bid_strategy: Mapped[str | None] = mapped_column(String(64))
    objective: Mapped[str | None] = mapped_column(String(64))
    optimization_goal: Mapped[str | None] = mapped_column(String(64))
    learning_stage: Mapped[str | None] = mapped_column(String(32))
    learning_conversions: Mapped[int | None]
    last_significant_edit_at: Mapped[Moment | None]
    issues: Mapped[list[Any] | None]
    created_at: Mapped[Moment | None]
    updated_at: Mapped[Moment | None]
    seen_at: Mapped[Moment]


class EntityRevision(Base):
    """One change of an entity between two of our looks: {field: [old, new]}."""

    __tablename__ = "intel_entity_revision"
    __table_args__ = (one_of("changed_by", ["us", "outside"]),)

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    seen_at: Mapped[Moment] = mapped_column(primary_key=True)
    changes: Mapped[dict[str, Any]]
    changed_by: Mapped[str] = mapped_column(String(8))


class EntityVersion(Base):
    """What an entity was from `seen_at` on, until the next version: what features read of it."""

    __tablename__ = "intel_entity_version"

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    seen_at: Mapped[Moment] = mapped_column(primary_key=True)
    effective_status: Mapped[str] = mapped_column(String(32))
    daily_budget_minor: Mapped[Big | None]
    learning_stage: Mapped[str | None] = mapped_column(String(32))
    last_significant_edit_at: Mapped[Moment | None]


class EntityState(Base):
    """The latest feature row of an entity: {feature: value or null}."""

    __tablename__ = "intel_entity_state"

    ad_account_id: Mapped[Account]
    entity_type: Mapped[Key]
    entity_id: Mapped[Key]
    as_of: Mapped[Moment]
    state: Mapped[dict[str, Any]]
    features_hash: Mapped[str] = mapped_column(String(16))
