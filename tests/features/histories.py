"""Small histories for tests, and the two engines that answer for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, insert

from intel_ml.core.accounts import Account
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.data.store.expressions import AccountMoment, account_moment, history_tables, run
from intel_ml.data.store.performance import ensure_partitions
from intel_ml.data.store.tables import (
    AdAccount,
    EntityRow,
    EntityVersion,
    PerformanceDaily,
    PerformanceSnapshot,
)
from intel_ml.features.history import HistoryTables
from intel_ml.features.signature import signature_expression
from intel_ml.features.state import state_expression

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
Row = dict[str, Any]
Answer = dict[tuple[str, datetime], Row]

_TABLES = {
    "accounts": AdAccount,
    "entities": EntityRow,
    "versions": EntityVersion,
    "snapshots": PerformanceSnapshot,
    "daily": PerformanceDaily,
}


def account(name: str = "act_1", **more: Any) -> Account:
    plain = Account(
        id=name,  # type: ignore[arg-type]
        name=name,
        currency="USD",
        time_zone="UTC",
        target_cpa=Money(20_00, "USD"),
        target_roas=2.0,
        mode=Mode.SHADOW,
        source="api",
        onboarded_at=NOW - timedelta(days=60),
    )
    return replace(plain, **more)


@dataclass
class History:
    """Rows of the store's tables; entity "7", an ad set of act_1, unless told otherwise."""

    accounts: list[Account] = field(default_factory=lambda: [account()])
    entities: list[Row] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    daily: list[Row] = field(default_factory=list)
    snapshots: list[Row] = field(default_factory=list)

    def entity(self, entity_id: str = "7", kind: str = "adset", **more: Any) -> History:
        row = {
            "ad_account_id": "act_1",
            "entity_type": kind,
            "entity_id": entity_id,
            "name": "a name",
            "configured_status": "ACTIVE",
            "effective_status": "ACTIVE",
            "seen_at": NOW - timedelta(hours=1),
            "created_at": NOW - timedelta(days=10),
        }
        self.entities.append({**row, **more})
        self.versions.append(_version(self.entities[-1]))
        return self

    def was(self, hours: float, *, entity_id: str = "7", **told: Any) -> History:
        """Add what was seen of an entity so many hours before now."""
        row = next(row for row in self.entities if row["entity_id"] == entity_id)
        self.versions.append(_version({**row, **told, "seen_at": NOW - timedelta(hours=hours)}))
        return self

    def day(self, age: int, *, entity_id: str = "7", kind: str = "adset", **more: Any) -> History:
        day = TODAY - timedelta(days=age)
        seen = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
        row = {"day": day, "seen_at": seen, "source": "api", "is_total": False}
        self.daily.append({**_key(entity_id, kind), **_delivered(), **row, **more})
        return self

    def look(
        self, hours: float, *, entity_id: str = "7", kind: str = "adset", **more: Any
    ) -> History:
        """Add a snapshot seen so many hours before now, of the day it was seen in."""
        seen = NOW - timedelta(hours=hours)
        row = {"day": seen.date(), "seen_at": seen}
        self.snapshots.append({**_key(entity_id, kind), **_delivered(), **row, **more})
        return self


def _version(entity: Row) -> Row:
    return {name: entity.get(name) for name in EntityVersion.__table__.columns.keys()}  # noqa: SIM118  # not a mapping


def _key(entity_id: str, kind: str) -> Row:
    return {"ad_account_id": "act_1", "entity_type": kind, "entity_id": entity_id}


def _delivered() -> Row:
    return {
        "impressions": 1000,
        "reach": 500,
        "clicks": 20,
        "spend_minor": 30_00,
        "conversions": 2.0,
        "conversion_value_minor": 90_00,
    }


def ask(history: History, which: str = "state", *, as_of: datetime = NOW, key: str = "7") -> Row:
    """Return one entity's features, as DuckDB computes them."""
    return in_duckdb(history, [as_of], which)[key, as_of]


def moments_of(history: History, as_of: Sequence[datetime]) -> list[AccountMoment]:
    return [account_moment(one, moment) for one in history.accounts for moment in as_of]


def in_duckdb(history: History, as_of: Sequence[datetime], which: str = "state") -> Answer:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        moments = [_plain(one) for one in moments_of(history, as_of)]
        for name, (table, rows) in {**_rows(history), "moments": ("moments", moments)}.items():
            _create(connection, history_tables()[name], table, rows)
        found = connection.execute(_duckdb_sql(which))
        names = [column[0] for column in found.description]
        return _answer([dict(zip(names, row, strict=True)) for row in found.fetchall()])


