"""Every GET: which edges there are, and who answers for them.

Reads   a path and its parameters.
Gives   the JSON of the answer.
Never   accepts a parameter that the edge doesn't have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.graph.asking import PARAMETERS as INSIGHTS
from intel_ml.data.sandbox.graph.calls import PAGED, Call
from intel_ml.data.sandbox.graph.changelog import ACCOUNT_ACTIVITY, ACTIVITY, activities
from intel_ml.data.sandbox.graph.dataset import QUALITY_PARAMETERS, dataset_quality
from intel_ml.data.sandbox.graph.errors import (
    bad_parameter,
    missing_object,
    unknown_alias,
    unknown_path,
)
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.insights import insights
from intel_ml.data.sandbox.graph.listing import bounds, is_whole, page, total_count
from intel_ml.data.sandbox.graph.nodes import render_account, render_node, render_pixel
from intel_ml.data.sandbox.graph.periods import shown as shown_periods
from intel_ml.data.sandbox.graph.pixels import CHECKS, STATS, pixel_checks, pixel_stats
from intel_ml.data.sandbox.graph.structure import children, copies
from intel_ml.data.sandbox.graph.tables import Scope
from intel_ml.data.sandbox.population import minor, pixel_id
from intel_ml.data.sandbox.world import World

_LIST = PAGED | {"filtering", "summary", "effective_status", "date_preset", "time_range"}
_STRUCTURE = _LIST | {"is_completed"}
_COPIES = PAGED | {"effective_status", "date_preset", "time_range", "is_completed", "summary"}
_LEVELS = {"campaigns": EntityType.CAMPAIGN, "adsets": EntityType.ADSET, "ads": EntityType.AD}
_EDGES = {
    "account": frozenset(_LEVELS),
    "campaign": frozenset({"adsets", "ads"}),
    "adset": frozenset({"ads"}),
    "ad": frozenset[str](),
}
_OBJECTS = ("campaign", "adset", "ad")
_SORTS = ("LAST_FIRED_TIME", "NAME")
#: Cost of a result against the least daily budget (Ads Manager's own minimums by billing event).
_LEAST_TIMES = {"imp": 1, "video_views": 1, "high_freq": 5, "low_freq": 20}


def read(world: World, call: Call) -> Any:
    """Return the JSON body of a GET, or raise `GraphError`."""
    match call.segments:
        case ("me",):
            call.only(frozenset({"fields"}))
            return {"id": "1000000001", "name": "Sandbox System User"}
        case ("me", "adaccounts"):
            call.only(_LIST)
            return _accounts(world, call)
        case ("dataset_quality",):
            call.only(QUALITY_PARAMETERS)
            return _quality(world, call)
        case (identifier,):
            return _object(world, call, identifier)
        case (identifier, edge):
            return _edge(world, call, identifier=identifier, edge=edge)
        case _:
            raise unknown_path("/".join(call.segments))


def scope_of(world: World, identifier: str) -> Scope:
    """Return what an id stands for, or raise Meta's error for what stands for nothing."""
    node = world.population.find(identifier)
    if node is not None:
        return Scope(node.level.value, world.population.rows[identifier][1], node.account)
    for row, account in enumerate(world.population.accounts):
        if identifier in (f"act_{account.id}", account.id):
            return Scope("account", row, row)
        if identifier == pixel_id(account):
            return Scope("pixel", row, row)
    if identifier.isdigit() or identifier.startswith("act_"):
        raise missing_object(identifier)
    raise unknown_alias(identifier)


def _accounts(world: World, call: Call) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", "id,account_id"), "account")
    total = len(world.population.accounts)
    first, end = bounds(call.params, total=total)
    rows = [render_account(world, row, asked) for row in range(first, end)]
    body = page(rows, params=call.params, url=call.url, span=(first, end, total))
    return body | total_count(call.params, total)


def _object(world: World, call: Call, identifier: str) -> dict[str, Any]:
    scope = scope_of(world, identifier)
    call.only(frozenset({"fields", "date_preset"}))
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
    if edge in _EDGES.get(scope.level, frozenset()):
        level = _LEVELS[edge]
        # Meta has `updated_since` on ad sets and ads only.
        call.only(_STRUCTURE if level is EntityType.CAMPAIGN else _STRUCTURE | {"updated_since"})
        return children(world, call, scope=scope, level=level)
    other = _OTHER.get((scope.level, edge))
    if other is None:
        raise unknown_path(edge)
    known, answer = other
    # The SDK's cursors ask every edge for a summary.
    call.only(known | {"summary"})
    return answer(world, call, scope)


