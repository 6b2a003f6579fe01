"""Lists: filters and pages.

Reads   `filtering`, `limit`, `after`, `before` and rows.
Gives   the rows asked for, one page at a time.
Never   offers `next` where nothing follows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from intel_ml.data.sandbox.graph.errors import bad_parameter

_DEFAULT_LIMIT = 25
_MOST = 5000
_MOST_DIGITS = 12
Test = Callable[[Any, Any], bool]

OPERATORS: dict[str, Test] = {
    "EQUAL": lambda seen, asked: str(seen) == str(asked),
    "NOT_EQUAL": lambda seen, asked: str(seen) != str(asked),
    "GREATER_THAN": lambda seen, asked: float(seen) > float(asked),
    "GREATER_THAN_OR_EQUAL": lambda seen, asked: float(seen) >= float(asked),
    "LESS_THAN": lambda seen, asked: float(seen) < float(asked),
    "LESS_THAN_OR_EQUAL": lambda seen, asked: float(seen) <= float(asked),
    "IN": lambda seen, asked: str(seen) in {str(one) for one in asked},
    "NOT_IN": lambda seen, asked: str(seen) not in {str(one) for one in asked},
    "IN_RANGE": lambda seen, asked: float(asked[0]) <= float(seen) <= float(asked[1]),
    "NOT_IN_RANGE": lambda seen, asked: not float(asked[0]) <= float(seen) <= float(asked[1]),
    "CONTAIN": lambda seen, asked: str(asked).lower() in str(seen).lower(),
    "NOT_CONTAIN": lambda seen, asked: str(asked).lower() not in str(seen).lower(),
    "ANY": lambda seen, asked: str(seen) in {str(one) for one in asked},
    "ALL": lambda seen, asked: {str(one) for one in asked} == {str(seen)},
    "NONE": lambda seen, asked: str(seen) not in {str(one) for one in asked},
}


class Filter:
    """One condition on a field of a row."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        try:
            self.field, self.operator, self.value = raw["field"], raw["operator"], raw["value"]
        except (KeyError, TypeError) as error:
            raise bad_parameter("filtering needs field, operator and value") from error
        if not isinstance(self.field, str):
            raise bad_parameter("filtering needs field, operator and value")
        if not isinstance(self.operator, str) or self.operator not in OPERATORS:
            raise bad_parameter(f"filtering operator must be one of: {', '.join(OPERATORS)}")

    def holds(self, seen: object) -> bool:
        """Return whether a value passes."""
        try:
            return OPERATORS[self.operator](seen, self.value)
        except (TypeError, ValueError, IndexError) as error:
            raise bad_parameter(f"filtering value of {self.field} can't be compared") from error


def parse_filters(text: str | None) -> tuple[Filter, ...]:
    """Return the conditions of a `filtering` parameter."""
    if not text:
        return ()
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise bad_parameter("filtering must be a JSON array") from error
    if not isinstance(raw, list):
        raise bad_parameter("filtering must be a JSON array")
    return tuple(Filter(one) for one in raw)


def parse_names(text: str | None, parameter: str) -> tuple[str, ...]:
    """Return the names of a parameter that is a list, as JSON or with commas.

    >>> parse_names('["age","gender"]', "breakdowns"), parse_names("age, gender", "breakdowns")
    (('age', 'gender'), ('age', 'gender'))
    """
    if not text:
        return ()
    if not text.lstrip().startswith("["):
        return tuple(part.strip(' "') for part in text.split(",") if part.strip(' "'))
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise bad_parameter(f"{parameter} must be an array") from error
    if not all(isinstance(one, str) for one in raw):
        raise bad_parameter(f"{parameter} must be an array of strings")
    return tuple(raw)


def bounds(params: Mapping[str, str], *, total: int) -> tuple[int, int]:
    """Return the half-open range of rows of the page asked for."""
    limit = params.get("limit", str(_DEFAULT_LIMIT))
    if not is_whole(limit) or int(limit) < 1:
        raise bad_parameter("limit must be a positive integer")
    size = min(int(limit), _MOST)
    if params.get("before"):
        end = min(_offset(params["before"]), total)
        return max(end - size, 0), end
    first = _offset(params["after"]) if params.get("after") else 0
    return min(first, total), min(first + size, total)


def page(
    rows: Sequence[Any], *, params: Mapping[str, str], url: str, span: tuple[int, int, int]
) -> dict[str, Any]:
    """Return `data` and `paging` for rows `span` = (first, end, total); `next` has the token."""
    first, end, total = span
    if not rows:
        return {"data": []}
    paging: dict[str, Any] = {"cursors": {"before": _cursor(first), "after": _cursor(end)}}
    kept = {name: value for name, value in params.items() if name not in {"after", "before"}}
    if end < total:
        paging["next"] = f"{url}?{urlencode({**kept, 'after': _cursor(end)})}"
    if first > 0:
        paging["previous"] = f"{url}?{urlencode({**kept, 'before': _cursor(first)})}"
    return {"data": list(rows), "paging": paging}


def total_count(params: Mapping[str, str], total: int) -> dict[str, Any]:
    """Return the `summary` of a list if one is asked for: how many there are in all."""
    text = params.get("summary")
    if text is None or text.lower() in {"false", "0", ""}:
        return {}
    names = () if text.lower() in {"true", "1"} else parse_names(text, "summary")
    for name in names:
        if name != "total_count":
            raise bad_parameter(f"Cannot include {name} in summary param")
    return {"summary": {"total_count": total}}


def is_whole(text: str) -> bool:
    """Return whether text is a whole number that a counter can hold."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"r{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return abs(int(text.removeprefix("r")))
    except (ValueError, UnicodeDecodeError) as error:
        raise bad_parameter("Invalid cursors values") from error
