"""What people have set, as columns that delivery can use: the levers of the world.

Reads   the settings of nodes, and the moment.
Gives   `Controls`; after one node's change, new ones that share what it doesn't touch.
Never   changes controls in place: forks share them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.mechanisms.bidding import COST_CAP
from intel_ml.data.sandbox.population import Node, Population
from intel_ml.data.sandbox.spending import (
    CAMPAIGN_CAP,
    DAILY_CAP,
    DAILY_TARGET,
    Limits,
    bid_in_force,
    limits_of,
)
from intel_ml.data.sandbox.timing import daily_budget_at, runs_at

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LIMITS = frozenset({CAMPAIGN_CAP, DAILY_CAP, DAILY_TARGET})


@dataclass(frozen=True, slots=True)
class Controls:
    """Which ads may deliver; budgets and bids of ad sets in minor units (NaN: none)."""

    delivering: Bools
    adset_daily: Floats
    campaign_daily: Floats
    lifetime: Floats
    lifetime_end: Floats
    bid: Floats
    is_cost_cap: Bools
    limits: Limits | None = None


def controls_of(population: Population, *, hour: int, start: datetime) -> Controls:
    """Return what the nodes' settings amount to."""
    now = start + timedelta(hours=hour)
    live = [node.status == "ACTIVE" and runs_at(node, now) for node in population.campaigns]
    live_sets = [
        node.status == "ACTIVE" and live[node.parent] and runs_at(node, now)
        for node in population.adsets
    ]
    delivering = [
        node.status == "ACTIVE" and node.review == "APPROVED" and live_sets[node.parent]
        for node in population.ads
    ]
    return Controls(
        delivering=np.array(delivering, dtype=bool),
        adset_daily=_column([daily_budget_at(node, now) for node in population.adsets]),
        campaign_daily=_column([daily_budget_at(node, now) for node in population.campaigns]),
        lifetime=_column([node.lifetime_budget_minor for node in population.adsets]),
        lifetime_end=np.array([_end_hour(node, start) for node in population.adsets], dtype=float),
        bid=_column([bid_in_force(node) for node in population.adsets]),
        is_cost_cap=np.array([_is_cost_cap(node) for node in population.adsets], dtype=bool),
        limits=limits_of(population),
    )


def controls_after(
    controls: Controls, population: Population, node: Node, *, hour: int, start: datetime
) -> Controls:
    """Return the controls after a change of one node: what `controls_of` gives, without a walk."""
    now = start + timedelta(hours=hour)
    row = population.rows[node.id][1]
    fresh = replace(controls, delivering=_delivering_after(controls, population, node, now=now))
    if controls.limits is not None or _LIMITS & node.settings.keys():
        fresh = replace(fresh, limits=limits_of(population))
    if node.level is EntityType.CAMPAIGN:
        budget = _or_nan(daily_budget_at(node, now))
        return replace(fresh, campaign_daily=_with(controls.campaign_daily, row, budget))
    if node.level is EntityType.ADSET:
        return replace(
            fresh,
            adset_daily=_with(controls.adset_daily, row, _or_nan(daily_budget_at(node, now))),
            lifetime=_with(controls.lifetime, row, _or_nan(node.lifetime_budget_minor)),
            lifetime_end=_with(controls.lifetime_end, row, _end_hour(node, start)),
            bid=_with(controls.bid, row, _or_nan(bid_in_force(node))),
            is_cost_cap=_with_flag(controls.is_cost_cap, row, is_set=_is_cost_cap(node)),
        )
    return fresh


def grown(controls: Controls, fresh: Controls) -> Controls:
    """Return `controls` with room for what was added since: there, but without effect."""
    columns: dict[str, Any] = {}
    for one in fields(Controls):
        old, new = getattr(controls, one.name), getattr(fresh, one.name)
        if isinstance(new, np.ndarray):
            columns[one.name] = np.concatenate([old, new[len(old) :]])
    columns["delivering"][len(controls.delivering) :] = False
    return replace(controls, **columns)


def _delivering_after(
    controls: Controls, population: Population, node: Node, *, now: datetime
) -> Bools:
    row, ads = population.rows[node.id][1], population.ad_traits.adset
    if node.level is EntityType.CAMPAIGN:
        touched = np.flatnonzero(population.adset_traits.campaign[ads] == row)
    elif node.level is EntityType.ADSET:
        touched = np.flatnonzero(ads == row)
    else:
        touched = np.array([row])
    delivering = controls.delivering.copy()
    delivering[touched] = [_delivers(population, int(ad), now) for ad in touched]
    return delivering


def _delivers(population: Population, row: int, now: datetime) -> bool:
    ad = population.ads[row]
    adset = population.adsets[ad.parent]
    campaign = population.campaigns[adset.parent]
    return ad.review == "APPROVED" and all(
        node.status == "ACTIVE" and (node is ad or runs_at(node, now))
        for node in (ad, adset, campaign)
    )


def _end_hour(node: Node, start: datetime) -> float:
    return np.nan if node.end is None else (node.end - start) / timedelta(hours=1)


def _is_cost_cap(node: Node) -> bool:
    return node.settings.get("bid_strategy") == COST_CAP


def _or_nan(value: int | None) -> float:
    return np.nan if value is None else float(value)


def _column(values: list[int | None]) -> Floats:
    return np.array([_or_nan(value) for value in values])


def _with(column: Floats, row: int, value: float) -> Floats:
    fresh = column.copy()
    fresh[row] = value
    return fresh


def _with_flag(column: Bools, row: int, *, is_set: bool) -> Bools:
    fresh = column.copy()
    fresh[row] = is_set
    return fresh
