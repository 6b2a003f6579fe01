"""Lists of campaigns, ad sets and ads: children of an object, and its copies.

Reads   a population, and the filters of a list edge.
Gives   pages of nodes, with their number when a summary is asked for.
Never   lists what is archived or deleted, unless its status is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from intel_ml.core.days import account_day
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import HIDDEN, effective_status
from intel_ml.data.sandbox.graph.calls import Call
from intel_ml.data.sandbox.graph.days import asked_window
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.listing import (
    Filter,
    bounds,
    is_whole,
    page,
    parse_filters,
    total_count,
)
from intel_ml.data.sandbox.graph.nodes import render_node
from intel_ml.data.sandbox.graph.tables import Scope
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.world import World

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_VALUES: dict[str, Callable[[World, Node], object]] = {
    "id": lambda _w, n: n.id,
    "name": lambda _w, n: n.name,
    "status": lambda _w, n: n.status,
    "configured_status": lambda _w, n: n.status,
    "effective_status": lambda w, n: effective_status(w.population, n),
    "objective": lambda _w, n: n.objective,
    "daily_budget": lambda _w, n: n.daily_budget_minor,
    "lifetime_budget": lambda _w, n: n.lifetime_budget_minor,
    "updated_time": lambda _w, n: n.updated.timestamp(),
    "created_time": lambda _w, n: n.created.timestamp(),
}


def children(world: World, call: Call, *, scope: Scope, level: EntityType) -> dict[str, Any]:
    """Return the page of a scope's campaigns, ad sets or ads."""
    return _listed(world, call, level=level, is_meant=lambda node: _is_inside(world, node, scope))


def copies(world: World, call: Call, *, scope: Scope) -> dict[str, Any]:
    """Return the page of an object's copies: what was made after an answer that never came."""
    level = EntityType(scope.level)
    source = world.population.nodes(level)[scope.row].id
    return _listed(world, call, level=level, is_meant=lambda node: node.source_id == source)


def _listed(
    world: World, call: Call, *, level: EntityType, is_meant: Callable[[Node], bool]
) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields") or "id", level.value)
    shown = _Shown(world, call.params, level=level)
    rows = [
        (row, node)
        for row, node in enumerate(world.population.nodes(level))
        if is_meant(node) and shown.passes(node)
    ]
    first, end = bounds(call.params, total=len(rows))
    items = [render_node(world, node, row, asked) for row, node in rows[first:end]]
    body = page(items, params=call.params, url=call.url, span=(first, end, len(rows)))
    return body | total_count(call.params, len(rows))


def _is_inside(world: World, node: Node, scope: Scope) -> bool:
    if scope.level == "account":
        return node.account == scope.row
    if node.level is EntityType.AD and scope.level == "campaign":
        return world.population.adsets[node.parent].parent == scope.row
    return node.parent == scope.row


class _Shown:
    """Which nodes a list shows: neither archived nor deleted ones, unless they are asked for."""

    def __init__(self, world: World, params: Mapping[str, str], *, level: EntityType) -> None:
        self.world = world
        self.filters = [
            (self._reader(one, level), one) for one in parse_filters(params.get("filtering"))
        ]
        self.asks_status = any(one.field.endswith("effective_status") for _, one in self.filters)
        self.statuses = _statuses(params.get("effective_status"))
        self.since = params.get("updated_since")
        if self.since is not None and not is_whole(self.since):
            raise bad_parameter("updated_since must be a unix timestamp")
        self.completed = _truth(params, "is_completed")
        # The days are about metrics nested in fields, of which there are none here.
        if "date_preset" in params or "time_range" in params:
            asked_window(params, today=account_day(world.now, "UTC"))

    def passes(self, node: Node) -> bool:
        status = effective_status(self.world.population, node)
        if self.statuses:
            if status not in self.statuses:
                return False
        elif status in HIDDEN and not self.asks_status:
            return False
        if self.since is not None and node.updated.timestamp() < float(self.since):
            return False
        if self.completed is not None and self.completed != _is_over(node, self.world.now):
            return False
        return all(one.holds(value(self.world, node)) for value, one in self.filters)

    def _reader(self, one: Filter, level: EntityType) -> Callable[[World, Node], object]:
        """Return how a filter's field is read from a node or from one of its parents."""
        prefix, _, key = one.field.rpartition(".")
        above = list(EntityType)[: list(EntityType).index(level) + 1]
        if key not in _VALUES or (prefix or level.value) not in above:
            raise bad_parameter(
                f"Filtering field {one.field} with operation {one.operator} is not supported"
            )
        wanted = EntityType(prefix or level.value)
        read = _VALUES[key]
        return lambda world, node: read(world, _ancestor(world, node, wanted))


def _ancestor(world: World, node: Node, level: EntityType) -> Node:
    while node.level is not level:
        is_ad = node.level is EntityType.AD
        above = world.population.adsets if is_ad else world.population.campaigns
        node = above[node.parent]
    return node


def _is_over(node: Node, now: datetime) -> bool:
    return node.end is not None and node.end <= now


def _truth(params: Mapping[str, str], name: str) -> bool | None:
    text = params.get(name)
    if text is None:
        return None
    if text.lower() not in _TRUTHS:
        raise bad_parameter(f"{name} must be a boolean")
    return _TRUTHS[text.lower()]


def _statuses(text: str | None) -> frozenset[str]:
    if not text:
        return frozenset()
    try:
        raw = json.loads(text)
    except ValueError:
        raw = text.split(",")
    return frozenset(str(one) for one in (raw if isinstance(raw, list) else [raw]))
