"""Parameters of writes: which there are, and how their text is read.

Reads   form values, all of them text.
Gives   whole numbers, choices, moments, objects, or Meta's refusal.
Never   accepts a name that the edge doesn't have.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intel_ml.data.sandbox.graph.calls import ALWAYS
from intel_ml.data.sandbox.graph.errors import GraphError, bad_parameter
from intel_ml.data.sandbox.graph.listing import is_whole

Params = Mapping[str, str]

VALIDATE_ONLY = "validate_only"
_EXECUTION = frozenset({VALIDATE_ONLY, "include_recommendations"})
_REVIEW = "synchronous_ad_review"
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0", ""})


@functools.cache
def documented(level: str) -> frozenset[str]:
    """Return every parameter that an update of this kind of object has in Meta's API."""
    text = (Path(__file__).parent / "parameters.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)[level].split())


def only(params: Params, known: Collection[str], *, documented: Collection[str] = ()) -> None:
    """Refuse names that nobody knows, and those that Meta knows and this sandbox doesn't play."""
    for name in params:
        if name in known or name in ALWAYS:
            continue
        if name in documented:
            raise bad_parameter(f"The sandbox does not simulate the parameter {name}")
        raise bad_parameter(f"Unknown parameter: {name}")


def choice(params: Params, name: str, known: Collection[str]) -> str | None:
    """Return one of the known values, None where the parameter is absent."""
    value = params.get(name)
    if value is not None and value not in known:
        raise bad_parameter(f"{name} must be one of the following values: {', '.join(known)}")
    return value


def whole(params: Params, name: str) -> int | None:
    """Return a whole number, None where the parameter is absent."""
    value = params.get(name)
    if value is None:
        return None
    if not is_whole(value):
        raise not_whole(name)
    return int(value)


def not_whole(name: str) -> GraphError:
    """Return the error for what should be a whole number."""
    return GraphError(f"(#100) Param {name} must be an integer", title="Invalid parameter")


def yes(params: Params, name: str) -> bool:
    """Return whether a flag is set."""
    value = params.get(name, "false").lower()
    if value not in _TRUE | _FALSE:
        raise bad_parameter(f"Param {name} must be a boolean")
    return value in _TRUE


def mapping(params: Params, name: str) -> dict[str, Any]:
    """Return a JSON object, empty where the parameter is absent."""
    value = _json(params, name, "{}")
    if not isinstance(value, dict):
        raise bad_parameter(f"{name} must be a JSON object")
    return value


def objects(params: Params, name: str) -> list[dict[str, Any]]:
    """Return a JSON array of objects."""
    value = _json(params, name, "[]")
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_parameter(f"{name} must be a JSON array of objects")
    return value


def moment(params: Params, name: str) -> datetime | None:
    """Return a moment given as ISO text with an offset or as a unix timestamp."""
    value = params.get(name)
    if value is None:
        return None
    try:
        if is_whole(value):
            return datetime.fromtimestamp(int(value), tz=UTC)
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_parameter(f"Param {name} must be a valid datetime") from error


def is_dry_run(params: Params) -> bool:
    """Return whether only validation is asked for."""
    return VALIDATE_ONLY in execution_options(params, level="ad")


def execution_options(params: Params, *, level: str) -> frozenset[str]:
    """Return the execution options; `include_recommendations` is never the only one."""
    text = params.get("execution_options")
    if not text:
        return frozenset()
    try:
        raw = json.loads(text)
    except ValueError:
        raw = text.split(",")
    given = frozenset(str(one) for one in (raw if isinstance(raw, list) else [raw]))
    known = _EXECUTION | {_REVIEW} if level == "ad" else _EXECUTION
    if not given <= known:
        raise bad_parameter(f"execution_options must be among: {', '.join(sorted(known))}")
    if given == {"include_recommendations"}:
        raise bad_parameter("include_recommendations can't be the only execution option")
    return given


def _json(params: Params, name: str, default: str) -> Any:
    try:
        return json.loads(params.get(name, default))
    except ValueError as error:
        raise bad_parameter(f"{name} is not JSON") from error
