"""What states and logs show of spending: windows of money and results, a row each, and a memory.

    a row's windows      the last three days (today so far included), the four days before
    a memory's windows   four days each, remembered from the log, which don't overlap

Money is counted in targets: spend / target cost per result, so that a yield of 1 is a result per
target whatever the currency. What is missing, negative or no number is unknown, and of the unknown
nothing was seen: no exposure, no results.

Reads   spend, conversions, target, budget and frequency of states or of a log.
Gives   `Seen`, `Memory`.
Never   counts a purchase twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.features.states import States

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: What is read of a state.
FEATURES = (
    *("spend", "conversions", "spend_7d", "conversions_7d", "target_cpa"),
    *("daily_budget", "frequency", "hour_of_day", "spend_today", "budget_utilization"),
    *("siblings_spend_7d", "siblings_conversions_7d"),
)
_HOURS = 24.0
_WEEK, _FRESH_DAYS = 7.0, 3.0
#: How long a remembered window is.
WINDOW_DAYS = 4.0
_DAY_S = 86_400.0
_LEAST, _MOST = 1e-9, 1e12
#: Looks are not to the minute.
_SLACK_DAYS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What states show, a row each, money in targets; nothing seen is zero exposure.

    `pace` is what is spent in a day now. `repeats` is how often a person met the ad set in a day; 1
    where that is unknown. `pool` is the campaign budget that the ad set draws from; NaN where it
    has its own. `siblings_spend` and `siblings_results` are those of the campaign's others in a
    week.
    """

    units: tuple[str, ...]
    when: Floats
    fresh_spend: Floats
    fresh_results: Floats
    older_spend: Floats
    older_results: Floats
    fresh_pace: Floats
    pace: Floats
    repeats: Floats
    pool: Floats
    siblings_spend: Floats
    siblings_results: Floats

    def __len__(self) -> int:
        return len(self.units)


@dataclass(frozen=True, slots=True)
class Memory:
    """Four-day windows of the log: whose, when they ended, what they showed.

    `met` is how often a person met each unit in a day when it was first seen: how crowded its
    audience was before anyone changed its budget.
    """

    units: tuple[str, ...]
    met: Floats
    owner: NDArray[np.intp]
    ended: Floats
    spend: Floats
    results: Floats

    @property
    def of_unit(self) -> dict[str, int]:
        """Return the number of each unit."""
        return {unit: number for number, unit in enumerate(self.units)}


def seen_in_states(states: States) -> Seen:
    """Return what states show."""
    units = tuple(f"{one.account}|{one.id}" for one in states.entities)
    at = np.array([moment.timestamp() for moment in states.moments]) / _DAY_S
    return _seen(units, at, states.columns.get)


def seen_in_log(log: pd.DataFrame) -> Seen:
    """Return what the states of a log showed, row by row."""
    count = len(log)
    units = [
        f"{account}|{key}"
        for account, key in zip(
            log.get("ad_account_id", [""] * count),
            log.get("entity_id", [""] * count),
            strict=True,
        )
    ]
    moments = log["as_of"].to_numpy(dtype="datetime64[us]") if "as_of" in log else np.zeros(count)
    at = moments.astype(np.float64) / 1e6 / _DAY_S
    return _seen(tuple(units), at, lambda name: log.get(f"state_{name}"))


def remembered(seen: Seen) -> Memory:
    """Return the four-day windows of a log that don't overlap, the newest of each unit first kept.

    A row's window covers the fourth to the seventh day before it, which hardly anything restates.
    """
    names = tuple(sorted(set(seen.units)))
    number = {unit: at for at, unit in enumerate(names)}
    owner = np.array([number[unit] for unit in seen.units], dtype=np.intp)
    met = np.ones(len(names))
    kept, last = [], np.full(len(names), np.inf)
    for row in np.argsort(-seen.when, kind="stable"):
        if seen.older_spend[row] > 0 and seen.when[row] <= last[owner[row]] - WINDOW_DAYS:
            kept.append(int(row))
            last[owner[row]] = seen.when[row]
        met[owner[row]] = seen.repeats[row]  # newest first, so the oldest is what stays
    rows = np.array(kept[::-1], dtype=np.intp)
    return Memory(
        units=names,
        met=met,
        owner=owner[rows],
        ended=seen.when[rows] - _FRESH_DAYS,
        spend=seen.older_spend[rows],
        results=seen.older_results[rows],
    )


