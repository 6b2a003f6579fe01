"""POST and GET on `budget_schedules`: scheduled raises of a daily budget.

Reads   a campaign or ad set with a daily budget of its own, and form values.
Gives   the id of the new period; the periods there are.
Never   takes a period that is shorter than 3 hours, overlaps another, or raises above 8 times.

Marketing API, "Budget scheduling": at most 50 periods, daily budgets only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from intel_ml.core.errors import RefusedChangeError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import HIDDEN
from intel_ml.data.sandbox.graph.errors import BAD_PARAMETER, bad_parameter, missing_object
from intel_ml.data.sandbox.graph.parameters import Params, choice, moment, only, whole
from intel_ml.data.sandbox.periods import BudgetPeriod, Raise
from intel_ml.data.sandbox.population import Node
from intel_ml.data.sandbox.world import World

_REQUIRED = ("time_start", "time_end", "budget_value", "budget_value_type")
_MOST_PERIODS = 50
_SHORTEST = timedelta(hours=3)
_MOST_TIMES = 8
_FIRST_ID = 6_300_000_000_000


def add_period(world: World, node: Node, params: Params) -> dict[str, Any]:
    """Schedule a raise of an object's daily budget."""
    if node.level is EntityType.AD:
        raise missing_object(node.id, method="post")
    only(params, _REQUIRED)
    for name in _REQUIRED:
        if name not in params:
            raise bad_parameter(f"The parameter {name} is required")
    start, end = moment(params, "time_start"), moment(params, "time_end")
    value = whole(params, "budget_value")
    kind = choice(params, "budget_value_type", tuple(Raise))
    if start is None or end is None or value is None or kind is None:
        raise bad_parameter("budget_schedules needs all of its parameters")
    count = sum(len(one.periods) for one in (*world.population.campaigns, *world.population.adsets))
    period = BudgetPeriod(str(_FIRST_ID + count + 1), start, end, value, Raise(kind))
    _check(world, node, period)
    node.periods = (*node.periods, period)
    node.updated = world.now
    world.refresh()
    return {"id": period.id}


def shown(node: Node, params: Params) -> list[dict[str, Any]]:
    """Return an object's periods that end after `time_start` and begin before `time_stop`."""
    first, last = moment(params, "time_start"), moment(params, "time_stop")
    return [
        {
            "id": one.id,
            "ad_object_id": node.id,
            "budget_value": one.value,
            "budget_value_type": one.kind.value,
            "recurrence_type": "ONE_TIME",
            "time_start": _unix(one.start),
            "time_end": _unix(one.end),
        }
        for one in node.periods
        if (first is None or one.end > first) and (last is None or one.start < last)
    ]


def _check(world: World, node: Node, period: BudgetPeriod) -> None:
    if node.status in HIDDEN:
        raise _refused("You can only edit the name of an archived or deleted object.", 1487056)
    if node.daily_budget_minor is None:
        raise _refused("Budget scheduling needs a daily budget on this object.")
    if len(node.periods) >= _MOST_PERIODS:
        raise _refused(f"An object has at most {_MOST_PERIODS} budget schedules.")
    if period.end - period.start < _SHORTEST:
        raise _refused("A budget schedule lasts at least 3 hours.")
    if period.end <= world.now:
        raise _refused("time_end must be in the future.")
    if any(one.start < period.end and period.start < one.end for one in node.periods):
        raise _refused("Budget schedules can't overlap.")
    raised = period.raised(node.daily_budget_minor)
    if not node.daily_budget_minor < raised <= _MOST_TIMES * node.daily_budget_minor:
        raise _refused(f"A budget can be raised to at most {_MOST_TIMES} times.")


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())


def _refused(message: str, subcode: int | None = None) -> RefusedChangeError:
    return RefusedChangeError(message, code=BAD_PARAMETER, subcode=subcode)
