"""Pixel events by hour, in each of the API's sixteen aggregations; and the pixel's diagnostics.

    event, event_total_counts, pixel_fire   what the world played
    the others                              the same events by what sent them, in fixed shares that
                                            add up to all of them
    custom_data_field, match_keys, had_pii  how many events carried it: one may carry several

Reads   a world's pixel events of the last seven days.
Gives   `{pixel}/stats` and `{pixel}/da_checks` in Meta's shapes.
Never   looks back further than seven days: Meta doesn't keep it.

Only `event` is documented value by value; the names of the others' values are the usual ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from intel_ml.data.sandbox.graph.calls import PAGED
from intel_ml.data.sandbox.graph.dataset import match_score
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.listing import bounds, is_whole, page, parse_names
from intel_ml.data.sandbox.graph.nodes import last_fired, moment_text
from intel_ml.data.sandbox.mechanisms.pixel import EVENTS
from intel_ml.data.sandbox.world import World

_KEPT_HOURS = 7 * 24
_SILENT_HOURS = 24
_HOUR = timedelta(hours=1)
_BEST_SCORE, _GOOD_SCORE = 10.0, 6.0
STATS = PAGED | {"agent", "aggregation", "start_time", "end_time", "event", "event_source"}
CHECKS = PAGED | {"checks", "connection_method"}
_CONNECTIONS = ("ALL", "APP", "BROWSER", "SERVER")
_SOURCES = {"WEB_ONLY": 0.62, "SERVER_ONLY": 0.38}
#: Shares of the events by value; each adds up to one.
_SHARES: dict[str, tuple[tuple[str, float], ...]] = {
    "browser_type": (
        ("Chrome", 0.5),
        ("Safari", 0.34),
        ("In-App Browser", 0.12),
        ("Firefox", 0.04),
    ),
    "device_os": (("iOS", 0.42), ("Android", 0.36), ("Windows", 0.15), ("Mac OS X", 0.07)),
    "device_type": (("mobile", 0.74), ("desktop", 0.22), ("tablet", 0.04)),
    "event_detection_method": (("manual", 0.93), ("automatic", 0.07)),
    "event_processing_results": (("accepted", 0.97), ("deduplicated", 0.03)),
    "event_source": (("WEB_ONLY", _SOURCES["WEB_ONLY"]), ("SERVER_ONLY", _SOURCES["SERVER_ONLY"])),
    "host": (("www.example.com", 0.9), ("checkout.example.com", 0.1)),
    "url": (
        ("https://www.example.com/", 0.4),
        ("https://www.example.com/products", 0.5),
        ("https://checkout.example.com/", 0.1),
    ),
    "url_by_rule": (("all pages", 1.0),),
}
#: Shares of the events that carry a value; `match_keys` and `had_pii` follow the match quality.
_CARRIED: dict[str, tuple[tuple[str, float], ...]] = {
    "custom_data_field": (("currency", 0.45), ("value", 0.45), ("content_ids", 0.4)),
    "match_keys": (("ip_address", 1.0), ("fbp", 0.9), ("email", 0.8)),
    "had_pii": (("true", 0.8),),
}
_AS_PLAYED = ("event", "event_total_counts", "event_value_count", "pixel_fire")
AGGREGATIONS = tuple(sorted((*_AS_PLAYED, *_SHARES, *_CARRIED)))
_PAYING = ("AddToCart", "InitiateCheckout", "Purchase")
Counts = list[dict[str, Any]]


def pixel_stats(world: World, row: int, *, params: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the events of an account's pixel, hour by hour, or their totals."""
    asked = [name for name, _ in parse_fields(params.get("fields", ""), "stats")]
    aggregation = params.get("aggregation", "event")
    if aggregation not in AGGREGATIONS:
        raise bad_parameter(
            f"aggregation must be one of the following values: {', '.join(AGGREGATIONS)}"
        )
    source = params.get("event_source")
    if source is not None and source not in _SOURCES:
        raise bad_parameter(f"event_source must be one of the following values: {list(_SOURCES)}")
    first, end = _hours(world, params)
    name = params.get("event")
    every = [(h, _played(world, row, h, event=name, source=source)) for h in range(first, end)]
    if aggregation == "event_total_counts":
        total = {one: sum(hour[one] for _, hour in every) for one in EVENTS}
        every = [(first, total)]
    score = match_score(world, row)
    items = [
        _item(world, row, hour, _counts(played, aggregation, score), aggregation)
        for hour, played in every
    ]
    items = [item for item in items if item["data"]]
    low, high = bounds({"limit": str(_KEPT_HOURS), **params}, total=len(items))
    rows = [{key: item[key] for key in asked or item} for item in items[low:high]]
    return page(rows, params=params, url=url, span=(low, high, len(items)))