def in_postgres(
    connection: Connection, history: History, as_of: Sequence[datetime], which: str = "state"
) -> Answer:
    for name, (_, rows) in _rows(history).items():
        if name == "snapshots":
            ensure_partitions(connection, {row["day"] for row in rows})
        if rows:
            table = _TABLES[name].__table__
            names = {key for row in rows for key in row}
            connection.execute(
                insert(table), [{key: row.get(key) for key in names} for row in rows]
            )
    columns = run(connection, expression(which), moments=moments_of(history, as_of))
    return _answer(
        [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    )


@cache
def expression(which: str) -> Any:
    tables = HistoryTables(**history_tables())
    return {"state": state_expression, "signature": signature_expression}[which](tables)


@cache
def _duckdb_sql(which: str) -> str:
    return str(ibis.to_sql(expression(which), dialect="duckdb"))


def _rows(history: History) -> dict[str, tuple[str, list[Row]]]:
    accounts = [
        {
            "ad_account_id": one.id,
            "name": one.name,
            "currency": one.currency,
            "currency_offset": one.currency_offset,
            "time_zone": one.time_zone,
            "target_cpa_minor": one.target_cpa.minor if one.target_cpa else None,
            "target_roas": one.target_roas,
            "mode": "shadow",
            "share_learning": False,
            "source": "api",
            "onboarded_at": one.onboarded_at,
        }
        for one in history.accounts
    ]
    rows = {"accounts": accounts, "entities": history.entities, "versions": history.versions}
    rows |= {"snapshots": history.snapshots, "daily": history.daily}
    return {name: (_TABLES[name].__tablename__, rows[name]) for name in rows}


def in_files(history: History, folder: Path) -> None:
    """Write the history as files, one a table."""
    for name, (_, rows) in _rows(history).items():
        pq.write_table(_arrow(history_tables()[name], rows), folder / f"{name}.parquet")


def _arrow(table: Any, rows: list[Row]) -> pa.Table:
    schema = table.schema()
    nullable = ibis.schema({column: kind(nullable=True) for column, kind in schema.items()})
    plain = [{column: row.get(column) for column in schema.names} for row in rows]
    return pa.Table.from_pylist(plain, schema=nullable.to_pyarrow())


def _create(connection: Any, table: Any, name: str, rows: list[Row]) -> None:
    connection.register("arrow_rows", _arrow(table, rows))
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arrow_rows")  # noqa: S608  # our names
    connection.unregister("arrow_rows")


def _plain(moment: AccountMoment) -> Row:
    return {
        "ad_account_id": moment.account_id,
        **{name: getattr(moment, name) for name in AccountMoment.__slots__ if name != "account_id"},
    }


def _answer(rows: list[Row]) -> Answer:
    return {(row["entity_id"], row["as_of"].astimezone(UTC)): row for row in rows}


def same(one: Row, other: Row) -> bool:
    return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def random_history(seed: int) -> History:
    """Return two accounts in two currencies and zones, with gaps, revisions and unknown values."""
    rng = np.random.default_rng(seed)
    history = History(accounts=[account(), _yen()])
    for one in history.accounts:
        _populate(history, one, rng)
    return history


def _yen() -> Account:
    target = Money(2_000, "JPY")
    return account("act_2", currency="JPY", time_zone="Asia/Tokyo", target_cpa=target)


def _populate(history: History, one: Account, rng: np.random.Generator) -> None:
    campaign, adsets = f"{one.id}-c", [f"{one.id}-s{n}" for n in range(3)]
    entities = [(campaign, "campaign"), *((name, "adset") for name in adsets)]
    entities += [(f"{one.id}-a{n}", "ad") for n in range(5)]
    for name, kind in entities:
        history.entity(
            name,
            kind,
            ad_account_id=one.id,
            campaign_id=campaign if kind != "campaign" else None,
            adset_id=str(rng.choice(adsets)) if kind == "ad" else None,
            daily_budget_minor=int(rng.integers(1, 9000)) if rng.random() < 0.4 else None,
            learning_stage=_pick(rng, ["LEARNING", "SUCCESS", "FAIL", None]),
            last_significant_edit_at=_pick(rng, [NOW - timedelta(days=3), None]),
            created_at=_pick(rng, [NOW - timedelta(days=40), None]),
        )
        for hours in {int(hours) for hours in rng.integers(2, 200, size=rng.integers(0, 4))}:
            history.was(
                hours,
                entity_id=name,
                effective_status=_pick(rng, ["ACTIVE", "PAUSED"]),
                daily_budget_minor=_pick(rng, [int(rng.integers(1, 9000)), None]),
                learning_stage=_pick(rng, ["LEARNING", "SUCCESS", "FAIL", None]),
            )
        mine = {"ad_account_id": one.id, "entity_id": name, "kind": kind}
        if rng.random() < 0.15:
            history.day(1, is_total=True, **mine, **_values(rng))
            continue
        for age in range(35):
            for revision in range(int(rng.integers(0, 3))):
                seen = NOW - timedelta(days=age - 1 - revision, hours=-1)
                history.day(age, seen_at=seen, **mine, **_values(rng))
        for hours in range(1, 60, 4):
            if rng.random() < 0.8:
                history.look(hours, **mine, **_values(rng))


def _values(rng: np.random.Generator) -> Row:
    impressions = int(rng.integers(0, 5000))
    values: Row = {
        "impressions": impressions,
        "reach": int(impressions * rng.uniform(0.3, 1)),
        "clicks": int(rng.integers(0, 100)),
        "spend_minor": int(rng.integers(0, 9000)),
        "conversions": float(rng.integers(0, 6)) / 2,
        "conversion_value_minor": int(rng.integers(0, 20_000)),
    }
    if rng.random() < 0.05:
        values[str(rng.choice(list(values)))] = None
    return values


def _pick(rng: np.random.Generator, values: list[Any]) -> Any:
    return values[int(rng.integers(len(values)))]
