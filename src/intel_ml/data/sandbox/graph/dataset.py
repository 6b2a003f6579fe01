"""The quality of a dataset's events: how well they match to people, and what is missing.

Reads   a world's pixel events of the last seven days, and its match quality.
Gives   `dataset_quality` in Meta's shape, whose root key is `web`.
Never   knows of events without a browser: web events only, as at Meta.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import split_top
from intel_ml.data.sandbox.mechanisms.pixel import EVENTS
from intel_ml.data.sandbox.world import World

_KEPT_HOURS = 7 * 24
_BEST_SCORE = 10.0
_PERCENT = 100
_ALY_GAIN, _EVENT_GAIN, _FBP_TIMES = 0.6, 0.4, 1.2
QUALITY_PARAMETERS = frozenset(["dataset_id", "fields", "agent_name"])
_PARTS = {
    "event_name": frozenset[str](),
    "event_match_quality": frozenset({"composite_score", "match_key_feedback", "diagnostics"}),
    "event_coverage": frozenset({"percentage", "goal_percentage", "description"}),
    "dedupe_key_feedback": frozenset(
        {
            "dedupe_key",
            "browser_events_with_dedupe_key",
            "server_events_with_dedupe_key",
            "overall_browser_coverage_from_dedupe_key",
        }
    ),
    "data_freshness": frozenset({"upload_frequency", "description"}),
    "acr": frozenset({"percentage", "description"}),
    "event_potential_aly_acr_increase": frozenset({"percentage", "description"}),
}
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
Parts = tuple[tuple[str, tuple[str, ...]], ...]


def dataset_quality(world: World, row: int, *, params: Mapping[str, str]) -> dict[str, Any]:
    """Return how well each web event matches to people."""
    asked = _asked_parts(params.get("fields", "web{event_name,event_match_quality}"))
    recent = world.pixel_events[-_KEPT_HOURS:]
    total = [sum(int(events[row][n]) for events in recent) for n in range(len(EVENTS))]
    web = []
    for n, name in enumerate(EVENTS):
        if total[n]:
            quality = _quality(world, row, name, total[n])
            web.append({part: _picked(quality[part], inner) for part, inner in asked})
    return {"web": web, "id": params["dataset_id"]}


def match_score(world: World, row: int) -> float:
    """Return an account's match quality for purchases: the configured one, drifting weekly."""
    scores = world.file.pixel.match_quality(world.delivery.match_quality, hour=world.hour)
    return round(float(scores[row]), 1)


def _quality(world: World, row: int, name: str, count: int) -> dict[str, Any]:
    score = round(match_score(world, row) * _SCORE_FACTOR[name], 1)
    email = round(_PERCENT * score / _BEST_SCORE, 1)
    affected = round(count * (1 - score / _BEST_SCORE))
    missing = round(_PERCENT - email, 1)
    return {
        "event_name": name,
        "event_match_quality": {
            # Whole scores come as integers.
            "composite_score": int(score) if score.is_integer() else score,
            "match_key_feedback": [
                _key("email", email, gain=missing),
                _key("ip_address", _PERCENT, gain=0),
                _key("fbp", min(100.0, round(email * _FBP_TIMES, 1)), gain=round(missing / 2, 1)),
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
        "event_coverage": {
            "percentage": _COVERAGE[name],
            "goal_percentage": 75,
            "description": "Browser events that are sent by the server as well.",
        },
        "dedupe_key_feedback": [
            {
                "dedupe_key": "event_id",
                "browser_events_with_dedupe_key": {"percentage": 100},
                "server_events_with_dedupe_key": {"percentage": 100},
                "overall_browser_coverage_from_dedupe_key": {"percentage": _COVERAGE[name]},
            }
        ],
        "data_freshness": {
            "upload_frequency": "real_time",
            "description": "Events arrive as they happen.",
        },
        "acr": {
            "percentage": round(email / 2, 1),
            "description": "More conversions reported with the server's events.",
        },
        "event_potential_aly_acr_increase": {
            "percentage": round(missing * _EVENT_GAIN, 1),
            "description": "What better matching could still add.",
        },
    }


def _key(identifier: str, coverage: float, *, gain: float) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "coverage": {"percentage": coverage},
        "potential_aly_acr_increase": {
            "percentage": round(gain * _ALY_GAIN, 2),
            "description": f"What sending more {identifier} could still add.",
        },
    }


def _picked(value: Any, names: tuple[str, ...]) -> Any:
    if not names:
        return value
    if isinstance(value, list):
        return [_picked(one, names) for one in value]
    return {name: value[name] for name in names if name in value}


def _asked_parts(text: str) -> Parts:
    name, _, rest = text.partition("{")
    if name.strip() != "web":
        raise _unknown(name, "DatasetQuality")
    found = []
    for part in split_top(rest.removesuffix("}")):
        outer, _, inside = part.partition("{")
        if outer not in _PARTS:
            raise _unknown(outer, "DatasetQualityWeb")
        inner = tuple(one.partition("{")[0] for one in split_top(inside.removesuffix("}")))
        for one in inner:
            if one not in _PARTS[outer]:
                raise _unknown(one, outer)
        found.append((outer, inner))
    return tuple(found) or (("event_name", ()),)


def _unknown(name: str, kind: str) -> Exception:
    return bad_parameter(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
