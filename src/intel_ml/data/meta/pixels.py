"""Pixel statistics and match quality to facts.

    funnel      percent of the events of one step that reached the next, over seven days:
                page_view_to_view_content, view_content_to_add_to_cart, and so on to purchase

Reads   the rows of `adspixels`, `{pixel}/stats` (an hour a row, with its zone) and the body of
        `dataset_quality`.
Gives   a `Pixel`.
Never   takes a permission that is missing for a pixel that is silent: what could not be read is
        None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from intel_ml.core.days import account_day
from intel_ml.core.errors import InvalidValueError
from intel_ml.data.facts import Pixel
from intel_ml.data.meta.rows import amount, clean, count, moment

_STEPS = (
    ("PageView", "page_view"),
    ("ViewContent", "view_content"),
    ("AddToCart", "add_to_cart"),
    ("InitiateCheckout", "initiate_checkout"),
    ("Purchase", "purchase"),
)
_BEST_SCORE = 10.0
_PERCENT = 100


def pixel(
    row: Mapping[str, Any],
    *,
    hours: Sequence[Any] | None,
    quality: Mapping[str, Any] | None,
    now: datetime,
    zone: str,
) -> Pixel:
    """Return one pixel; `hours` and `quality` are None where they could not be read."""
    identity = row.get("id")
    if not isinstance(identity, str | int):
        raise InvalidValueError(path="id", problem="the pixel has no id")
    by_day = None if hours is None else _by_day(hours, zone)
    week = None if by_day is None else _sum(by_day.values())
    today = None if by_day is None else by_day.get(account_day(now, zone).isoformat(), Counter())
    name = row.get("name")
    return Pixel(
        id=str(identity),
        name=clean(str(name)) if name is not None else None,
        events_today=None if today is None else today.total(),
        events_7d=None if week is None else week.total(),
        events_by_name=None if week is None else dict(week),
        match_quality=match_quality(quality),
        last_fired_at=moment(row.get("last_fired_time"), "last_fired_time"),
        funnel=None if week is None else funnel(week),
    )


def match_quality(body: Mapping[str, Any] | None) -> float | None:
    """Return the score of purchases, or the mean of all events where there are none.

    None when Meta gives no score.
    """
    events = body.get("web") if body else None
    scores: dict[str, float] = {}
    for event in events if isinstance(events, list) else ():
        inner = event.get("event_match_quality") if isinstance(event, Mapping) else None
        score = inner.get("composite_score") if isinstance(inner, Mapping) else None
        if score is not None:
            scores[str(event.get("event_name"))] = min(
                amount(score, "composite_score"), _BEST_SCORE
            )
    if not scores:
        return None
    return scores.get("Purchase", sum(scores.values()) / len(scores))


def funnel(events: Mapping[str, int]) -> dict[str, float]:
    """Return the percentage that goes on from each step; a step without events has none.

    >>> funnel({"PageView": 200, "ViewContent": 50})
    {'page_view_to_view_content': 25.0}
    """
    steps = [(name, events.get(event, 0)) for event, name in _STEPS if events.get(event)]
    return {
        f"{before}_to_{after}": round(_PERCENT * reached / began, 2)
        for (before, began), (after, reached) in pairwise(steps)
    }


def _by_day(hours: Iterable[Any], zone: str) -> dict[str, Counter[str]]:
    days: dict[str, Counter[str]] = {}
    for hour in hours:
        start = moment(hour.get("start_time"), "start_time") if isinstance(hour, Mapping) else None
        if start is None:
            raise InvalidValueError(
                path="start_time", problem="an hour of pixel events has no time"
            )
        events = days.setdefault(account_day(start, zone).isoformat(), Counter())
        for event in hour.get("data") or ():
            events[clean(str(event.get("value")))] += count(event.get("count", 0), "count")
    return days


def _sum(days: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for day in days:
        total.update(day)
    return total
