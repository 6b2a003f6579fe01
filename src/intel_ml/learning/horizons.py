"""What an entity spent and sold in the hours after an action, and in as many hours before it.

    delivered(s, e] = sum of the days from s to e, as known at e, less the day so far at s

A state looks back three account days. After 72 hours nothing of the time before is left in it, so
two states can be compared. After 24 or 48 hours they would overlap: the shorter horizons compare
these sums instead, which share no hour. They are sooner known and noisier, and more of what was
bought is still to be attributed; rewards of different horizons are never compared.

Reads   snapshots and closed days, as they were known at the end of each span.
Gives   `HORIZONS`; spend (major units) and conversions by `Span`.
Never   takes the unknown for zero: a span is unknown where a day in it is, where no row tells of
        it, and where nobody had looked at the account on the day it begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from intel_ml.core.accounts import Account

HORIZONS = (24, 48, 72)
#: What teaches unless a model asks for another one; the longest, so nothing of before is in it.
HORIZON_HOURS = 72


@dataclass(frozen=True, slots=True)
class Span:
    """The hours of one entity from `start` to `end`."""

    entity_type: str
    entity_id: str
    start: datetime
    end: datetime


def delivered(
    connection: Connection, account: Account, spans: Collection[Span]
) -> dict[Span, dict[str, float | None]]:
    """Return spend and conversions of each span, None where they are unknown."""
    asked = list(spans)
    if not asked:
        return {}
    keys = {
        "account": account.id,
        "zone": account.time_zone,
        "types": [span.entity_type for span in asked],
        "ids": [span.entity_id for span in asked],
        "starts": [span.start for span in asked],
        "ends": [span.end for span in asked],
    }
    days: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_DAYS, keys):
        days[row.number].append(row)
    begun = {row.number: row for row in connection.execute(_BEGUN, keys)}
    return {
        span: {
            "spend": _money(account, _gained(days[number], begun[number], "spend_minor")),
            "conversions": _gained(days[number], begun[number], "conversions"),
        }
        for number, span in enumerate(asked, start=1)
    }


def _gained(days: list[Any], begun: Any, metric: str) -> float | None:
    """Return the sum of the days less what the first had delivered when the span began."""
    values = [getattr(day, metric) for day in days]
    first = getattr(begun, metric) if begun.was_seen else 0.0
    if not values or None in values or first is None or not begun.was_watched:
        return None
    return float(sum(values)) - float(first)


def _money(account: Account, minor: float | None) -> float | None:
    return None if minor is None else minor / account.currency_offset


_ASKED = """
    SELECT * FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[]),
        CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
        WITH ORDINALITY AS span(entity_type, entity_id, start_at, end_at, number)
"""
_ROW = """
    SELECT day, seen_at, spend_minor, conversions, {rank} AS rank FROM {table}
    WHERE ad_account_id = :account AND entity_type = asked.entity_type
      AND entity_id = asked.entity_id AND seen_at <= asked.end_at {dated}
      AND day BETWEEN (asked.start_at AT TIME ZONE :zone)::date
                  AND (asked.end_at AT TIME ZONE :zone)::date
"""
_CLOSED = _ROW.format(rank=0, table="intel_performance_daily", dated="AND NOT is_total")
_SO_FAR = _ROW.format(rank=1, table="intel_performance_snapshot", dated="")

_DAYS = text(
    f"""
    SELECT asked.number, known.* FROM ({_ASKED}) AS asked
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (day) day, spend_minor, conversions
        FROM ({_CLOSED} UNION ALL {_SO_FAR}) AS seen ORDER BY day, seen_at DESC, rank
    ) AS known
    """  # noqa: S608  # our own text
)
# In the first hour of a day nobody can have looked at it yet: it begins at nothing.
_BEGUN = text(
    f"""
    SELECT asked.number, seen.day IS NOT NULL AS was_seen, seen.spend_minor, seen.conversions,
        asked.start_at < today.began_at + interval '1 hour' OR EXISTS (
            SELECT FROM intel_performance_snapshot
            WHERE ad_account_id = :account AND day = today.day AND seen_at <= asked.start_at
        ) AS was_watched
    FROM ({_ASKED}) AS asked
    CROSS JOIN LATERAL (
        SELECT (asked.start_at AT TIME ZONE :zone)::date AS day,
            (asked.start_at AT TIME ZONE :zone)::date::timestamp AT TIME ZONE :zone AS began_at
    ) AS today
    LEFT JOIN LATERAL (
        SELECT day, spend_minor, conversions FROM intel_performance_snapshot
        WHERE ad_account_id = :account AND entity_type = asked.entity_type
          AND entity_id = asked.entity_id AND day = today.day AND seen_at <= asked.start_at
        ORDER BY seen_at DESC LIMIT 1
    ) AS seen ON true
    """  # noqa: S608  # our own text
)