def _insights(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return insights(world, scope, params=call.params, url=call.url)


def _quality(world: World, call: Call) -> dict[str, Any]:
    if "dataset_id" not in call.params:
        raise bad_parameter("The parameter dataset_id is required")
    scope = scope_of(world, call.params["dataset_id"])
    if scope.level != "pixel":
        raise missing_object(call.params["dataset_id"])
    return dataset_quality(world, scope.row, params=call.params)


def _pixels(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", "id"), "pixel")
    if call.params.get("sort_by", _SORTS[0]) not in _SORTS:
        raise bad_parameter(f"sort_by must be one of the following values: {', '.join(_SORTS)}")
    # An account has one pixel here, so every order is the same.
    first, end = bounds(call.params, total=1)
    rows = [render_pixel(world, scope.row, asked)][first:end]
    return page(rows, params=call.params, url=call.url, span=(first, end, 1))


def _stats(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return pixel_stats(world, scope.row, params=call.params, url=call.url)


def _checks(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return pixel_checks(world, scope.row, params=call.params, url=call.url)


def _copies(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return copies(world, call, scope=scope)


def _activities(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    return activities(world, call, scope=scope)


def _minimum(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", ""), "budget")
    bid = call.params.get("bid_amount", "0")
    if not is_whole(bid):
        raise bad_parameter("bid_amount must be an integer")
    account = world.population.accounts[scope.row]
    least = minor(account.min_daily_budget, account)
    row: dict[str, Any] = {"currency": account.currency}
    for name, times in _LEAST_TIMES.items():
        # A budget must pay for at least one result at the bid.
        row[f"min_daily_budget_{name}"] = max(least * times, int(bid))
    names = [name for name, _ in asked] or list(row)
    found = {name: row[name] for name in names}
    return page([found], params=call.params, url=call.url, span=(0, 1, 1))


def _budget_periods(world: World, call: Call, scope: Scope) -> dict[str, Any]:
    asked = parse_fields(call.params.get("fields", ""), "schedule")
    node = world.population.nodes(EntityType(scope.level))[scope.row]
    rows = shown_periods(node, call.params)
    names = [name for name, _ in asked]
    first, end = bounds(call.params, total=len(rows))
    found = [
        {name: row[name] for name in (*names, "id") if name in row} if names else row
        for row in rows[first:end]
    ]
    return page(found, params=call.params, url=call.url, span=(first, end, len(rows)))


def _nothing(kind: str) -> Answer:
    """Return the answer of an edge whose list is truly empty here: no rules, no advice."""

    def answer(world: World, call: Call, scope: Scope) -> dict[str, Any]:
        del world, scope
        parse_fields(call.params.get("fields", ""), kind)
        bounds(call.params, total=0)
        return page([], params=call.params, url=call.url, span=(0, 0, 0))

    return answer


Answer = Callable[[World, Call, Scope], dict[str, Any]]
_OTHER: dict[tuple[str, str], tuple[frozenset[str], Answer]] = {
    ("account", "adspixels"): (_LIST | {"sort_by"}, _pixels),
    ("account", "activities"): (ACCOUNT_ACTIVITY, _activities),
    ("adset", "activities"): (ACTIVITY, _activities),
    ("account", "minimum_budgets"): (PAGED | {"bid_amount"}, _minimum),
    ("account", "recommendations"): (
        PAGED | {"recommendation_names", "recommendation_stages"},
        _nothing("recommendation"),
    ),
    ("account", "adrules_library"): (PAGED, _nothing("rule")),
    ("account", "adrules_history"): (
        PAGED | {"action", "evaluation_type", "hide_no_changes", "object_id"},
        _nothing("rule"),
    ),
    ("pixel", "stats"): (STATS, _stats),
    ("pixel", "da_checks"): (CHECKS, _checks),
    **{(level, "insights"): (INSIGHTS, _insights) for level in ("account", *_OBJECTS)},
    **{(level, "copies"): (_COPIES, _copies) for level in _OBJECTS},
    **{
        (level, "adrules_governed"): (PAGED | {"pass_evaluation"}, _nothing("rule"))
        for level in _OBJECTS
    },
    **{
        (level, "budget_schedules"): (PAGED | {"time_start", "time_stop"}, _budget_periods)
        for level in ("campaign", "adset")
    },
}
