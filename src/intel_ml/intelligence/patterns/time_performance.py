"""Hours and days that convert better or worse than the rest (§9.1).

An hour stands out when its results per impression are 20 % above or below the account's, from at
least fifty observations, and the 95 % interval of its rate leaves the account's own out. Among 24
hours one would be expected to by chance; the interval is therefore widened to 99.8 % (Bonferroni)
before an hour is named.

Reads   a frame of hours: hour (0-23), day_of_week, impressions, conversions, day.
Gives   a `Pattern` of type time_performance, or None.
Never   names an hour by its average alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from intel_ml.intelligence.confidence import confidence
from intel_ml.intelligence.patterns.pattern import Pattern, rate

if TYPE_CHECKING:
    import pandas as pd

TYPE = "time_performance"
MIN_OBSERVATIONS = 50
DEVIATION = 0.2
MIN_DAYS = 14
_MIN_RESULTS = 30
#: 99.8 % against 95 %: how much farther a bound reaches when 24 hours are looked at.
_WIDER = 3.0902 / 1.9600
_WEEKEND = frozenset({"Saturday", "Sunday"})


def learn(hours: pd.DataFrame) -> Pattern | None:
    """Return the account's hours and days, None with under two weeks or thirty results."""
    rows = hours.dropna(subset=["hour", "impressions", "conversions"])
    rows = rows[(rows["impressions"] > 0).to_numpy()]
    days = int(rows["day"].nunique())
    results, shown = float(rows["conversions"].sum()), float(rows["impressions"].sum())
    if days < MIN_DAYS or results < _MIN_RESULTS:
        return None
    by_hour = _rates(rows, "hour", results / shown)
    by_day = _rates(rows, "day_of_week", results / shown)
    relative = [entry["relative"] for entry in by_hour.values()]
    data = {
        "type": TYPE,
        "best_hours": [int(h) for h, entry in by_hour.items() if entry["is_better"]],
        "worst_hours": [int(h) for h, entry in by_hour.items() if entry["is_worse"]],
        "best_days": [d for d, entry in by_day.items() if entry["is_better"]],
        "worst_days": [d for d, entry in by_day.items() if entry["is_worse"]],
        "weekend_performance": _weekend(rows),
        "by_hour": {str(int(h)): entry for h, entry in by_hour.items()},
    }
    spread = float(np.std(relative)) if relative else 0.0
    smallest = min((entry["observations"] for entry in by_hour.values()), default=0)
    return Pattern(TYPE, data, confidence(smallest, std_dev=spread, time_span_days=days), len(rows))


def _rates(rows: pd.DataFrame, by: str, mean: float) -> dict[Any, dict[str, Any]]:
    """Return for each hour or day its rate against the account's and whether it stands out."""
    found: dict[Any, dict[str, Any]] = {}
    for key, part in rows.groupby(by, sort=True):
        own = rate(float(part["conversions"].sum()), float(part["impressions"].sum()))
        relative = own.value / mean
        low = relative - (relative - own.low / mean) * _WIDER
        high = relative + (own.high / mean - relative) * _WIDER
        enough = len(part) >= MIN_OBSERVATIONS
        found[key] = {
            "relative": relative,
            "low": max(low, 0.0),
            "high": high,
            "observations": len(part),
            "is_better": bool(enough and relative > 1 + DEVIATION and low > 1),
            "is_worse": bool(enough and relative < 1 - DEVIATION and high < 1),
        }
    return found


def _weekend(rows: pd.DataFrame) -> float | None:
    """Return the weekend's rate over that of weekdays."""
    is_weekend = rows["day_of_week"].isin(list(_WEEKEND)).to_numpy()
    parts = [rows[is_weekend], rows[~is_weekend]]
    rates = [
        float(part["conversions"].sum()) / float(part["impressions"].sum())
        if len(part)
        else math.nan
        for part in parts
    ]
    share = rates[0] / rates[1] if rates[1] > 0 else math.nan
    return share if math.isfinite(share) else None
