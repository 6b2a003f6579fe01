"""Every GET: accounts, structure, insights, pixels, the change log.

Reads   a path and its parameters.
Gives   the JSON of the answer.
Never   accepts a parameter that the edge doesn't have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import HIDDEN, Activity, effective_status
from intel_ml.data.sandbox.graph import insights as insight_rows
from intel_ml.data.sandbox.graph.errors import (
    bad_parameter,
    missing_object,
    unknown_alias,
    unknown_path,
)
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.insights import Scope, insights
from intel_ml.data.sandbox.graph.listing import Filter, bounds, is_whole, page, parse_filters
from intel_ml.data.sandbox.graph.nodes import moment_text, render_account, render_node, render_pixel
from intel_ml.data.sandbox.graph.pixels import (
    QUALITY_PARAMETERS,
    STATS_PARAMETERS,
    dataset_quality,
    pixel_stats,
)
from intel_ml.data.sandbox.population import Node, minor, pixel_id
from intel_ml.data.sandbox.world import World

#: Accepted everywhere and without effect here.
ALWAYS = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "method",
        "format",
        "locale",
        "pretty",
        "debug",
        "suppress_http_code",
    }
)
_LIST = frozenset(
    {
        "fields",
        "limit",
        "after",
        "before",
        "filtering",
        "summary",
        "effective_status",
        "date_preset",
        "time_range",
        "is_completed",
        "updated_since",
    }
)
_ACTIVITY = frozenset(
    {
        "fields",
        "limit",
        "after",
        "before",
        "since",
        "until",
        "category",
        "business_id",
        "add_children",
    }
)
_LEVELS = {"campaigns": EntityType.CAMPAIGN, "adsets": EntityType.ADSET, "ads": EntityType.AD}
_EDGES = {
    "account": frozenset(_LEVELS),
    "campaign": frozenset({"adsets", "ads"}),
    "adset": frozenset({"ads"}),
    "ad": frozenset[str](),
}
_ACTIVITY_DEFAULT = "event_time,event_type,actor_name,object_id,object_name"


@dataclass(frozen=True, slots=True)
class Call:
    """One GET: path segments without the version, parameters, and the URL without them."""

    segments: tuple[str, ...]
    params: Mapping[str, str]
    url: str


def read(world: World, call: Call) -> Any:
    """Return the JSON body of a GET, or raise `GraphError`."""
    match call.segments:
        case ("me",):
            _only(call, frozenset({"fields"}))
            return {"id": "1000000001", "name": "Sandbox System User"}
        case ("me", "adaccounts"):
            _only(call, _LIST)
            return _accounts(world, call)
        case ("dataset_quality",):
            _only(call, QUALITY_PARAMETERS)
            return _quality(world, call)
        case (identifier,):
            return _object(world, call, identifier)
        case (identifier, edge):
            return _edge(world, call, identifier=identifier, edge=edge)
        case _:
            raise unknown_path("/".join(call.segments))


def scope_of(world: World, identifier: str) -> Scope:
    """Return what an id stands for, or raise Meta's error for what stands for nothing."""
    for row, account in enumerate(world.population.accounts):
        if identifier in {f"act_{account.id}", account.id}:
            return Scope("account", row, row)
        if identifier == pixel_id(account):
            return Scope("pixel", row, row)
    node = world.population.find(identifier)
    if node is not None:
        return Scope(node.level.value, world.population.rows[identifier][1], node.account)
    if identifier.isdigit() or identifier.startswith("act_"):
        raise missing_object(identifier)
    raise unknown_alias(identifier)


def _only(call: Call, known: frozenset[str]) -> None:
    for name in call.params:
        if name not in known and name not in ALWAYS:
            raise bad_parameter(f"Unknown parameter: {name}")


def _accounts(world: World, call: Call) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", "id,account_id"), "account")
    total = len(world.population.accounts)
    first, end = bounds(call.params, total=total)
    rows = [render_account(world, row, asked) for row in range(first, end)]
    return page(rows, params=call.params, url=call.url, span=(first, end, total))


