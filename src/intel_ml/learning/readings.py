"""What an entity had delivered by a moment, as it is known at another one.

    reading = sum of the days from `first` on, as known at `known_at`, and of the last one so far
    so far  = v0 + (v1 - v0) (m - t0) / (t1 - t0)

v0 at t0 is the last look at that day until the moment m (nothing at its midnight where there was
none), v1 at t1 the first look after it, or the closed day at its end. Where nothing came later it
is v0. So a day that was collected late still has an hour in it.

Reads   snapshots and closed days, restatements among them, that were seen until `known_at`.
Gives   `Reading`, and `Sums` of it; `window` looks back as many days as a state does.
Never   decides anything: what decides or teaches is `states`, which sees a moment as it was. Where
        nothing came later, a window says what the state said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day, day_start

METRICS = ("spend", "conversions", "conversion_value", "impressions", "clicks", "reach")
WINDOW_DAYS = 3
_MONEY = {"spend": "spend_minor", "conversion_value": "conversion_value_minor"}
_PEOPLE = "reach"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WHOLE, _SO_FAR, _NEXT, _END = "whole", "so far", "next", "end"


@dataclass(frozen=True, slots=True)
class Reading:
    """The account days of one entity from `first` to `moment`, as known at `known_at`."""

    entity_type: str
    entity_id: str
    first: date
    moment: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """Each metric, money in major units, reach that of the best day; None is unknown.

    `has_rows` says whether any row tells of it, `was_watched` whether anybody looked at the account
    on the last day while it lasted, `is_closed` whether that day has been read since it ended. If
    either, an entity without a row delivered nothing.
    """

    values: Mapping[str, float | None]
    has_rows: bool
    was_watched: bool
    is_closed: bool


def window(
    account: Account, of: tuple[str, str], *, moment: datetime, known_at: datetime
) -> Reading:
    """Return the days that a state of the moment looks back."""
    today = account_day(moment, account.time_zone)
    return Reading(*of, today - (WINDOW_DAYS - 1) * _DAY, moment, known_at)


def read(
    connection: Connection, account: Account, readings: Collection[Reading]
) -> dict[Reading, Sums]:
    """Return the sums of each reading."""
    asked = list(dict.fromkeys(readings))
    if not asked:
        return {}
    days = [account_day(one.moment, account.time_zone) for one in asked]
    begins = [day_start(day, account.time_zone) for day in days]
    keys = {
        "account": account.id,
        "types": [one.entity_type for one in asked],
        "ids": [one.entity_id for one in asked],
        "firsts": [one.first for one in asked],
        "days": days,
        "moments": [one.moment for one in asked],
        "ends": [day_start(day + _DAY, account.time_zone) for day in days],
        "knowns": [one.known_at for one in asked],
    }
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_ROWS, keys):
        rows[row.number].append(row)
    looks = _looks(
        connection, account, [(d, one.known_at) for d, one in zip(days, asked, strict=True)]
    )
    return {
        one: Sums(
            values={name: _sum(rows[at], one, begins[at], name, account) for name in METRICS},
            has_rows=bool(rows[at]),
            # In the first hour of a day nobody can have looked at it yet: it begins at nothing.
            was_watched=look.was_watched or one.moment < begins[at] + _HOUR,
            is_closed=look.is_closed,
        )
        for at, one in enumerate(asked)
        for look in [looks[days[at], one.known_at]]
    }


def _looks(
    connection: Connection, account: Account, asked: Iterable[tuple[date, datetime]]
) -> dict[tuple[date, datetime], Any]:
    looks = sorted(set(asked))
    keys = {
        "account": account.id,
        "days": [day for day, _ in looks],
        "knowns": [known for _, known in looks],
    }
    return {looks[row.number - 1]: row for row in connection.execute(_LOOKS, keys)}


def _sum(
    rows: list[Any], one: Reading, begin: datetime, name: str, account: Account
) -> float | None:
    parts = {row.part: row for row in rows if row.part != _WHOLE}
    values = [getattr(row, name) for row in rows if row.part == _WHOLE]
    if parts:
        values.append(_so_far(parts, one.moment, begin, name))
    if not values or None in values:
        return None
    total = float(max(values) if name == _PEOPLE else sum(values))
    return total / account.currency_offset if name in _MONEY else total


def _so_far(parts: Mapping[str, Any], moment: datetime, begin: datetime, name: str) -> float | None:
    before, after = parts.get(_SO_FAR), parts.get(_NEXT) or parts.get(_END)
    value: float | None = 0.0 if before is None else getattr(before, name)
    since = begin if before is None else max(before.seen_at, begin)
    if value is None or after is None or moment <= since:
        return value
    later: float | None = getattr(after, name)
    if later is None:
        return None if before is None else value
    share: float = (moment - since) / (after.until - since)
    return value + (later - value) * share


_VALUES = ", ".join(f"{_MONEY[name]} AS {name}" if name in _MONEY else name for name in METRICS)
_ONE = (
    f"SELECT seen_at, {_VALUES}, {{rank}} AS rank FROM {{table}} "  # noqa: S608  # our own text
    "WHERE ad_account_id = :account AND entity_type = asked.entity_type "
    "AND entity_id = asked.entity_id AND day = {day} AND {seen} {dated}"
    "ORDER BY seen_at {order} LIMIT 1"
)


def _newest(day: str, seen: str) -> str:
    closed = _ONE.format(
        rank=0,
        table="intel_performance_daily",
        day=day,
        seen=seen,
        dated="AND NOT is_total ",
        order="DESC",
    )
    snapshot = _ONE.format(
        rank=1, table="intel_performance_snapshot", day=day, seen=seen, dated="", order="DESC"
    )
    return (
        f"SELECT * FROM (({closed}) UNION ALL ({snapshot})) AS seen "  # noqa: S608  # our own text
        "ORDER BY seen_at DESC, rank LIMIT 1"
    )


_FIRST = _ONE.format(
    rank=1,
    table="intel_performance_snapshot",
    day="asked.today",
    seen="seen_at > asked.moment AND seen_at <= least(asked.day_end, asked.known_at)",
    dated="",
    order="ASC",
)
_ROWS = text(
    f"""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[]), CAST(:firsts AS date[]),
            CAST(:days AS date[]), CAST(:moments AS timestamptz[]), CAST(:ends AS timestamptz[]),
            CAST(:knowns AS timestamptz[])) WITH ORDINALITY
            AS one(entity_type, entity_id, first_day, today, moment, day_end, known_at, place)
    )
    SELECT asked.place - 1 AS number, known.*,
        least(known.seen_at, asked.day_end) AS until
    FROM asked CROSS JOIN LATERAL (
        SELECT '{_WHOLE}' AS part, newest.* FROM generate_series(0, today - first_day - 1) AS back
        CROSS JOIN LATERAL ({_newest("asked.first_day + back", "seen_at <= asked.known_at")})
            AS newest
        UNION ALL SELECT '{_SO_FAR}', newest.* FROM (
            {_newest("asked.today", "seen_at <= asked.moment")}) AS newest
        UNION ALL SELECT '{_NEXT}', first.* FROM ({_FIRST}) AS first
        UNION ALL SELECT '{_END}', newest.* FROM (
            {_newest("asked.today", "seen_at > asked.day_end AND seen_at <= asked.known_at")}
        ) AS newest
    ) AS known
    """  # noqa: S608  # our own text
)
_LOOKS = text(
    """
    SELECT asked.number, EXISTS (
        SELECT FROM intel_performance_snapshot
        WHERE ad_account_id = :account AND day = asked.day AND seen_at <= asked.known_at
    ) AS was_watched, EXISTS (
        SELECT FROM intel_performance_daily
        WHERE ad_account_id = :account AND day = asked.day AND seen_at <= asked.known_at
          AND NOT is_total
    ) AS is_closed
    FROM unnest(CAST(:days AS date[]), CAST(:knowns AS timestamptz[]))
        WITH ORDINALITY AS asked(day, known_at, number)
    """
)
