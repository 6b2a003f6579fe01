"""What a broken platform answers: named failures, and rows with nonsense in them.

Reads   the name of a failure; an answer and which of its fields to spoil.
Gives   Meta's error with the usage headers that belong to it; the spoilt answer.
Never   touches the answer it was given.

Codes from the Marketing API's pages on rate limiting and errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.json_text import dumps

_FULL = 100
_TIER = "standard_access"
_SERVER_ERROR = 500
_FORBIDDEN = 403
_BARE = {"@bare NaN@": b"NaN", "@bare Infinity@": b"Infinity"}
_MISSING = object()

#: Failures by name: what Graph says, and which usage header says so too.
KINDS: dict[str, tuple[GraphError, str | None]] = {
    "app_throttled": (
        GraphError("(#4) Application request limit reached", code=4, is_transient=True),
        "app",
    ),
    "account_throttled": (
        GraphError(
            "User request limit reached: ad account has too many API calls",
            code=17,
            subcode=2446079,
            is_transient=True,
        ),
        "account",
    ),
    "too_many_calls": (
        GraphError(
            "(#613) Calls to this api have exceeded the rate limit.",
            code=613,
            subcode=1487742,
            is_transient=True,
        ),
        "account",
    ),
    "business_throttled": (
        GraphError(
            "(#80004) There have been too many calls to this ad-account.",
            code=80004,
            subcode=2446079,
            is_transient=True,
        ),
        "business",
    ),
    "insights_throttled": (
        GraphError(
            "Please wait a bit: insights platform is under load",
            code=4,
            subcode=1504022,
            is_transient=True,
        ),
        "insights",
    ),
    "token_expired": (
        GraphError(
            "Error validating access token: Session has expired",
            code=190,
            subcode=463,
            status=401,
        ),
        None,
    ),
    "token_revoked": (
        GraphError(
            "Error validating access token: the user has changed the password",
            code=190,
            subcode=460,
            status=401,
        ),
        None,
    ),
    "permission": (
        GraphError(
            "(#200) Ad account owner has NOT grant ads_management or ads_read permission",
            code=200,
            status=_FORBIDDEN,
        ),
        None,
    ),
    "transient": (
        GraphError(
            "An unexpected error has occurred. Please retry your request later.",
            code=2,
            status=_SERVER_ERROR,
            is_transient=True,
        ),
        None,
    ),
    "too_much_data": (
        GraphError(
            "Please reduce the amount of data you're asking for, then retry your request",
            code=1,
            status=_SERVER_ERROR,
        ),
        None,
    ),
    "sync_timeout": (
        GraphError(
            "The request timed out; ask for a shorter time range or use an asynchronous report",
            code=2,
            subcode=1504038,
        ),
        None,
    ),
    "blocked": (
        GraphError(
            "The action attempted has been deemed abusive or is otherwise disallowed",
            code=368,
            subcode=1404082,
        ),
        None,
    ),
}

#: Kinds of nonsense by name: what stands where a value stood.
NONSENSE: dict[str, Callable[[Any], Any]] = {
    "negative": lambda seen: "-5" if isinstance(seen, str) else -5,
    "nan_text": lambda _: "NaN",
    "infinite_text": lambda _: "Infinity",
    "overflowing_text": lambda _: "1e309",
    "huge": lambda seen: "9" * 30 if isinstance(seen, str) else 10**18,
    "text": lambda _: "not a number",
    "unknown_enum": lambda _: "NO_SUCH_VALUE",
    "null": lambda _: None,
    "list": lambda seen: [seen],
    "object": lambda seen: {"value": seen},
    "number": lambda _: 7,
    "empty_text": lambda _: "",
    "missing": lambda _: _MISSING,
    "bare_nan": lambda _: "@bare NaN@",
    "bare_infinity": lambda _: "@bare Infinity@",
}


def usage_headers(header: str | None, *, account: str) -> dict[str, str]:
    """Return the usage header that is full when a limit is reached."""
    match header:
        case "app":
            full = {"call_count": _FULL, "total_time": _FULL, "total_cputime": _FULL}
            return {"X-App-Usage": json.dumps(full)}
        case "account":
            used = {
                "acc_id_util_pct": float(_FULL),
                "reset_time_duration": 300,
                "ads_api_access_tier": _TIER,
            }
            return {"X-Ad-Account-Usage": json.dumps(used)}
        case "business":
            case = {
                "type": "ads_insights",
                "call_count": _FULL,
                "total_cputime": _FULL,
                "total_time": _FULL,
                "estimated_time_to_regain_access": 5,
                "ads_api_access_tier": _TIER,
            }
            return {"X-Business-Use-Case-Usage": json.dumps({account: [case]})}
        case "insights":
            used = {"app_id_util_pct": _FULL, "acc_id_util_pct": _FULL}
            return {
                "X-FB-Ads-Insights-Throttle": json.dumps({**used, "ads_api_access_tier": _TIER})
            }
        case _:
            return {}


def spoilt(body: Any, *, nonsense: str, fields: Collection[str]) -> Any:
    """Return a body whose rows have nonsense in these fields, or in all when none is named.

    >>> spoilt({"data": [{"id": "1", "spend": "2"}]}, nonsense="negative", fields=["spend"])
    {'data': [{'id': '1', 'spend': '-5'}]}
    """
    if isinstance(body, list):
        return [_spoilt_item(item, nonsense, fields) for item in body]
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        return {**body, "data": [_spoilt_row(row, nonsense, fields) for row in body["data"]]}
    return _spoilt_row(body, nonsense, fields)


def text_of(body: Any) -> bytes:
    """Return a body as JSON, or as what only resembles it where bare words were put in."""
    text = dumps(body)
    for marker, word in _BARE.items():
        text = text.replace(f'"{marker}"'.encode(), word)
        text = text.replace(f'\\"{marker}\\"'.encode(), word)
    return text


def _spoilt_item(item: Any, nonsense: str, fields: Collection[str]) -> Any:
    """Return an item of a batch with its inner body spoilt."""
    if not isinstance(item, dict) or not isinstance(item.get("body"), str):
        return item
    inner = spoilt(json.loads(item["body"]), nonsense=nonsense, fields=fields)
    return {**item, "body": dumps(inner).decode()}


def _spoilt_row(row: Any, nonsense: str, fields: Collection[str]) -> Any:
    if not isinstance(row, dict):
        return row
    named = fields or tuple(row)
    values = {
        name: NONSENSE[nonsense](value) if name in named else value for name, value in row.items()
    }
    return {name: value for name, value in values.items() if value is not _MISSING}