def pixel_checks(world: World, row: int, *, params: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the diagnostics of an account's pixel: what was tried and how it went."""
    asked = [name for name, _ in parse_fields(params.get("fields", ""), "check")]
    if params.get("connection_method", _CONNECTIONS[0]) not in _CONNECTIONS:
        raise bad_parameter(
            f"connection_method must be one of the following values: {', '.join(_CONNECTIONS)}"
        )
    wanted = parse_names(params.get("checks"), "checks")
    silent = (world.now - last_fired(world, row)) // _HOUR
    recent = [
        world.pixel_events[h][row] for h in range(max(world.hour - _KEPT_HOURS, 0), world.hour)
    ]
    bought = sum(int(events[EVENTS.index("Purchase")]) for events in recent)
    checks = [
        _check(
            "pixel_fired_recently", "The pixel sent events in the last day", silent < _SILENT_HOURS
        ),
        _check("purchase_events_received", "Purchases were received in the last week", bought > 0),
        _check(
            "match_quality_good",
            "Events match to people well",
            match_score(world, row) >= _GOOD_SCORE,
        ),
    ]
    rows = [one for one in checks if not wanted or one["key"] in wanted]
    low, high = bounds(params, total=len(rows))
    shown = [{key: one[key] for key in asked or one} for one in rows[low:high]]
    return page(shown, params=params, url=url, span=(low, high, len(rows)))


def _check(key: str, title: str, is_good: bool) -> dict[str, str]:  # noqa: FBT001  # the finding
    return {
        "key": key,
        "title": title,
        "description": f"{title}.",
        "result": "passed" if is_good else "failed",
        "user_message": "" if is_good else f"Not so: {title.lower()}.",
        "action_uri": "https://business.facebook.com/events_manager2",
    }


def _played(
    world: World, row: int, hour: int, *, event: str | None, source: str | None
) -> dict[str, int]:
    """Return the events of an hour by name, those of one source if it is asked for."""
    counts = dict(zip(EVENTS, world.pixel_events[hour][row].tolist(), strict=True))
    for name in EVENTS:
        if event not in (None, name):
            counts[name] = 0
        if source is not None:
            parts = _split(counts[name], tuple(_SOURCES.items()))
            counts[name] = parts[source]
    return counts


def _counts(played: Mapping[str, int], aggregation: str, score: float) -> Counts:
    total = sum(played.values())
    match aggregation:
        case "event" | "event_total_counts":
            pairs = list(played.items())
        case "pixel_fire":
            pairs = [("pixel_fire", total)]
        case "event_value_count":
            # Only these carry a price.
            return [
                {"event": name, "value": "value", "count": played[name]}
                for name in _PAYING
                if played[name]
            ]
        case "custom_data_field":
            paying = sum(played[name] for name in _PAYING)
            pairs = [(name, round(share * paying)) for name, share in _CARRIED[aggregation]]
        case "match_keys" | "had_pii":
            reached = total * score / _BEST_SCORE
            pairs = [
                (name, total if name == "ip_address" else round(share * reached))
                for name, share in _CARRIED[aggregation]
            ]
        case _:
            pairs = list(_split(total, _SHARES[aggregation]).items())
    return [{"value": name, "count": count} for name, count in pairs if count]


def _split(total: int, shares: tuple[tuple[str, float], ...]) -> dict[str, int]:
    """Return whole parts that add up to the total."""
    ends = accumulate((share for _, share in shares), initial=0.0)
    return {
        name: round(total * high) - round(total * low)
        for (name, _), (low, high) in zip(shares, pairwise(ends), strict=True)
    }


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


def _item(world: World, row: int, hour: int, data: Counts, aggregation: str) -> dict[str, Any]:
    zone = world.population.accounts[row].time_zone
    return {
        "start_time": moment_text(world.start + hour * _HOUR, zone),
        "aggregation": aggregation,
        "data": data,
    }
