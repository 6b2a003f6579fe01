"""Daily budgets with the lowest cost per result, and where more money stops buying as much (§9.1).

Days of ad sets are put into ten groups of equal size by budget; each group's cost per result is
spend over results with the Poisson interval of its results. The sweet spot is every group next to
the best whose interval reaches the best one's cost; the cost rises from the first larger group
whose interval lies wholly above. Returns diminish from the first step up whose additional result
costs twice the cheapest group's. It misleads where budgets were raised *because* results were good:
that is correlation, and the pattern says from how many days it comes.

Reads   a frame of ad set days: daily_budget, spend, conversions, day (money in major units).
Gives   a `Pattern` of type budget_sweet_spot, or None.
Never   names a budget outside what was tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.intelligence.confidence import confidence
from intel_ml.intelligence.patterns.pattern import Pattern, rate

if TYPE_CHECKING:
    import pandas as pd

TYPE = "budget_sweet_spot"
MIN_DAYS_OBSERVED = 60
GROUPS = 10
_MIN_GROUPS = 3
_MIN_RESULTS = 10
_DIMINISHED = 2.0


@dataclass(frozen=True, slots=True)
class _Group:
    low: float
    high: float
    days: int
    spend_a_day: float
    results_a_day: float
    cost: float
    cost_low: float
    cost_high: float


def learn(days: pd.DataFrame) -> Pattern | None:
    """Return the account's sweet spot, None with too few days, results or different budgets."""
    rows = days.dropna(subset=["daily_budget", "spend", "conversions"])
    rows = rows[((rows["daily_budget"] > 0) & (rows["spend"] > 0)).to_numpy()]
    if len(rows) < MIN_DAYS_OBSERVED:
        return None
    groups = [g for g in _groups(rows) if g.results_a_day * g.days >= _MIN_RESULTS]
    if len(groups) < _MIN_GROUPS:
        return None
    best = min(range(len(groups)), key=lambda at: groups[at].cost)
    first, last = _around(groups, best)
    dearer = [g.low for g in groups[best + 1 :] if g.cost_low > groups[best].cost_high]
    costs = [group.cost for group in groups]
    data = {
        "type": TYPE,
        "optimal_daily_budget_range": {"min": groups[first].low, "max": groups[last].high},
        "cpa_increases_above": dearer[0] if dearer else None,
        "diminishing_returns_at": _diminishing(groups, best),
        "groups": [
            {
                "budget_min": g.low,
                "budget_max": g.high,
                "days": g.days,
                "cpa": g.cost,
                "cpa_low": g.cost_low,
                "cpa_high": g.cost_high if math.isfinite(g.cost_high) else None,
            }
            for g in groups
        ],
    }
    spread = float(np.std(costs) / np.mean(costs))
    span = int(rows["day"].nunique())
    sure = confidence(len(rows), std_dev=spread, time_span_days=span)
    return Pattern(TYPE, data, sure, len(rows))


def _groups(rows: pd.DataFrame) -> list[_Group]:
    budgets = rows["daily_budget"].to_numpy(dtype=np.float64)
    edges = np.unique(np.quantile(budgets, np.linspace(0, 1, GROUPS + 1)))
    inside = np.clip(np.searchsorted(edges, budgets, side="right") - 1, 0, max(len(edges) - 2, 0))
    groups = []
    for at in np.unique(inside):
        part = rows[inside == at]
        spend, results = float(part["spend"].sum()), float(part["conversions"].sum())
        bought = rate(results, spend)
        groups.append(
            _Group(
                low=float(part["daily_budget"].min()),
                high=float(part["daily_budget"].max()),
                days=len(part),
                spend_a_day=spend / len(part),
                results_a_day=results / len(part),
                cost=spend / results if results else math.inf,
                cost_low=1 / bought.high,
                cost_high=1 / bought.low if bought.low > 0 else math.inf,
            )
        )
    return groups


def _around(groups: list[_Group], best: int) -> tuple[int, int]:
    """Return the first and last group that can't be told from the best one."""
    first = last = best
    while first > 0 and groups[first - 1].cost_low <= groups[best].cost:
        first -= 1
    while last + 1 < len(groups) and groups[last + 1].cost_low <= groups[best].cost:
        last += 1
    return first, last


def _diminishing(groups: list[_Group], best: int) -> float | None:
    """Return the budget from which an additional result costs twice the cheapest."""
    for before, after in zip(groups[best:], groups[best + 1 :], strict=False):
        more_spend = after.spend_a_day - before.spend_a_day
        more_results = after.results_a_day - before.results_a_day
        if more_spend > 0 and more_results * _DIMINISHED * groups[best].cost < more_spend:
            return after.low
    return None
