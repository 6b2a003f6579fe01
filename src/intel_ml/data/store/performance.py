"""What was delivered, into the store: idempotent, in bulk, each restatement beside the one before.

Reads   facts, and the moment they were seen.
Gives   rows of `intel_performance_snapshot`, `intel_performance_daily`, `intel_pixel_health`,
        `intel_quarantine`.
Never   changes a day that is already known: another value is another row; the same value twice is
        no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.sql import func

from intel_ml.core.ids import AdAccountId
from intel_ml.data.facts import Delivered, Pixel, Refused
from intel_ml.data.store.staging import as_json, staged
from intel_ml.data.store.tables import PerformanceDaily
from intel_ml.data.store.tables.performance import METRICS

_PARTITION_LOCK = 0x1A7E2
_IDENTITY = ("ad_account_id", "entity_type", "entity_id", "day", "seen_at")
_VALUES = (*METRICS, "actions", "action_values")
_SNAPSHOT = (*_IDENTITY, *_VALUES)
_DAILY = (*_SNAPSHOT, "source", "is_total")
_FROM_API = "api"


def write_snapshots(connection: Connection, rows: Sequence[Delivered], *, seen_at: datetime) -> int:
    """Store the day so far of each entity as seen at `seen_at`.

    Return how many rows there are for it.
    """
    if not rows:
        return 0
    ensure_partitions(connection, {row.day for row in rows})
    with staged(
        connection,
        "intel_performance_snapshot",
        columns=_SNAPSHOT,
        rows=[_plain(r, seen_at) for r in _once(rows)],
    ) as source:
        connection.exec_driver_sql(
            f"INSERT INTO intel_performance_snapshot ({_listed(_SNAPSHOT)}) "  # noqa: S608  # our names
            f"SELECT {_listed(_SNAPSHOT)} FROM {source.sql} "
            f"ON CONFLICT ({_listed(_IDENTITY)}) DO UPDATE SET {_set(_VALUES)}",
            source.params,
        )
    return len(rows)


def write_daily(
    connection: Connection,
    rows: Sequence[Delivered],
    *,
    seen_at: datetime,
    source: str = _FROM_API,
    are_totals: frozenset[date] = frozenset(),
) -> int:
    """Store closed days; return how many rows said something new.

    A row is stored only where a value differs from what was last believed at `seen_at`.
    `are_totals` names days that stand for a whole unknown period, as in a file without dates.
    """
    if not rows:
        return 0
    values = _listed(f"s.{name}" for name in _VALUES)
    known = _listed(f"k.{name}" for name in _VALUES)
    with staged(
        connection,
        "intel_performance_daily",
        columns=_DAILY,
        rows=[(*_plain(r, seen_at), source, r.day in are_totals) for r in _once(rows)],
    ) as given:
        result = connection.exec_driver_sql(
            f"INSERT INTO intel_performance_daily ({_listed(_DAILY)}) "  # noqa: S608  # our names
            f"SELECT {_listed(f's.{name}' for name in _DAILY)} FROM {given.sql} "
            "LEFT JOIN LATERAL (SELECT d.* FROM intel_performance_daily d"
            "  WHERE d.ad_account_id = s.ad_account_id AND d.entity_type = s.entity_type"
            "  AND d.entity_id = s.entity_id AND d.day = s.day AND d.seen_at <= s.seen_at"
            "  ORDER BY d.seen_at DESC LIMIT 1) k ON true "
            f"WHERE k.day IS NULL OR ({values}) IS DISTINCT FROM ({known}) "
            f"ON CONFLICT ({_listed(_IDENTITY)}) DO UPDATE SET {_set(_VALUES)}",
            given.params,
        )
    return result.rowcount


def write_pixels(
    connection: Connection, pixels: Iterable[Pixel], *, account: AdAccountId, seen_at: datetime
) -> int:
    """Store the pixels as seen at `seen_at`.

    The 30-day count stays unknown, as Meta tells seven days only.
    """
    rows = [
        {
            "account": account,
            "id": pixel.id,
            "seen_at": seen_at,
            "name": pixel.name,
            "today": pixel.events_today,
            "week": pixel.events_7d,
            "by_name": as_json(pixel.events_by_name),
            "quality": pixel.match_quality,
            "fired": pixel.last_fired_at,
            "funnel": as_json(pixel.funnel),
        }
        for pixel in pixels
    ]
    if rows:
        connection.execute(_PIXELS, rows)
    return len(rows)


def write_quarantine(
    connection: Connection, refused: Iterable[Refused], *, account: AdAccountId, seen_at: datetime
) -> int:
    """Keep refused rows where people, and nothing else, can see them; return how many."""
    rows = [
        {
            "account": account,
            "seen_at": seen_at,
            "source": r.source,
            "reason": r.reason,
            "row": as_json(r.row),
        }
        for r in refused
    ]
    if rows:
        connection.execute(_QUARANTINE, rows)
    return len(rows)


def last_daily_reads(connection: Connection) -> dict[str, datetime]:
    """Return, by account, when its closed days last brought something new."""
    rows = connection.execute(
        select(PerformanceDaily.ad_account_id, func.max(PerformanceDaily.seen_at))
        .where(PerformanceDaily.source == _FROM_API)
        .group_by(PerformanceDaily.ad_account_id)
    )
    return {row[0]: row[1] for row in rows}


def ensure_partitions(connection: Connection, days: Iterable[date]) -> None:
    """Create the snapshot partitions of `days` that are missing.

    Attaching takes a lock that lets others read and write meanwhile, and an advisory lock keeps two
    collectors from creating the same day. What exists is asked each time: a partition can be
    dropped, or rolled back.
    """
    names = {day: f"intel_performance_snapshot_{day:%Y%m%d}" for day in sorted(set(days))}
    if not _missing(connection, names):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PARTITION_LOCK})
    for day, name in _missing(connection, names).items():
        connection.exec_driver_sql(
            f"CREATE TABLE {name} "
            "(LIKE intel_performance_snapshot INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        connection.exec_driver_sql(
            f"ALTER TABLE intel_performance_snapshot ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )


_PIXELS = text(
    "INSERT INTO intel_pixel_health (ad_account_id, pixel_id, snapshot_time, pixel_name, "
    "events_received_today, events_received_7d, event_breakdown, event_match_quality, "
    "last_fired_time, funnel_conversion_rates) VALUES (:account, :id, :seen_at, :name, :today, "
    ":week, CAST(:by_name AS jsonb), :quality, :fired, CAST(:funnel AS jsonb)) "
    "ON CONFLICT (ad_account_id, pixel_id, snapshot_time) DO UPDATE SET "
    "pixel_name = excluded.pixel_name, events_received_today = excluded.events_received_today, "
    "events_received_7d = excluded.events_received_7d, event_breakdown = excluded.event_breakdown, "
    "event_match_quality = excluded.event_match_quality, "
    "last_fired_time = excluded.last_fired_time, "
    "funnel_conversion_rates = excluded.funnel_conversion_rates"
)
# The same refusal in the same look is one row, however often the look is repeated.
_QUARANTINE = text(
    "INSERT INTO intel_quarantine (ad_account_id, seen_at, source, reason, row) "
    "SELECT n.* FROM (VALUES (CAST(:account AS text), CAST(:seen_at AS timestamptz), "
    "CAST(:source AS text), CAST(:reason AS text), CAST(:row AS jsonb))) AS n (a, t, s, r, j) "
    "WHERE NOT EXISTS (SELECT FROM intel_quarantine q WHERE q.ad_account_id = n.a "
    "AND q.seen_at = n.t AND q.source = n.s AND q.reason = n.r AND q.row = n.j)"
)


def _missing(connection: Connection, names: dict[date, str]) -> dict[date, str]:
    # The catalogue itself is read: `to_regclass` may answer from before another one's commit.
    found = connection.execute(
        text(
            "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE NOT EXISTS ("
            "SELECT FROM pg_class WHERE relname = name AND pg_table_is_visible(oid))"
        ),
        {"names": list(names.values())},
    ).scalars()
    absent = set(found)
    return {day: name for day, name in names.items() if name in absent}


def _once(rows: Sequence[Delivered]) -> list[Delivered]:
    # A list that grows while its pages are read repeats rows; the last one was seen last.
    return list({(row.account, row.type, row.id, row.day): row for row in rows}.values())


def _plain(row: Delivered, seen_at: datetime) -> tuple[Any, ...]:
    return (
        row.account,
        row.type,
        row.id,
        row.day,
        seen_at,
        *(getattr(row, name) for name in METRICS),
        row.actions,
        row.action_values,
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _set(names: Iterable[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in names)
