"""What is known of many entities at their moments, as columns.

Reads   rows or columns of named values.
Gives   `States`: one row an entity; numbers are float64 (NaN is unknown), words objects (None).
Never   turns the unknown into zero or into true.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import Entity
from intel_ml.features.catalogue import Role, feature, names

Value = float | str | None
Column = NDArray[np.float64] | NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class States:
    """`columns[name][i]` is feature `name` of `entities[i]` as known at `moments[i]`.

    `rows` are the same values, entity by entity, where they were read already.
    """

    entities: tuple[Entity, ...]
    moments: tuple[datetime, ...]
    columns: Mapping[str, Column]
    rows: tuple[Mapping[str, Value], ...] | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.entities)

    def state(self, row: int) -> dict[str, Value]:
        """Return one entity's values with None for the unknown, ready for JSON."""
        if self.rows is not None:
            return dict(self.rows[row])
        return {name: _plain(column.item(row)) for name, column in self.columns.items()}

    def all_states(self) -> list[dict[str, Value]]:
        """Return every row as `state` does, in one pass over the columns."""
        rows: list[dict[str, Value]] = [{} for _ in self.entities]
        for name, column in self.columns.items():
            for row, value in zip(rows, column.tolist(), strict=True):
                row[name] = _plain(value)
        return rows

    def read(self) -> States:
        """Return the same with every row read: for states that are asked about again and again."""
        return replace(self, rows=tuple(self.all_states()))

    def numbers(self, wanted: Sequence[str]) -> NDArray[np.float64]:
        """Return the named columns as an array of shape (entities, wanted); what is missing is NaN.

        A word becomes the number that the catalogue gives it (LEARNING is 0, ACTIVE is 1).
        """
        unknown = np.full(len(self), np.nan)
        columns = [_numeric(name, self.columns.get(name, unknown)) for name in wanted]
        return np.array(columns, dtype=np.float64).T.reshape(len(self), len(wanted))

    def take(self, rows: Sequence[int]) -> States:
        """Return the states of some rows, in that order."""
        index = np.asarray(rows, dtype=np.intp)
        return States(
            entities=tuple(self.entities[i] for i in rows),
            moments=tuple(self.moments[i] for i in rows),
            columns={name: column[index] for name, column in self.columns.items()},
        )


def states_of(
    rows: Sequence[Mapping[str, Value]], *, entities: Sequence[Entity], moments: Sequence[datetime]
) -> States:
    """Return rows as columns: a column is words where any of its values is a word.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 11, 22, tzinfo=UTC)
    >>> entity = Entity("act_1", "adset", "7")
    >>> states_of([{"cpa": None}], entities=[entity], moments=[moment]).state(0)
    {'cpa': None}
    """
    columns: dict[str, Column] = {}
    known = sorted({name for row in rows for name in row})
    for name in known:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, str) for value in values):
            columns[name] = np.array(values, dtype=object)
        else:
            columns[name] = np.array(
                [math.nan if v is None else v for v in values], dtype=np.float64
            )
    plain = tuple({name: _plain(row.get(name)) for name in known} for row in rows)
    return States(entities=tuple(entities), moments=tuple(moments), columns=columns, rows=plain)


def _numeric(name: str, column: Column) -> NDArray[np.float64]:
    if column.dtype != np.object_:
        return np.asarray(column, dtype=np.float64)
    codes = feature(name).codes if name in names(role=Role.STATE) else {}
    values = [codes.get(one, np.nan) if isinstance(one, str) else _number(one) for one in column]
    return np.array(values, dtype=np.float64)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _plain(value: object) -> Value:
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]  # what an array held
    return number if math.isfinite(number) else None
