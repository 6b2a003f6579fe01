"""Every POST and DELETE on an object: settings, copies, scheduled budgets, removal.

Reads   a method, a path and form values.
Gives   the JSON of the answer, with the change made unless only validation was asked.
Never   changes anything when it refuses; there is no key that makes a repeated write harmless.
"""

from __future__ import annotations

from typing import Any

from intel_ml.core.errors import PlatformError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.budgets import check_split, split_budget
from intel_ml.data.sandbox.changes import STATUSES, Change
from intel_ml.data.sandbox.graph.copies import copy
from intel_ml.data.sandbox.graph.errors import bad_parameter, missing_object, refusal, unknown_path
from intel_ml.data.sandbox.graph.listing import is_whole
from intel_ml.data.sandbox.graph.parameters import (
    VALIDATE_ONLY,
    Params,
    choice,
    documented,
    execution_options,
    mapping,
    not_whole,
    objects,
    only,
    whole,
)
from intel_ml.data.sandbox.graph.periods import add_period
from intel_ml.data.sandbox.graph.reads import scope_of
from intel_ml.data.sandbox.graph.settings import SETTINGS, settings_of
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.strategies import changes_of_strategy
from intel_ml.data.sandbox.world import World

_BUDGETS = frozenset({"daily_budget", "lifetime_budget"})
_EVERYWHERE = frozenset({"status", "name", "execution_options"})
UPDATABLE = {
    EntityType.CAMPAIGN: _EVERYWHERE
    | _BUDGETS
    | {"adset_budgets", "adset_bid_amounts"}
    | SETTINGS[EntityType.CAMPAIGN],
    EntityType.ADSET: _EVERYWHERE | _BUDGETS | {"bid_amount"} | SETTINGS[EntityType.ADSET],
    EntityType.AD: _EVERYWHERE | {"bid_amount"},
}


def write(world: World, method: str, segments: tuple[str, ...], params: Params) -> dict[str, Any]:
    """Make the change that is asked for and return its answer, or raise `GraphError`."""
    try:
        match (method, *segments):
            case ("DELETE", str(identifier)):
                return _delete(world, identifier, params)
            case ("POST", str(identifier)):
                return _update(world, identifier, params)
            case ("POST", str(identifier), "copies"):
                return copy(world, node_of(world, identifier, method), params)
            case ("POST", str(identifier), "budget_schedules"):
                return add_period(world, node_of(world, identifier, method), params)
            case _:
                raise unknown_path("/".join(segments))
    except PlatformError as error:
        raise refusal(error) from error


def node_of(world: World, identifier: str, method: str) -> Node:
    """Return the campaign, ad set or ad with this id, or raise that nothing such is there."""
    if scope_of(world, identifier).level in ("account", "pixel"):
        raise missing_object(identifier, method=method.lower())
    return world.node(identifier)


def _delete(world: World, identifier: str, params: Params) -> dict[str, Any]:
    node = node_of(world, identifier, "DELETE")
    only(params, ())
    if node.status != "DELETED":
        world.change(identifier, Change(status="DELETED"))
    return {"success": True}


def _update(world: World, identifier: str, params: Params) -> dict[str, Any]:
    node = node_of(world, identifier, "POST")
    level = node.level
    only(params, UPDATABLE[level], documented=documented(level.value))
    is_dry = VALIDATE_ONLY in execution_options(params, level=level.value)
    if params.get("name", "x").strip() == "":
        raise bad_parameter("Param name must not be empty")
    budgets = _adset_budgets(params)
    bid = whole(params, "bid_amount")
    change = Change(
        status=choice(params, "status", STATUSES),
        daily_budget_minor=whole(params, "daily_budget"),
        lifetime_budget_minor=whole(params, "lifetime_budget"),
        bid_amount_minor=bid,
        name=params.get("name"),
        settings=settings_of(world.population, node, params, bid=bid),
    )
    if change == Change() and budgets is None:
        raise bad_parameter(f"Nothing to change: give any of {', '.join(sorted(UPDATABLE[level]))}")
    if budgets is not None and _BUDGETS & set(params):
        raise bad_parameter("Give adset_budgets or a budget of the campaign, not both")
    below = _below(world, node, params)
    for one, what in ((identifier, change), *below.items()):
        world.check(one, what)
    if budgets is not None:
        check_split(world, node, budgets)
    if not is_dry:
        for one, what in ((identifier, change), *below.items()):
            world.change(one, what)
        if budgets is not None:
            split_budget(world, node, budgets)
    return {"success": True}


def _below(world: World, node: Node, params: Params) -> dict[str, Change]:
    """Return what an update of a campaign changes on its ad sets."""
    if node.level is not EntityType.CAMPAIGN:
        return {}
    bids = mapping(params, "adset_bid_amounts")
    for amount in bids.values():
        if not is_whole(str(amount)):
            raise not_whole("adset_bid_amounts")
    return changes_of_strategy(
        world,
        node,
        strategy=params.get("bid_strategy"),
        bids={identifier: int(amount) for identifier, amount in bids.items()},
    )


def _adset_budgets(params: Params) -> dict[str, int] | None:
    if "adset_budgets" not in params:
        return None
    found: dict[str, int] = {}
    for one in objects(params, "adset_budgets"):
        amount = str(one.get("daily_budget", ""))
        if set(one) != {"adset_id", "daily_budget"}:
            raise bad_parameter("each of adset_budgets has adset_id and daily_budget")
        if not is_whole(amount):
            raise not_whole("adset_budgets[daily_budget]")
        found[str(one["adset_id"])] = int(amount)
    return found
