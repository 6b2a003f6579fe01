"""Limits on spending beside the budgets: caps and targets of ad sets, and caps of campaigns.

    share of the campaign's budget  part_i = clip(part_i, least_i / pool, most_i / pool), and what
                                    this gives or takes is shared by the ad sets without a limit hit
    hour's plan of an ad set        <= most_i - spent today
    hour's plan of a campaign       <= spend cap - spent so far

`daily_min_spend_target` and `daily_spend_cap` need a daily budget of the campaign (Marketing API,
"Advantage campaign budget"); a target is best effort, so it never creates money.

Reads   shares, plans and what was spent.
Gives   the same within the limits.
Never   costs anything while nobody has set a limit: `limits_of` gives None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.population import Node, Population

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAILY_CAP, DAILY_TARGET = "daily_spend_cap", "daily_min_spend_target"
CAMPAIGN_CAP = "spend_cap"
#: Without a cap there is no bid, even where an older one is still written down.
LOWEST_COST = "LOWEST_COST_WITHOUT_CAP"
NEEDS_BID = ("LOWEST_COST_WITH_BID_CAP", "COST_CAP")
_ROUNDS = 4
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Limits:
    """Columns in minor units; where nothing is set, 0 for targets and infinity for caps."""

    adset_least: Floats
    adset_most: Floats
    campaign_most: Floats

    def parts(self, part: Floats, *, pool: Floats, campaign: Ints) -> Floats:
        """Return each ad set's share of its campaign's budget `pool` (a column over ad sets)."""
        money = np.where(np.isfinite(pool), np.maximum(pool, _LEAST), 1.0)
        low, high = np.minimum(self.adset_least / money, 1.0), self.adset_most / money
        within, is_fixed = part, part <= 0
        for _ in range(_ROUNDS):
            clipped = np.clip(within, low, high)
            is_fixed = is_fixed | (clipped != within)
            within = np.where(is_fixed & (part > 0), clipped, within)
            left = 1.0 - np.bincount(campaign, weights=np.where(is_fixed, within, 0.0))
            free = np.bincount(campaign, weights=np.where(is_fixed, 0.0, part))
            scale = np.maximum(left, 0.0) / np.maximum(free, _LEAST)
            within = np.where(is_fixed, within, part * scale[campaign])
        within = np.minimum(within, high)
        total = np.bincount(campaign, weights=within)
        return np.asarray(within / np.maximum(total, 1.0)[campaign])

    def plan(self, plan: Floats, *, spent_today: Floats, spent: Floats, campaign: Ints) -> Floats:
        """Return the hour's plan of each ad set, cut where a cap is near."""
        capped = np.minimum(plan, np.maximum(self.adset_most - spent_today, 0.0))
        count = len(self.campaign_most)
        asked = np.bincount(campaign, weights=capped, minlength=count)
        left = self.campaign_most - np.bincount(campaign, weights=spent, minlength=count)
        scale = np.clip(left, 0.0, None) / np.maximum(asked, _LEAST)
        return np.asarray(capped * np.minimum(scale, 1.0)[campaign])


def limits_of(population: Population) -> Limits | None:
    """Return the limits people have set, None while there are none."""
    if not any(
        node.settings.get(name)
        for nodes, names in (
            (population.adsets, (DAILY_CAP, DAILY_TARGET)),
            (population.campaigns, (CAMPAIGN_CAP,)),
        )
        for node in nodes
        if node.settings
        for name in names
    ):
        return None
    return Limits(
        adset_least=_column(population.adsets, DAILY_TARGET, 0.0),
        adset_most=_column(population.adsets, DAILY_CAP, np.inf),
        campaign_most=_column(population.campaigns, CAMPAIGN_CAP, np.inf),
    )


def bid_in_force(node: Node) -> int | None:
    """Return the bid that limits an ad set, None where its strategy has none."""
    return None if node.settings.get("bid_strategy") == LOWEST_COST else node.bid_amount_minor


def is_pooled(population: Population, node: Node) -> bool:
    """Return whether an ad set lives on its campaign's budget."""
    return (
        node.level is EntityType.ADSET
        and population.campaigns[node.parent].daily_budget_minor is not None
    )


def _column(nodes: Sequence[Node], name: str, without: float) -> Floats:
    return np.array([float(node.settings.get(name) or without) for node in nodes])
