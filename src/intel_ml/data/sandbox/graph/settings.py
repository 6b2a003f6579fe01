"""Settings beside status, budget, bid and name: bid strategies, spend caps and targets.

Reads   the form values of an update, and the object as it is.
Gives   the settings to write, checked as Meta checks them.
Never   changes anything.

Marketing API, "Advantage campaign budget" and "Bid strategy": ad sets of a campaign with a budget
of its own take its strategy, and only they have daily caps and targets; a cap or a cost needs a
bid amount, a return needs a floor (`roas_average_floor`, 10,000 times the return).
"""

from __future__ import annotations

from typing import Any

from intel_ml.core.errors import RefusedChangeError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import minimum_budget
from intel_ml.data.sandbox.graph.errors import BAD_PARAMETER, bad_parameter
from intel_ml.data.sandbox.graph.parameters import Params, choice, mapping, not_whole, whole
from intel_ml.data.sandbox.population import Node, Population
from intel_ml.data.sandbox.spending import (
    CAMPAIGN_CAP,
    DAILY_CAP,
    DAILY_TARGET,
    LOWEST_COST,
    NEEDS_BID,
    is_pooled,
)

BID_STRATEGIES = (
    LOWEST_COST,
    *NEEDS_BID,
    "LOWEST_COST_WITH_MIN_ROAS",
)
SETTINGS = {
    EntityType.CAMPAIGN: frozenset({"bid_strategy", CAMPAIGN_CAP}),
    EntityType.ADSET: frozenset({"bid_strategy", "bid_constraints", DAILY_CAP, DAILY_TARGET}),
    EntityType.AD: frozenset[str](),
}
#: The documented value that takes a campaign's spend cap away.
NO_SPEND_CAP = "922337203685478"
_NEEDS_FLOOR = "LOWEST_COST_WITH_MIN_ROAS"
_FLOOR = "roas_average_floor"
_LEAST_CAP_BUDGETS = 100
_LOWEST_FLOOR, _HIGHEST_FLOOR = 100, 10_000_000


def settings_of(
    population: Population, node: Node, params: Params, *, bid: int | None
) -> tuple[tuple[str, Any], ...]:
    """Return (name, value) of each setting given; None takes one away."""
    found: list[tuple[str, Any]] = []
    if "bid_constraints" in params:
        found.append(("bid_constraints", _constraints(params)))
    if "bid_strategy" in params:
        found.append(("bid_strategy", _strategy(population, node, params, bid=bid)))
    found.extend(
        (name, _daily_limit(population, node, params, name))
        for name in (DAILY_CAP, DAILY_TARGET)
        if name in params
    )
    if CAMPAIGN_CAP in params:
        found.append((CAMPAIGN_CAP, _campaign_cap(population, node, params)))
    _check_order({**node.settings, **dict(found)})
    return tuple(found)


def _strategy(population: Population, node: Node, params: Params, *, bid: int | None) -> str | None:
    strategy = choice(params, "bid_strategy", BID_STRATEGIES)
    if is_pooled(population, node):
        raise _refused("The bid strategy of this ad set is set on its campaign.")
    if node.level is EntityType.CAMPAIGN and node.daily_budget_minor is None:
        raise _refused("The bid strategy of this campaign is set on its ad sets.")
    if node.level is EntityType.CAMPAIGN and strategy == _NEEDS_FLOOR:
        raise _refused(f"bid_strategy {strategy} needs a floor, which campaigns don't have here.")
    if node.level is EntityType.ADSET:
        if strategy in NEEDS_BID and bid is None and node.bid_amount_minor is None:
            raise _refused(f"bid_strategy {strategy} needs a bid_amount.")
        floor = _constraints(params) if "bid_constraints" in params else None
        if strategy == _NEEDS_FLOOR and not (floor or node.settings.get("bid_constraints")):
            raise _refused(f"bid_strategy {strategy} needs bid_constraints with {_FLOOR}.")
    return strategy


def _constraints(params: Params) -> dict[str, int]:
    raw = mapping(params, "bid_constraints")
    for name in raw:
        if name != _FLOOR:
            raise bad_parameter(f"Unknown key in bid_constraints: {name}")
    floor = raw.get(_FLOOR)
    if isinstance(floor, bool) or not isinstance(floor, int):
        raise not_whole(f"bid_constraints[{_FLOOR}]")
    if not _LOWEST_FLOOR <= floor <= _HIGHEST_FLOOR:
        raise bad_parameter(f"{_FLOOR} must be from {_LOWEST_FLOOR} to {_HIGHEST_FLOOR}")
    return {_FLOOR: floor}


def _daily_limit(population: Population, node: Node, params: Params, name: str) -> int | None:
    if params[name] in {"", "0"}:
        return None
    amount = whole(params, name)
    if not is_pooled(population, node):
        raise _refused(f"{name} needs a daily budget on the campaign.")
    least = minimum_budget(population, node)
    if amount is not None and amount < least:
        raise _refused(f"{name} is too low: the minimum is {least}.", 1885272)
    pool = population.campaigns[node.parent].daily_budget_minor or 0
    if name == DAILY_TARGET and amount is not None and amount > pool:
        raise _refused(f"{name} is above the campaign's budget.")
    return amount


def _campaign_cap(population: Population, node: Node, params: Params) -> int | None:
    if params[CAMPAIGN_CAP] == NO_SPEND_CAP:
        return None
    amount = whole(params, CAMPAIGN_CAP) or 0
    least = _LEAST_CAP_BUDGETS * minimum_budget(population, node)
    if amount < least:
        raise _refused(f"{CAMPAIGN_CAP} is too low: the minimum is {least}.", 1885272)
    return amount


def _check_order(settings: dict[str, Any]) -> None:
    cap, target = settings.get(DAILY_CAP), settings.get(DAILY_TARGET)
    if cap is not None and target is not None and target > cap:
        raise _refused(f"{DAILY_TARGET} is above {DAILY_CAP}.")


def _refused(message: str, subcode: int | None = None) -> RefusedChangeError:
    return RefusedChangeError(message, code=BAD_PARAMETER, subcode=subcode)