def joined(before: Memory, later: Memory) -> Memory:
    """Return both memories; of windows that overlap the earlier-learned stays."""
    units = tuple(sorted({*before.units, *later.units}))
    number = {unit: at for at, unit in enumerate(units)}
    met = np.ones(len(units))
    owners, rows = [], []
    last: dict[str, float] = {}
    for memory in (later, before):
        met[[number[unit] for unit in memory.units]] = memory.met
    for memory in (before, later):
        for at in np.argsort(memory.ended, kind="stable"):
            unit = memory.units[memory.owner[at]]
            if memory.ended[at] >= last.get(unit, -math.inf) + WINDOW_DAYS:
                last[unit] = float(memory.ended[at])
                owners.append(number[unit])
                rows.append((memory.ended[at], memory.spend[at], memory.results[at]))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Memory(units, met, np.array(owners, dtype=np.intp), *table.T)


def recalled(seen: Seen, memory: Memory) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (row, window) for each remembered window that a row's own week doesn't hold."""
    number = memory.of_unit
    owner = np.array([number.get(unit, -1) for unit in seen.units], dtype=np.intp)
    is_past = memory.ended[None, :] <= seen.when[:, None] - _WEEK + _SLACK_DAYS
    rows, at = np.nonzero((memory.owner[None, :] == owner[:, None]) & is_past)
    return rows, at


def met_at_first(seen: Seen, memory: Memory | None) -> Floats:
    """Return how often people met each row's ad set in a day when it was first seen."""
    met = seen.repeats.copy()
    if memory is not None:
        number = memory.of_unit
        for row, unit in enumerate(seen.units):
            if unit in number:
                met[row] = memory.met[number[unit]]
    return met


def _seen(units: Sequence[str], when: Floats, column: Callable[[str], Any]) -> Seen:
    columns: Mapping[str, Floats] = {name: _numbers(column(name), len(units)) for name in FEATURES}
    target = columns["target_cpa"]
    priced = np.isfinite(target) & (target > _LEAST)
    target = np.where(priced, target, 1.0)
    spend, week = columns["spend"] / target, columns["spend_7d"] / target
    results, weekly = columns["conversions"], columns["conversions_7d"]
    is_fresh = priced & np.isfinite(spend) & np.isfinite(results)
    is_older = is_fresh & np.isfinite(week) & np.isfinite(weekly)
    hour = np.where(np.isfinite(columns["hour_of_day"]), columns["hour_of_day"], _HOURS / 2)
    days = _FRESH_DAYS - 1 + np.clip(hour / _HOURS, 0.0, 1.0)
    fresh_pace = np.where(is_fresh, spend, 0.0) / days
    budget = columns["daily_budget"] / target
    has_budget = priced & np.isfinite(budget)
    often = columns["frequency"] / days
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        above = columns["spend_today"] / columns["budget_utilization"]
    is_pooled = ~has_budget & np.isfinite(above) & (above > 0)
    others, of_others = columns["siblings_spend_7d"] / target, columns["siblings_conversions_7d"]
    has_others = priced & np.isfinite(others) & np.isfinite(of_others)
    return Seen(
        units=tuple(units),
        when=when,
        fresh_spend=np.where(is_fresh, spend, 0.0),
        fresh_results=np.where(is_fresh, results, 0.0),
        older_spend=np.maximum(np.where(is_older, week - spend, 0.0), 0.0),
        older_results=np.maximum(np.where(is_older, weekly - results, 0.0), 0.0),
        fresh_pace=fresh_pace,
        pace=np.where(has_budget, budget, fresh_pace),
        repeats=np.where(np.isfinite(often), np.maximum(often, 1.0), 1.0),
        pool=np.where(is_pooled, above, np.nan),
        siblings_spend=np.where(has_others, others, 0.0),
        siblings_results=np.where(has_others, of_others, 0.0),
    )


def _numbers(values: Any, count: int) -> Floats:
    """Return amounts and counts; what is missing, negative or no number is unknown."""
    if values is None:
        return np.full(count, np.nan)
    found = np.asarray(values)
    if found.dtype == object:
        found = np.array([np.nan if v is None or isinstance(v, str) else v for v in found])
    numbers = np.asarray(found, dtype=np.float64)
    return np.where(numbers >= 0, np.minimum(numbers, _MOST), np.nan)
