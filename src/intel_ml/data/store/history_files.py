"""The history as Parquet files, one a table: for engines other than the database.

    accounts.parquet  entities.parquet  versions.parquet  snapshots.parquet  daily.parquet

Reads   the tables that features are made from, as one consistent moment of the database.
Gives   a folder of files with exactly the columns of `expressions.history_tables`.
Never   leaves half a folder: it is written beside and renamed when it is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import text

from intel_ml.core.errors import ConflictError
from intel_ml.data.store.expressions import history_tables
from intel_ml.data.store.sessions import Store

FILES = ("accounts", "entities", "versions", "snapshots", "daily")
_DATED = frozenset({"snapshots", "daily"})
_ROWS_AT_A_TIME = 50_000


def export_history(
    store: Store,
    folder: Path,
    *,
    accounts: Sequence[str],
    since: date,
    on_table: Callable[[str, int], None] = lambda _name, _rows: None,
) -> dict[str, int]:
    """Write the history of `accounts`, days from `since` on; return how many rows each table has.

    Raises `ConflictError` when the folder is there already and is not an older export.
    """
    folder = folder.resolve()
    if folder.is_file():
        raise ConflictError(f"{folder.name} is a file.", hint="Name a new folder.")
    if folder.exists() and any(one.name not in _names() for one in folder.iterdir()):
        raise ConflictError(
            f"{folder} holds other files.", hint="Name a new folder, or an earlier export."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    counted = {}
    with store.connection() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        for name in FILES:
            asked = {"accounts": list(accounts), "since": since}
            counted[name] = _write(connection, beside / f"{name}.parquet", name, asked)
            on_table(name, counted[name])
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return counted


def arrow_schema(name: str) -> pa.Schema:
    """Return the columns of one file; every value may be unknown."""
    kinds = history_tables()[name].schema().items()
    return ibis.schema({column: kind(nullable=True) for column, kind in kinds}).to_pyarrow()


def _names() -> frozenset[str]:
    return frozenset(f"{name}.parquet" for name in FILES)


def _write(connection: Any, path: Path, name: str, asked: dict[str, Any]) -> int:
    schema, rows = arrow_schema(name), 0
    table = history_tables()[name].get_name()
    where = " AND day >= :since" if name in _DATED else ""
    found = connection.execution_options(stream_results=True).execute(
        text(
            f"SELECT {', '.join(schema.names)} FROM {table} "  # noqa: S608  # our own names
            f"WHERE ad_account_id = ANY(:accounts){where} ORDER BY ad_account_id"
        ),
        asked,
    )
    with pq.ParquetWriter(path, schema) as writer:
        for part in found.mappings().partitions(_ROWS_AT_A_TIME):
            writer.write_table(pa.Table.from_pylist([dict(row) for row in part], schema=schema))
            rows += len(part)
    return rows
