"""Many rows at once, as a source that one statement takes them from.

    few rows    one JSON parameter, unfolded by the database into the table's own row type
    many rows   COPY into a temporary table of this session, empty again when the transaction ends

Reads   rows as plain values, in the order of their columns.
Gives   a `Source`: what stands after FROM, under the name s, and its parameters.
Never   writes to a table that others see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection

#: Up to here one round trip costs less than the three of a COPY.
MOST_IN_ONE_PARAMETER = 500


@dataclass(frozen=True, slots=True)
class Source:
    """What stands after FROM, named s, and the parameters it needs."""

    sql: str
    params: Mapping[str, Any]


@contextmanager
def staged(
    connection: Connection, table: str, *, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Iterator[Source]:
    """Give `rows` as a source with `table`'s columns, for the length of the block."""
    if len(rows) <= MOST_IN_ONE_PARAMETER:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        sql = f"json_populate_recordset(NULL::{table}, %(staged_rows)s::json) s"
        yield Source(sql, {"staged_rows": as_json(named)})
        return
    stage = f"stage_{table}"
    raw: Any = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError(f"COPY needs psycopg, not {type(raw).__name__}")
    with raw.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('pg_temp.{stage}') IS NULL")
        if (found := cursor.fetchone()) and found[0]:
            cursor.execute(f"CREATE TEMP TABLE {stage} (LIKE {table}) ON COMMIT DELETE ROWS")
            for column in columns:
                cursor.execute(f"ALTER TABLE {stage} ALTER COLUMN {column} DROP NOT NULL")
        with cursor.copy(f"COPY {stage} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([_text(value) for value in row])
        yield Source(f"pg_temp.{stage} s", {})
        cursor.execute(f"DELETE FROM pg_temp.{stage}")  # noqa: S608  # our names


def as_json(value: object) -> str | None:
    """Return `value` as the text of a jsonb column; None stays null."""
    if value is None:
        return None
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=str)


def _text(value: Any) -> Any:
    return as_json(value) if isinstance(value, dict | list) else value
