"""Pixel events by hour, and the quality of a dataset's events.

Reads   a world's pixel events of the last seven days.
Gives   `{pixel}/stats` and `dataset_quality` in Meta's shapes.
Never   looks back further than seven days: Meta doesn't keep it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import split_top
from intel_ml.data.sandbox.graph.listing import bounds, is_whole, page
from intel_ml.data.sandbox.graph.nodes import moment_text
from intel_ml.data.sandbox.mechanisms.pixel import EVENTS
from intel_ml.data.sandbox.world import World

_KEPT_HOURS = 7 * 24
_HOUR = timedelta(hours=1)
_BEST_SCORE = 10.0
_PERCENT = 100
STATS_PARAMETERS = frozenset(
    ["aggregation", "start_time", "end_time", "event", "event_source", "limit", "after", "before"]
)
QUALITY_PARAMETERS = frozenset(["dataset_id", "fields", "agent_name"])
_PARTS = frozenset(
    {
        "event_name",
        "event_match_quality",
        "event_coverage",
        "dedupe_key_feedback",
        "data_freshness",
        "acr",
        "event_potential_aly_acr_increase",
    }
)
_COVERAGE = {
    "Purchase": 92.0,
    "InitiateCheckout": 84.0,
    "AddToCart": 78.0,
    "ViewContent": 61.0,
    "PageView": 55.0,
}
_SCORE_FACTOR = {
    "Purchase": 1.0,
    "InitiateCheckout": 0.95,
    "AddToCart": 0.9,
    "ViewContent": 0.8,
    "PageView": 0.75,
}


def pixel_stats(world: World, row: int, *, params: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the events of an account's pixel, hour by hour, or their totals."""
    aggregation = params.get("aggregation", "event")
    if aggregation not in {"event", "event_total_counts"}:
        raise bad_parameter("aggregation: this sandbox delivers event and event_total_counts")
    first, end = _hours(world, params)
    names = [name for name in EVENTS if params.get("event", name) == name]
    if aggregation == "event_total_counts":
        totals = [
            {
                "value": name,
                "count": sum(
                    int(world.pixel_events[h][row][EVENTS.index(name)]) for h in range(first, end)
                ),
            }
            for name in names
        ]
        items = [_item(world, row, first, [one for one in totals if one["count"]], aggregation)]
    else:
        items = [
            _item(world, row, h, _counts(world, row, h, names), aggregation)
            for h in range(first, end)
        ]
    items = [item for item in items if item["data"]]
    low, high = bounds({"limit": str(_KEPT_HOURS), **params}, total=len(items))
    return page(items[low:high], params=params, url=url, span=(low, high, len(items)))


def dataset_quality(world: World, row: int, *, params: Mapping[str, str]) -> dict[str, Any]:
    """Return how well each web event matches to people; the root key is `web`."""
    asked = _asked_parts(params.get("fields", "web{event_name,event_match_quality}"))
    recent = world.pixel_events[-_KEPT_HOURS:]
    total = [sum(int(events[row][n]) for events in recent) for n in range(len(EVENTS))]
    web = []
    for n, name in enumerate(EVENTS):
        if total[n]:
            quality = _quality(world, row, name, total[n])
            web.append({part: quality[part] for part in asked if part in quality})
    return {"web": web, "id": params["dataset_id"]}


def match_score(world: World, row: int) -> float:
    """Return an account's match quality for purchases: the configured one, drifting weekly."""
    base = world.population.accounts[row].match_quality
    drift = 0.3 * math.sin(2 * math.pi * world.hour / _KEPT_HOURS + row)
    return round(min(max(base + drift, 0.0), _BEST_SCORE), 1)


def _quality(world: World, row: int, name: str, count: int) -> dict[str, Any]:
    score = round(match_score(world, row) * _SCORE_FACTOR[name], 1)
    email = round(_PERCENT * score / _BEST_SCORE, 1)
    affected = round(count * (1 - score / _BEST_SCORE))
    return {
        "event_name": name,
        "event_match_quality": {
            "composite_score": score,
            "match_key_feedback": [
                {"identifier": "email", "coverage": {"percentage": email}},
                {"identifier": "ip_address", "coverage": {"percentage": 100}},
                {
                    "identifier": "fbp",
                    "coverage": {"percentage": min(100.0, round(email * 1.2, 1))},
                },
            ],
            "diagnostics": [
                {
                    "name": "Send more customer information parameters",
                    "description": "Some events arrive without an email address.",
                    "solution": "Send hashed email addresses with this event.",
                    "percentage": round(_PERCENT * affected / max(count, 1), 1),
                    "affected_event_count": affected,
                    "total_event_count": count,
                }
            ],
        },
        "event_coverage": {"percentage": _COVERAGE[name], "goal_percentage": 75},
        "dedupe_key_feedback": [
            {
                "dedupe_key": "event_id",
                "browser_events_with_dedupe_key": {"percentage": 100},
                "server_events_with_dedupe_key": {"percentage": 100},
                "overall_browser_coverage_from_dedupe_key": {"percentage": _COVERAGE[name]},
            }
        ],
        "data_freshness": {"upload_frequency": "real_time"},
        "acr": {"percentage": round(email / 2, 1)},
    }


def _asked_parts(text: str) -> tuple[str, ...]:
    name, _, rest = text.partition("{")
    if name.strip() != "web":
        raise bad_parameter(
            f"Tried accessing nonexisting field ({name}) on node type (DatasetQuality)"
        )
    parts = [part.partition("{")[0] for part in split_top(rest.removesuffix("}"))]
    for part in parts:
        if part not in _PARTS:
            raise bad_parameter(
                f"Tried accessing nonexisting field ({part}) on node type (DatasetQualityWeb)"
            )
    return tuple(parts) or ("event_name",)


def _hours(world: World, params: Mapping[str, str]) -> tuple[int, int]:
    oldest = max(world.hour - _KEPT_HOURS, 0)
    first = _hour_of(world, params["start_time"]) if "start_time" in params else oldest
    end = _hour_of(world, params["end_time"]) if "end_time" in params else world.hour
    return max(first, oldest), min(end, world.hour)


def _hour_of(world: World, text: str) -> int:
    try:
        if is_whole(text):
            moment = datetime.fromtimestamp(int(text), tz=UTC)
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise bad_parameter("start_time and end_time must be moments") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return -((world.start - moment) // _HOUR)


def _counts(world: World, row: int, hour: int, names: list[str]) -> list[dict[str, Any]]:
    events = world.pixel_events[hour][row]
    counts = {name: int(events[EVENTS.index(name)]) for name in names}
    return [{"value": name, "count": count} for name, count in counts.items() if count]


def _item(
    world: World, row: int, hour: int, data: list[dict[str, Any]], aggregation: str
) -> dict[str, Any]:
    zone = world.population.accounts[row].time_zone
    return {
        "start_time": moment_text(world.start + hour * _HOUR, zone),
        "aggregation": aggregation,
        "data": data,
    }
