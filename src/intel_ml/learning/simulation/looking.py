"""Looking at a simulated world as the platform looks at an account: states of its ad sets.

Reads   what a world's ledger and nodes show at this moment, late reports not yet in.
Gives   `States` of every ad set, by the one definition of each feature, and `Account`s.
Never   reads a trait, or a purchase that was not reported yet.

One look sees each day as it stands now: the day so far as a snapshot, earlier days restated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day, day_start
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import effective_status
from intel_ml.data.sandbox.graph.audience import people_reached
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.population import Node, minor
from intel_ml.data.store.expressions import account_moment, history_tables, moment_rows
from intel_ml.data.store.history_files import arrow_schema
from intel_ml.features.catalogue import STATE_FEATURES
from intel_ml.features.history import HistoryTables
from intel_ml.features.state import STATE_DAYS, state_expression
from intel_ml.features.states import States

if TYPE_CHECKING:
    import pyarrow as pa

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def accounts_of(world: World) -> tuple[Account, ...]:
    """Return a world's accounts with the targets that its owner would have told the platform."""
    return tuple(
        Account(
            id=AdAccountId(f"act_{one.id}"),
            name=one.name,
            currency=one.currency,
            time_zone=one.time_zone,
            target_cpa=Money(round(minor(one.target_cpa, one) * world.file.goods), one.currency),
            target_roas=one.target_roas,
            mode=Mode.LIVE,
            source="api",
            onboarded_at=world.start,
        )
        for one in world.population.accounts
    )


def adset_entity(world: World, node: Node) -> Entity:
    """Return an ad set of the world as the rest of the program names it."""
    account = world.population.accounts[node.account]
    return Entity(AdAccountId(f"act_{account.id}"), EntityType.ADSET, EntityId(node.id))


class Observer:
    """Looks at worlds; keeps a database in memory between looks. A context manager."""

    def __init__(self) -> None:
        import duckdb  # noqa: PLC0415  # heavy

        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def look(self, world: World) -> States:
        """Return the state of every ad set of the world, as known now."""
        accounts = accounts_of(world)
        moments = [account_moment(account, world.now) for account in accounts]
        rows: dict[str, list[dict[str, Any]]] = {
            "moments": moment_rows(moments),
            "accounts": [_account_row(one) for one in accounts],
            "entities": [*_entities(world)],
        }
        rows["versions"] = rows["entities"]
        columns = {name: _from_rows(name, told) for name, told in rows.items()}
        columns["daily"], columns["snapshots"] = _days(world, accounts)
        for name, table in columns.items():
            self._connection.register(history_tables()[name].get_name(), table)
        found = self._connection.execute(_sql()).fetchnumpy()
        return _states(found, world.now)


def _account_row(account: Account) -> dict[str, Any]:
    assert account.target_cpa is not None  # noqa: S101  # for the type checker: worlds have targets
    return {
        "ad_account_id": account.id,
        "name": account.name,
        "currency": account.currency,
        "currency_offset": account.currency_offset,
        "time_zone": account.time_zone,
        "target_cpa_minor": account.target_cpa.minor,
        "target_roas": account.target_roas,
    }


def _entities(world: World) -> list[dict[str, Any]]:
    """Return campaigns and ad sets as the platform tells them."""
    population = world.population
    rows = []
    for level in (EntityType.CAMPAIGN, EntityType.ADSET):
        for number, node in enumerate(population.nodes(level)):
            row = {
                "ad_account_id": f"act_{population.accounts[node.account].id}",
                "entity_type": level.value,
                "entity_id": node.id,
                "effective_status": effective_status(population, node),
                "daily_budget_minor": node.daily_budget_minor,
                "created_at": node.created,
                "seen_at": world.now,
            }
            if level is EntityType.ADSET:
                row["campaign_id"] = population.campaigns[node.parent].id
                row |= _learning(world, number)
            rows.append(row)
    return rows


def _learning(world: World, row: int) -> dict[str, Any]:
    if not world.file.learning.enabled:
        return {}
    edited = world.start + timedelta(hours=int(world.motion.adset_edited_hour[row]))
    return {"learning_stage": world.stage(row).name, "last_significant_edit_at": edited}


