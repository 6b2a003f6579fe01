"""Many rows at once: COPY into a temporary table, from which one statement takes them.

Reads   rows as plain values, in the order of their columns.
Gives   the name of a temporary table that holds them, empty again when the transaction ends.
Never   outlives its connection; never writes to a table that others see.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection


@contextmanager
def staged(
    connection: Connection, table: str, *, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[str]:
    """Copy `rows` into a temporary table with `table`'s columns and give its name."""
    stage = f"stage_{table}"
    raw: Any = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError(f"COPY needs psycopg, not {type(raw).__name__}")
    listed = ", ".join(columns)
    with raw.cursor() as cursor:
        # One statement text a table: the session creates it once, later transactions find it empty.
        cursor.execute(f"SELECT to_regclass('pg_temp.{stage}') IS NULL")
        if (found := cursor.fetchone()) and found[0]:
            cursor.execute(f"CREATE TEMP TABLE {stage} (LIKE {table}) ON COMMIT DELETE ROWS")
            for column in columns:
                cursor.execute(f"ALTER TABLE {stage} ALTER COLUMN {column} DROP NOT NULL")
        with cursor.copy(f"COPY {stage} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        yield f"pg_temp.{stage}"
        cursor.execute(f"DELETE FROM pg_temp.{stage}")  # noqa: S608  # our names


def as_json(value: object) -> str | None:
    """Return `value` as the text of a jsonb column; None stays null."""
    return None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False)