def _object(world: World, call: Call, identifier: str) -> dict[str, Any]:
    scope = scope_of(world, identifier)
    _only(call, frozenset({"fields", "date_preset"}))
    asked = parse_fields(call.params.get("fields", "id"), scope.level)
    if scope.level == "account":
        return render_account(world, scope.row, asked)
    if scope.level == "pixel":
        return render_pixel(world, scope.row, asked)
    return render_node(
        world, world.population.nodes(EntityType(scope.level))[scope.row], scope.row, asked
    )


def _edge(world: World, call: Call, *, identifier: str, edge: str) -> dict[str, Any]:
    if edge == "dataset_quality":
        raise unknown_path(edge)
    scope = scope_of(world, identifier)
    if edge == "insights" and scope.level != "pixel":
        _only(call, insight_rows.PARAMETERS)
        return insights(world, scope, params=call.params, url=call.url)
    if edge in _EDGES.get(scope.level, frozenset()):
        _only(call, _LIST)
        return _children(world, call, scope=scope, level=_LEVELS[edge])
    other = _OTHER.get((scope.level, edge))
    if other is None:
        raise unknown_path(edge)
    known, answer = other
    _only(call, known)
    return answer(world, call, scope)


def _children(world: World, call: Call, *, scope: Scope, level: EntityType) -> dict[str, Any]:
    if level is EntityType.CAMPAIGN and "updated_since" in call.params:
        raise bad_parameter("Unknown parameter: updated_since")
    asked = parse_fields(call.params.get("fields", "id"), level.value)
    population = world.population
    shown = _Shown(world, call.params)
    rows = [
        (row, node)
        for row, node in enumerate(population.nodes(level))
        if _is_inside(world, node, scope) and shown.passes(node)
    ]
    first, end = bounds(call.params, total=len(rows))
    items = [render_node(world, node, row, asked) for row, node in rows[first:end]]
    return page(items, params=call.params, url=call.url, span=(first, end, len(rows)))


def _is_inside(world: World, node: Node, scope: Scope) -> bool:
    if scope.level == "account":
        return node.account == scope.row
    if node.level is EntityType.AD and scope.level == "campaign":
        return world.population.adsets[node.parent].parent == scope.row
    return node.parent == scope.row


class _Shown:
    """Which nodes a list shows: neither archived nor deleted ones, unless they are asked for."""

    def __init__(self, world: World, params: Mapping[str, str]) -> None:
        self.world = world
        self.filters = parse_filters(params.get("filtering"))
        self.statuses = _statuses(params.get("effective_status"))
        self.since = params.get("updated_since")
        if self.since is not None and not is_whole(self.since):
            raise bad_parameter("updated_since must be a unix timestamp")

    def passes(self, node: Node) -> bool:
        status = effective_status(self.world.population, node)
        asks_status = any(one.field.endswith("effective_status") for one in self.filters)
        if self.statuses:
            if status not in self.statuses:
                return False
        elif status in HIDDEN and not asks_status:
            return False
        if self.since is not None and node.updated.timestamp() < float(self.since):
            return False
        return all(one.holds(self._value(one, node, status)) for one in self.filters)

    def _value(self, one: Filter, node: Node, status: str) -> object:
        key = one.field.removeprefix(f"{node.level.value}.")
        match key:
            case "id" | "name" | "status" | "daily_budget":
                return getattr(node, key.replace("daily_budget", "daily_budget_minor"))
            case "effective_status":
                return status
            case "updated_time":
                return node.updated.timestamp()
            case "created_time":
                return node.created.timestamp()
            case "adset.id" if node.level is EntityType.AD:
                return self.world.population.adsets[node.parent].id
            case "campaign.id" if node.level is not EntityType.CAMPAIGN:
                population = self.world.population
                row = (
                    node.parent
                    if node.level is EntityType.ADSET
                    else population.adsets[node.parent].parent
                )
                return population.campaigns[row].id
            case _:
                raise bad_parameter(
                    f"Filtering field {one.field} with operation {one.operator} is not supported"
                )


