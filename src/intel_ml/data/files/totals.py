"""Rows of a file to facts of an ad, its ad set and its campaign.

    ids         what a file does not give is made from the names: the same names, the same id
    sums        counts and amounts add up, people reached do not: reach is unknown above the rows'
                own level; a sum with an unknown part is unknown

Reads   a table and its mapping.
Gives   what was delivered and by whom.
Never   invents a status: a file tells none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from intel_ml.core.accounts import Account
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import EntityId, EntityType, entity_id
from intel_ml.core.money import money_from_major
from intel_ml.data.facts import Delivered, Described
from intel_ml.data.files import cells
from intel_ml.data.files.columns import METRICS, deepest
from intel_ml.data.files.table import Line, Table

UNKNOWN_STATUS = "UNKNOWN"
_LEVELS = (EntityType.CAMPAIGN, EntityType.ADSET, EntityType.AD)
_MONEY = ("spend", "conversion_value")
_COUNTS = ("impressions", "reach", "clicks", "link_clicks")
_STORED = {"spend": "spend_minor", "conversion_value": "conversion_value_minor"}
_ID_DIGITS = 16

Amount = int | float | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says.

    Rows of delivery, the entities they belong to, how many rows were read and left out.
    """

    delivered: tuple[Delivered, ...]
    entities: tuple[Described, ...]
    rows: int
    skipped: int


@dataclass(slots=True)
class _Sum:
    """What the rows of one entity and day add up to."""

    values: dict[str, Amount]
    rows: int = 0

    def add(self, values: Mapping[str, Amount]) -> None:
        if self.rows:
            self.values["reach"] = None
        for name, value in values.items():
            if name != "reach" or not self.rows:
                self.values[name] = _plus(self.values.get(name, 0), value)
        self.rows += 1


@dataclass(slots=True)
class _Reading:
    """How the cells of one file are read."""

    account: Account
    table: Table
    mapping: Mapping[str, str]
    default_day: date
    positions: dict[str, int] = field(init=False)
    decimal_comma: bool = field(init=False)

    def __post_init__(self) -> None:
        self.positions = {t: self.table.header.index(name) for t, name in self.mapping.items()}
        numeric = [self.positions[name] for name in METRICS if name in self.positions]
        written = (line.cells[position] for line in self.table.lines for position in numeric)
        self.decimal_comma = cells.has_decimal_comma(written, self.table.delimiter)

    def cell(self, line: Line, target: str) -> str | None:
        """Return the text under one of our columns, None where the file has no such column."""
        position = self.positions.get(target)
        return None if position is None else line.cells[position]

    def where(self, line: Line, target: str) -> str:
        """Name the cell as a person finds it."""
        return f"line {line.number}, column '{self.mapping[target]}'"


def contents(
    table: Table, mapping: Mapping[str, str], *, account: Account, default_day: date
) -> Contents:
    """Return everything the file says, or the first cell that says nothing sensible."""
    reading = _Reading(account, table, mapping, default_day)
    lowest = deepest(mapping)
    sums: dict[tuple[EntityType, EntityId, date], _Sum] = {}
    entities: dict[tuple[EntityType, EntityId], Described] = {}
    rows = skipped = 0
    for line in table.lines:
        if _is_summary(reading, line):
            skipped += 1
            continue
        rows += 1
        values, day = _values(reading, line), _day(reading, line)
        for entity in _entities(reading, line, lowest):
            entities.setdefault((entity.type, entity.id), entity)
            total = sums.setdefault((entity.type, entity.id, day), _Sum(dict.fromkeys(METRICS, 0)))
            total.add(values if entity.type is lowest else {**values, "reach": None})
    return Contents(
        delivered=tuple(_delivered(account, key, total) for key, total in sums.items()),
        entities=tuple(entities.values()),
        rows=rows,
        skipped=skipped,
    )


def _is_summary(reading: _Reading, line: Line) -> bool:
    """Return whether the row is the total some exports put first or last: it names nobody."""
    named = [reading.cell(line, f"{level}_{kind}") for level in _LEVELS for kind in ("id", "name")]
    if any(named):
        return False
    ends = (reading.table.lines[0], reading.table.lines[-1])
    if line in ends:
        return True
    raise InvalidValueError(
        path=f"line {line.number}", problem="the row names no ad, ad set or campaign"
    )


def _entities(reading: _Reading, line: Line, lowest: EntityType) -> Iterable[Described]:
    path: list[str] = []
    parents: dict[str, EntityId] = {}
    for level in _LEVELS[: _LEVELS.index(lowest) + 1]:
        identity, name = reading.cell(line, f"{level}_id"), reading.cell(line, f"{level}_name")
        if not identity and not name:
            if level is lowest:
                raise InvalidValueError(
                    path=f"line {line.number}", problem=f"the row names no {level}"
                )
            continue
        path.append(identity or name or "")
        made = _identity(reading, line, level, identity, path)
        yield Described(
            account=reading.account.id,
            type=level,
            id=made,
            name=name or made,
            configured_status=UNKNOWN_STATUS,
            effective_status=UNKNOWN_STATUS,
            campaign_id=parents.get(EntityType.CAMPAIGN),
            adset_id=parents.get(EntityType.ADSET),
        )
        parents[level] = made


def _identity(
    reading: _Reading, line: Line, level: EntityType, identity: str | None, path: Sequence[str]
) -> EntityId:
    if not identity:
        return EntityId("n:" + hashlib.sha256("\x1f".join(path).encode()).hexdigest()[:_ID_DIGITS])
    try:
        return entity_id(identity)
    except InvalidValueError as error:
        raise InvalidValueError(
            path=reading.where(line, f"{level}_id"), problem=error.problem
        ) from None


def _values(reading: _Reading, line: Line) -> dict[str, Amount]:
    currency = reading.cell(line, "currency")
    if currency and currency != reading.account.currency:
        raise InvalidValueError(
            path=reading.where(line, "currency"),
            problem=f"'{currency[:20]}' is not the account's currency, {reading.account.currency}",
        )
    return {name: _value(reading, line, name) for name in METRICS}


def _value(reading: _Reading, line: Line, name: str) -> Amount:
    text = reading.cell(line, name)
    if text is None:
        return None
    where, comma = reading.where(line, name), reading.decimal_comma
    if name in _COUNTS:
        return cells.whole_number(text, where=where, decimal_comma=comma)
    value: Decimal | None = cells.number(text, where=where, decimal_comma=comma)
    if value is None:
        return None
    return (
        money_from_major(value, reading.account.currency).minor if name in _MONEY else float(value)
    )


def _day(reading: _Reading, line: Line) -> date:
    text = reading.cell(line, "day")
    return (
        reading.default_day
        if text is None
        else cells.day_of(text, where=reading.where(line, "day"))
    )


def _delivered(account: Account, key: tuple[EntityType, EntityId, date], total: _Sum) -> Delivered:
    kind, identity, day = key
    facts: dict[str, Any] = {_STORED.get(name, name): value for name, value in total.values.items()}
    return Delivered(account=account.id, type=kind, id=identity, day=day, **facts)


def _plus(a: Amount, b: Amount) -> Amount:
    return None if a is None or b is None else a + b
