"""What was known of each day at each moment: what every feature starts from.

Reads   `HistoryTables`: the store's tables, wherever they live (PostgreSQL, DuckDB, Spark).
Gives   one row a (moment, entity, day), and what consecutive snapshots added.
Never   looks at a row that was seen after the moment.

Moments are compared in UTC: the session that runs an expression has UTC as its time zone.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import Column, Table, Value, _

METRICS = ("impressions", "reach", "clicks", "spend", "conversions", "conversion_value")
MONEY = {"spend": "spend_minor", "conversion_value": "conversion_value_minor"}
KEYS = ("ad_account_id", "as_of", "entity_type", "entity_id")

#: Snapshots stand in for today, and for yesterday until its first closed row arrives.
SNAPSHOT_DAYS = 2

_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class HistoryTables:
    """The tables features are computed from.

    `moments` asks the questions: (ad_account_id, as_of, day, day_share, hour_of_day, day_of_week),
    where `day_share` is the part of the account's day that has passed. The others are the store's
    `intel_ad_account`, `intel_entity`, `intel_entity_version`, `intel_performance_snapshot` and
    `intel_performance_daily`.
    """

    moments: Table
    accounts: Table
    entities: Table
    versions: Table
    snapshots: Table
    daily: Table


def known_days(tables: HistoryTables, *, days: int) -> Table:
    """Return each day as known at each moment: `KEYS`, `age` in days (0 is today), `METRICS`.

    A day is what was seen of it last: a revision of the closed day, or a newer snapshot. Money
    stays in minor units here; undated totals are left out.
    """
    daily = _plain(tables.daily.filter(~_.is_total))
    rows = ibis.union(
        _metrics(_latest_revisions(tables.moments, daily, days=days), rank=0),
        _metrics(watched(tables, days=SNAPSHOT_DAYS).filter(_.is_newest), rank=1),
    )
    order = ibis.window(group_by=[*KEYS, "age"], order_by=[ibis.desc("seen_at"), "rank"])
    return rows.mutate(place=ibis.row_number().over(order)).filter(_.place == 0)


def watched(tables: HistoryTables, *, days: int) -> Table:
    """Return the snapshots of the last `days` days, with the conversions each added to its day.

    `rise` is unknown where this snapshot or the one before does not tell; the first of a day counts
    from zero.
    """
    rows = _seen_by(tables.moments, _plain(tables.snapshots), days=days)
    in_order = ibis.window(group_by=[*KEYS, "day"], order_by="seen_at")
    backwards = ibis.window(group_by=[*KEYS, "day"], order_by=ibis.desc("seen_at"))
    rows = rows.mutate(
        number=ibis.row_number().over(in_order),
        before=_.conversions.lag().over(in_order),
        is_newest=ibis.row_number().over(backwards) == 0,
    )
    return rows.mutate(rise=ibis.ifelse(_.number == 0, _.conversions, _.conversions - _.before))


def hours_between(later: Value, earlier: Value) -> Value:
    """Return the hours from one moment to another as a float."""
    seconds = later.epoch_seconds().cast("float64") - earlier.epoch_seconds().cast("float64")
    return seconds / _SECONDS_AN_HOUR


def unknown_if_nan(value: Column) -> Column:
    """Return NULL for NaN, the mark that an unknown day leaves on a sum."""
    return ibis.ifelse(value.isnan(), ibis.null("float64"), value)


def _latest_revisions(moments: Table, daily: Table, *, days: int) -> Table:
    # Grouping and joining back is half the price of sorting every revision by a window function.
    rows = _seen_by(moments, daily, days=days)
    newest = rows.group_by(*KEYS, "day", "age").aggregate(seen_at=_.seen_at.max())
    on = ["ad_account_id", "entity_type", "entity_id", "day", "seen_at"]
    return newest.join(daily, on).select(*KEYS, "age", "seen_at", *METRICS)


def _seen_by(moments: Table, table: Table, *, days: int) -> Table:
    """Return the rows of the last `days` account days that had been seen at each moment."""
    asked = moments.select("ad_account_id", "as_of", today="day")
    joined = asked.join(
        table,
        [
            asked.ad_account_id == table.ad_account_id,
            table.day <= asked.today,
            table.day > asked.today - ibis.interval(days=days),
            table.seen_at <= asked.as_of,
        ],
    )
    age = joined.today.delta(joined.day, unit="day")
    return joined.select(*KEYS, "day", "seen_at", *METRICS, age=age)


def _plain(table: Table) -> Table:
    """Return the metrics as floats: both engines add them up alike."""
    values = {name: table[MONEY.get(name, name)].cast("float64") for name in METRICS}
    return table.select("ad_account_id", "entity_type", "entity_id", "day", "seen_at", **values)


def _metrics(table: Table, *, rank: int) -> Table:
    return table.select(*KEYS, "age", "seen_at", *METRICS, rank=ibis.literal(rank))
