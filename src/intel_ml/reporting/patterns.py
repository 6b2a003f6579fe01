"""Learned patterns in words.

Reads   a pattern's type and its data.
Gives   one sentence; a part that is not known is left out.
Never   computes a pattern: `intelligence.patterns` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NOTHING = "Nothing that could be told in a sentence yet."
_HALF_DAY, _DAY = 12, 24
_PERCENT = 100
_MOST_RANGES = 3


def pattern_sentence(kind: str, data: Mapping[str, Any]) -> str:
    """Return what was learned, in a sentence.

    >>> pattern_sentence("time_performance", {"best_hours": [10, 11, 12, 13]})
    'Best hours: 10 am to 2 pm.'
    """
    parts = [part for part in _SENTENCES.get(kind, lambda _: [])(data) if part]
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if parts else _NOTHING


def hours(listed: Sequence[int]) -> str:
    """Return hours of the day as ranges.

    >>> hours([19, 20, 10])
    '10 am to 11 am, 7 pm to 9 pm'
    """
    ranges: list[list[int]] = []
    for hour in sorted(set(listed)):
        if ranges and ranges[-1][1] == hour:
            ranges[-1][1] = hour + 1
        else:
            ranges.append([hour, hour + 1])
    return ", ".join(f"{_hour(first)} to {_hour(end)}" for first, end in ranges[:_MOST_RANGES])


def _hour(hour: int) -> str:
    clock = hour % _DAY
    shown = clock % _HALF_DAY or _HALF_DAY
    return f"{shown} {'am' if clock < _HALF_DAY else 'pm'}"


def _time(data: Mapping[str, Any]) -> list[str]:
    weekend = data.get("weekend_performance")
    moved = None if weekend is None else round(_PERCENT * (float(weekend) - 1))
    best, days = data.get("best_hours"), data.get("best_days")
    return [
        f"Best hours: {hours(best)}" if best else "",
        f"Best days: {', '.join(days)}" if days else "",
        f"Weekends {abs(moved)}% {'better' if moved > 0 else 'worse'}" if moved else "",
    ]


def _fatigue(data: Mapping[str, Any]) -> list[str]:
    seen, fall, life = (
        data.get(name)
        for name in ("avg_frequency_before_decline", "ctr_decline_rate", "typical_lifespan_days")
    )
    # A share over all of it is a slope fitted on too few days: it says nothing.
    share = float(fall or 0.0)
    return [
        f"Ads tire once people have seen them about {float(seen):.0f} times" if seen else "",
        f"CTR falls {_PERCENT * share:.0f}% with each further time" if 0 < share < 1 else "",
        f"an ad lasts about {float(life):.0f} days" if life else "",
    ]


def _budget(data: Mapping[str, Any]) -> list[str]:
    best, above = data.get("optimal_daily_budget_range") or {}, data.get("cpa_increases_above")
    low, high = best.get("min"), best.get("max")
    unit = f" {data['currency']}" if data.get("currency") else ""
    best_range = ""
    if low is not None and high is not None:
        first, last = f"{low:,.0f}", f"{high:,.0f}"
        best_range = f"about {first}" if first == last else f"{first} to {last}"
    return [
        f"Best daily budget of an ad set: {best_range}{unit}" if best_range else "",
        f"CPA rises above {above:,.0f}{unit}" if above is not None else "",
    ]


def _audience(data: Mapping[str, Any]) -> list[str]:
    loss = data.get("decay_rate", data.get("cpa_increase_rate"))
    return [f"Audiences wear out: CPA rises {_PERCENT * float(loss):.0f}% a week" if loss else ""]


def _lag(data: Mapping[str, Any]) -> list[str]:
    days = data.get("median_lag_days", data.get("avg_lag_days"))
    late = data.get("share_late", data.get("late_share"))
    return [
        f"Half of the purchases are reported within {float(days):.1f} days" if days else "",
        f"{_PERCENT * float(late):.0f}% arrive after their day" if late else "",
    ]


def _seasonal(data: Mapping[str, Any]) -> list[str]:
    peak = data.get("peak_days") or data.get("best_days")
    return [f"Strongest on {', '.join(map(str, peak))}" if peak else ""]


_SENTENCES = {
    "time_performance": _time,
    "creative_fatigue": _fatigue,
    "budget_sweet_spot": _budget,
    "audience_decay": _audience,
    "conversion_lag": _lag,
    "seasonal": _seasonal,
}
