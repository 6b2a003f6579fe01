"""What takes effect by itself when its time comes: starts, ends, scheduled budget raises.

Reads   a node's own times and periods.
Gives   whether it runs at a moment, and on which daily budget.
Never   moves a clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from intel_ml.data.sandbox.population import Node, Population

_HOUR = timedelta(hours=1)


def daily_budget_at(node: Node, moment: datetime) -> int | None:
    """Return the daily budget in force: the highest of the periods that last at the moment."""
    budget = node.daily_budget_minor
    if budget is None or not node.periods:
        return budget
    raised = [one.raised(budget) for one in node.periods if one.start <= moment < one.end]
    return max(raised, default=budget)


def runs_at(node: Node, moment: datetime) -> bool:
    """Return whether a moment lies between a node's start and end."""
    return (node.begin is None or node.begin <= moment) and (node.end is None or moment < node.end)


def turning_points(population: Population) -> frozenset[datetime]:
    """Return the whole hours at which something starts or ends by itself."""
    found: set[datetime] = set()
    for nodes in (population.campaigns, population.adsets):
        for node in nodes:
            found.update(one for one in (node.begin, node.end) if one is not None)
            for period in node.periods:
                found.update((period.start, period.end))
    return frozenset(_next_hour(moment) for moment in found)


def _next_hour(moment: datetime) -> datetime:
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + _HOUR