def _statuses(text: str | None) -> frozenset[str]:
    if not text:
        return frozenset()
    try:
        raw = json.loads(text)
    except ValueError:
        raw = text.split(",")
    return frozenset(str(one) for one in (raw if isinstance(raw, list) else [raw]))


def _quality(world: World, call: Call) -> dict[str, Any]:
    if "dataset_id" not in call.params:
        raise bad_parameter("The parameter dataset_id is required")
    scope = scope_of(world, call.params["dataset_id"])
    if scope.level != "pixel":
        raise missing_object(call.params["dataset_id"])
    return dataset_quality(world, scope.row, params=call.params)


def _pixels(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", "id"), "pixel")
    rows = [render_pixel(world, scope.row, asked)]
    return page(rows, params=call.params, url=call.url, span=(0, 1, 1))


def _stats(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return pixel_stats(world, scope.row, params=call.params, url=call.url)


def _minimum(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    account = world.population.accounts[scope.row]
    least = minor(account.min_daily_budget, account)
    row = {
        "currency": account.currency,
        "min_daily_budget_imp": least,
        "min_daily_budget_low_freq": least * 20,
        "min_daily_budget_high_freq": least * 5,
        "min_daily_budget_video_views": least,
    }
    return page([row], params=call.params, url=call.url, span=(0, 1, 1))


def _activities(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", _ACTIVITY_DEFAULT), "activity")
    since, until = _moment(call.params.get("since")), _moment(call.params.get("until"))
    category = call.params.get("category", "")
    account = world.population.accounts[scope.account]
    entity = None if scope.level == "account" else world.population.adsets[scope.row].id
    found = [
        one
        for one in reversed(world.activities)
        if one.account == scope.account
        and (entity is None or one.object_id == entity)
        and (since is None or one.moment >= since)
        and (until is None or one.moment <= until)
        and category.lower() in one.event_type
    ]
    first, end = bounds(call.params, total=len(found))
    rows = [_activity(one, account.id, account.time_zone, asked) for one in found[first:end]]
    return page(rows, params=call.params, url=call.url, span=(first, end, len(found)))


def _activity(
    one: Activity, account: str, zone: str, asked: tuple[tuple[str, object], ...]
) -> dict[str, Any]:
    values = {
        "event_time": moment_text(one.moment, zone),
        "event_type": one.event_type,
        "translated_event_type": one.event_type.replace("_", " ").capitalize(),
        "actor_name": one.actor,
        "actor_id": str(900_000_000 + sum(one.actor.encode())),
        "application_name": "Ads Manager",
        "object_id": one.object_id,
        "object_name": one.object_name,
        "object_type": {"campaign": "CAMPAIGN_GROUP", "adset": "CAMPAIGN", "ad": "ADGROUP"}[
            one.level.value
        ],
        "extra_data": json.dumps({"old_value": one.before, "new_value": one.after}),
        "date_time_in_timezone": moment_text(one.moment, zone),
        "account_id": account,
    }
    return {name: values[name] for name, _ in asked if name in values}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if is_whole(text):
            return datetime.fromtimestamp(int(text), tz=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise bad_parameter("since and until must be moments") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_OTHER: dict[
    tuple[str, str], tuple[frozenset[str], Callable[[World, Call, Scope], dict[str, Any]]]
] = {
    ("account", "adspixels"): (_LIST | {"sort_by"}, _pixels),
    ("account", "activities"): (_ACTIVITY, _activities),
    ("adset", "activities"): (_ACTIVITY, _activities),
    ("account", "minimum_budgets"): (frozenset({"fields", "bid_amount", "limit"}), _minimum),
    ("pixel", "stats"): (STATS_PARAMETERS | {"fields"}, _stats),
}
