"""Insights: which rows a question asks for, and their numbers.

Reads   a scope (account, campaign, ad set, ad) and the question's parameters.
Gives   rows entity by entity, day by day, part by part; or in the order asked for; and their sum.
Never   adds up reach: people who saw two ads are counted once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intel_ml.core.days import DayWindow
from intel_ml.data.sandbox.graph.asking import Asking, asking
from intel_ml.data.sandbox.graph.listing import bounds, page
from intel_ml.data.sandbox.graph.rows import number_of, render_row
from intel_ml.data.sandbox.graph.tables import Place, Scope, Table
from intel_ml.data.sandbox.world import World

_UNSUMMED = frozenset({"date_start", "date_stop"})


@dataclass(frozen=True, slots=True)
class Everything:
    """All rows of a question at one moment, and the days they are about."""

    rows: tuple[dict[str, Any], ...]
    summary: dict[str, Any] | None
    days: DayWindow


def insights(world: World, scope: Scope, *, params: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the page of rows that the parameters ask for."""
    asked = asking(params, level=scope.level)
    table = Table(world, scope, asked, params=params)
    places = _places(table, asked)
    first, end = bounds(params, total=len(places))
    body = page(
        [_row(table, place, asked) for place in places[first:end]],
        params=params,
        url=url,
        span=(first, end, len(places)),
    )
    if asked.summary:
        body["summary"] = _summary(table, places, asked)
    return body


def all_insights(
    world: World, scope: Scope, *, params: Mapping[str, str], with_old_reach: bool
) -> Everything:
    """Return every row at once: what a report holds."""
    asked = asking(params, level=scope.level)
    table = Table(world, scope, asked, params=params, with_old_reach=with_old_reach)
    places = _places(table, asked)
    rows = tuple(_row(table, place, asked) for place in places)
    return Everything(rows, _summary(table, places, asked) if asked.summary else None, table.days)


def lacks_old_reach(world: World, scope: Scope, *, params: Mapping[str, str]) -> bool:
    """Return whether a question asks for reach that is dropped from rows so old."""
    asked = asking(params, level=scope.level)
    return Table(world, scope, asked, params=params).drops_reach


def _places(table: Table, asked: Asking) -> list[Place]:
    places = table.places()
    # A stable sort from the last key to the first leaves ties in the order of the rows.
    for field, action_type, descends in reversed(asked.sort):
        places.sort(
            key=lambda place: _sort_value(table, place, field, action_type), reverse=descends
        )
    return places


def _sort_value(table: Table, place: Place, field: str, action_type: str | None) -> Any:
    if field == "date_start":
        return table.piece(place).days.first
    return number_of(table.facts(place), field, action_type)


def _row(table: Table, place: Place, asked: Asking) -> dict[str, Any]:
    row = render_row(table.facts(place), asked.fields)
    row["date_start"], row["date_stop"] = table.dates(place)
    if asked.breakdowns:
        row.update(table.labels(place))
    return row


def _summary(table: Table, places: Sequence[Place], asked: Asking) -> dict[str, Any]:
    row = render_row(table.total(places), tuple(n for n in asked.summary if n not in _UNSUMMED))
    row["date_start"] = table.days.first.isoformat()
    row["date_stop"] = table.days.last.isoformat()
    return row
