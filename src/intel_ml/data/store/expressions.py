"""Run a table expression inside the database, for many accounts and moments at once.

Reads   the tables of the history, and an expression over them that someone else wrote.
Gives   `history_tables` to write expressions with, and `run`, which returns columns.
Never   knows what the expression means; creates nothing in the database.

An expression is compiled to PostgreSQL once for each process. The moments it asks about travel as
arrays:

    WITH moments AS (SELECT * FROM unnest(…)) SELECT * FROM (<compiled expression>)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import ibis
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    String,
    Table,
)

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day, day_start, time_zone
from intel_ml.data.store.tables import (
    AdAccount,
    Base,
    EntityRow,
    EntityVersion,
    PerformanceDaily,
    PerformanceSnapshot,
)

_TABLES: dict[str, type[Base]] = {
    "accounts": AdAccount,
    "entities": EntityRow,
    "versions": EntityVersion,
    "snapshots": PerformanceSnapshot,
    "daily": PerformanceDaily,
}
_MOMENT = "timestamp('UTC')"
_MOMENTS = {
    "ad_account_id": ("text", "string"),
    "as_of": ("timestamptz", _MOMENT),
    "day": ("date", "date"),
    "day_share": ("float8", "float64"),
    "hour_of_day": ("int8", "int64"),
    "day_of_week": ("text", "string"),
}
_TYPES: tuple[tuple[type[Any], str], ...] = (
    (BigInteger, "int64"),
    (Integer, "int32"),
    (Float, "float64"),
    (Boolean, "boolean"),
    (DateTime, _MOMENT),
    (Date, "date"),
    (String, "string"),
)
_COMPILED_KEPT = 64

# Every join is one of many rows on equal keys. Without statistics, as in a database filled a minute
# ago, the planner takes nested loops for cheap, and a query of 0.1 s takes four.
_PLAN_FOR_BULK = (
    "SELECT set_config('enable_nestloop', 'off', true), "
    "set_config('enable_mergejoin', 'off', true), set_config('work_mem', '32MB', true)"
)


@dataclass(frozen=True, slots=True)
class AccountMoment:
    """An account at a moment: its day, how much of that day has passed, its hour and weekday."""

    account_id: str
    as_of: datetime
    day: date
    day_share: float
    hour_of_day: int
    day_of_week: str


def account_moment(account: Account, as_of: datetime) -> AccountMoment:
    """Return the account's view of a UTC moment; a day of 23 or 25 hours is as long as it is."""
    return moment_in_zone(account.id, account.time_zone, as_of)


def moment_in_zone(account_id: str, zone: str, as_of: datetime) -> AccountMoment:
    """Return the view of a UTC moment that an account in a time zone has."""
    day = account_day(as_of, zone)
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    return AccountMoment(
        account_id=account_id,
        as_of=as_of,
        day=day,
        day_share=(as_of - start) / (end - start),
        hour_of_day=as_of.astimezone(time_zone(zone)).hour,
        day_of_week=f"{day:%A}",
    )


def history_tables() -> dict[str, Any]:
    """Return the unbound `moments`, `accounts`, `entities`, `versions`, `snapshots` and `daily`.

    They have the columns of the store's tables, but for JSON, which no feature is made from.
    """
    tables = {
        name: _unbound(table.metadata.tables[table.__tablename__])
        for name, table in _TABLES.items()
    }
    return {"moments": ibis.table(_moments_schema(), name="moments"), **tables}


def moment_rows(moments: Sequence[AccountMoment]) -> list[dict[str, Any]]:
    """Return the rows of the table `moments`, for engines that are handed tables."""
    return [
        {"ad_account_id": one.account_id}
        | {name: getattr(one, name) for name in _MOMENTS if name != "ad_account_id"}
        for one in moments
    ]


def _moments_schema() -> dict[str, str]:
    return {name: kind for name, (_, kind) in _MOMENTS.items()}


def run(
    connection: Connection, expression: Any, *, moments: Sequence[AccountMoment]
) -> dict[str, list[Any]]:
    """Return the expression's columns for `moments`, by name."""
    arrays = (
        [one.account_id for one in moments],
        [one.as_of for one in moments],
        [one.day for one in moments],
        [one.day_share for one in moments],
        [one.hour_of_day for one in moments],
        [one.day_of_week for one in moments],
    )
    # A savepoint rolled back takes the planner's settings with it; nothing was written.
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(_PLAN_FOR_BULK)
        answer = connection.exec_driver_sql(_compiled(expression.op()), arrays)
        names, rows = list(answer.keys()), answer.fetchall()
    finally:
        savepoint.rollback()
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


@lru_cache(maxsize=_COMPILED_KEPT)
def _compiled(operation: Any) -> str:
    # A percent sign of the expression is doubled: the driver reads single ones as places for
    # parameters.
    body = str(ibis.to_sql(operation.to_expr(), dialect="postgres", pretty=False)).replace(
        "%", "%%"
    )
    arrays = ", ".join(f"%s::{kind}[]" for kind, _ in _MOMENTS.values())
    return (
        f"WITH moments AS (SELECT * FROM unnest({arrays}) AS t({', '.join(_MOMENTS)})) "  # noqa: S608  # no outside text
        f"SELECT * FROM ({body}) AS answer"
    )


def _unbound(table: Table) -> Any:
    columns = {column.name: _kind(column.type) for column in table.columns}
    return ibis.table({name: kind for name, kind in columns.items() if kind}, name=table.name)


def _kind(stored: Any) -> str | None:
    return next((kind for kind_of, kind in _TYPES if isinstance(stored, kind_of)), None)
