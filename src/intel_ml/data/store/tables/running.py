"""Runs and leases, switches, quarantine, notifications, file mappings, the clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.data.store.tables.base import Account, Base, Big, Key, Moment, Serial, one_of

NOTIFICATION_TYPES = (
    "action_pending",
    "action_executed",
    "alert",
    "insight",
    "system",
    "recommendation",
)
SEVERITIES = ("info", "warning", "error", "success")


class CollectionRun(Base):
    """One look at one account: what it cost and what it brought."""

    __tablename__ = "intel_collection_run"
    __table_args__ = (one_of("status", ["done", "partial", "failed"]),)

    ad_account_id: Mapped[Account]
    as_of: Mapped[Moment] = mapped_column(primary_key=True)
    started_at: Mapped[Moment]
    took_ms: Mapped[int]
    status: Mapped[str] = mapped_column(String(8))
    calls: Mapped[int]
    rows: Mapped[int]
    quarantined: Mapped[int]
    message: Mapped[str | None] = mapped_column(Text)


class JobRun(Base):
    """One scheduled run, claimed under a lease: whoever holds the row runs it, nobody else."""

    __tablename__ = "intel_job_run"
    __table_args__ = (
        one_of("status", ["running", "done", "failed"]),
        Index("uq_intel_job_run_slot", "name", "slot", unique=True),
        Index(None, "name", "started_at"),
    )

    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(120))
    slot: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(8))
    worker: Mapped[str] = mapped_column(String(120))
    lease_until: Mapped[Moment]
    started_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    parameters: Mapped[dict[str, Any]]
    run_id: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[dict[str, Any] | None]
    message: Mapped[str | None] = mapped_column(Text)


class Quarantine(Base):
    """A row that was refused, whole, with the reason; nothing reads it but people."""

    __tablename__ = "intel_quarantine"

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    seen_at: Mapped[Moment]
    source: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    row: Mapped[dict[str, Any]]


class Switch(Base):
    """A kill switch as last set. `is_on` means acting is allowed; a missing row means it is not."""

    __tablename__ = "intel_switch"

    name: Mapped[Key]
    is_on: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[Moment]


class Notification(Base):
    """Something a person should know."""

    __tablename__ = "intel_notification"
    __table_args__ = (
        one_of("type", NOTIFICATION_TYPES),
        one_of("severity", SEVERITIES),
        Index(None, "user_id", "is_read", "created_at"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    user_id: Mapped[int] = mapped_column(ForeignKey("intel_user.id"))
    type: Mapped[str] = mapped_column(String(32))
    severity: Mapped[str] = mapped_column(String(16))
    title: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    related_entity_type: Mapped[str | None] = mapped_column(String(32))
    related_entity_id: Mapped[str | None] = mapped_column(String(64))
    action_url: Mapped[str | None]
    data: Mapped[dict[str, Any] | None]
    is_read: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[Moment | None]
    expires_at: Mapped[Moment | None]
    created_at: Mapped[Moment]


class FileMapping(Base):
    """How a file's columns were read the last time, offered again for the same header."""

    __tablename__ = "intel_file_mapping"

    ad_account_id: Mapped[Account]
    header_sha256: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    mapping: Mapped[dict[str, Any]]
    used_at: Mapped[Moment]


class Clock(Base):
    """How far platform time is ahead of the database's clock: zero with a real account."""

    __tablename__ = "intel_clock"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[Big] = mapped_column(primary_key=True)
    offset_s: Mapped[float] = mapped_column(Float)