def _days(world: World, accounts: Sequence[Account]) -> tuple[pa.Table, pa.Table]:
    """Return (closed days, the day so far) of every ad set that delivered in them."""
    closed, today = [], []
    for number, account in enumerate(accounts):
        last = account_day(world.now, account.time_zone)
        first = max(account_day(world.start, account.time_zone), last - STATE_DAYS * _DAY)
        days = [first + _DAY * n for n in range((last - first).days + 1)]
        found = _delivered(world, number, account=account, days=days)
        is_today = found["day"] == np.datetime64(last)
        closed.append({name: column[~is_today] for name, column in found.items()})
        today.append({name: column[is_today] for name, column in found.items()})
    return _from_columns("daily", closed, world.now), _from_columns("snapshots", today, world.now)


def _delivered(
    world: World, number: int, *, account: Account, days: Sequence[date]
) -> dict[str, NDArray[Any]]:
    """Return the rows of one account as columns: a row an ad set and day with anything to tell."""
    population = world.population
    adset = population.ad_traits.adset
    ads = np.flatnonzero(population.adset_traits.account[adset] == number)
    starts = [_hour(world, day, account.time_zone) for day in [*days, days[-1] + _DAY]]
    windows = list(pairwise(starts))
    sums = world.ledger.windows(windows, ads=ads)
    reach = people_reached(world, level="adset", ads=ads, sums=sums)
    adsets, where = np.unique(adset[ads], return_inverse=True)
    total = np.zeros((*sums.shape[:2], len(adsets)), dtype=np.int64)
    for place in range(len(adsets)):
        total[:, :, place] = sums[:, :, where == place].sum(axis=2)
    told = (Column.IMPRESSIONS, Column.CONVERSIONS, Column.SPEND)
    day, one = np.nonzero(np.any([total[column] > 0 for column in told], axis=0))
    ids = np.array([population.adsets[row].id for row in adsets], dtype=object)
    return {
        "ad_account_id": np.full(len(day), account.id, dtype=object),
        "entity_type": np.full(len(day), EntityType.ADSET.value, dtype=object),
        "entity_id": ids[one],
        "day": np.array(days, dtype="datetime64[D]")[day],
        "impressions": total[Column.IMPRESSIONS][day, one],
        "reach": reach[day, one],
        "clicks": total[Column.CLICKS][day, one],
        "spend_minor": total[Column.SPEND][day, one],
        "conversions": total[Column.CONVERSIONS][day, one].astype(np.float64),
        "conversion_value_minor": total[Column.VALUE][day, one],
    }


def _hour(world: World, day: date, zone: str) -> int:
    """Return the first hour of a world that begins inside an account's day."""
    return -((world.start - day_start(day, zone)) // _HOUR)


def _states(found: dict[str, Any], now: datetime) -> States:
    kept = np.flatnonzero(np.asarray(found["entity_type"], dtype=object) == EntityType.ADSET.value)
    order = kept[np.argsort(np.asarray(found["entity_id"], dtype=object)[kept].astype(str))]
    columns: dict[str, Any] = {}
    for one in STATE_FEATURES:
        values: Any = np.ma.asarray(found[one.name])[order]
        if one.is_word:
            columns[one.name] = np.array(values.filled(None).tolist(), dtype=object)
        else:
            columns[one.name] = values.astype(np.float64).filled(np.nan)
    accounts, ids = (np.asarray(found[name])[order] for name in ("ad_account_id", "entity_id"))
    return States(
        entities=tuple(
            Entity(AdAccountId(str(account)), EntityType.ADSET, EntityId(str(key)))
            for account, key in zip(accounts, ids, strict=True)
        ),
        moments=(now.astimezone(UTC),) * len(order),
        columns=columns,
    )


def _from_rows(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415  # heavy

    schema = _schema(name)
    plain = [{column: row.get(column) for column in schema.names} for row in rows]
    return pa.Table.from_pylist(plain, schema=schema)


def _from_columns(name: str, parts: list[dict[str, NDArray[Any]]], now: datetime) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415  # heavy

    schema = _schema(name)
    count = sum(len(part["day"]) for part in parts)
    told: dict[str, Any] = {
        key: np.concatenate([part[key] for part in parts]) for key in parts[0]
    } | {"seen_at": [now] * count, "is_total": [False] * count}
    nothing = [None] * count
    arrays = [pa.array(told.get(one.name, nothing), type=one.type) for one in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


#: Asked at every look, and always the same.
_schema = cache(arrow_schema)


@cache
def _sql() -> str:
    import ibis  # noqa: PLC0415  # heavy

    expression = state_expression(HistoryTables(**history_tables()))
    return str(ibis.to_sql(expression, dialect="duckdb"))
