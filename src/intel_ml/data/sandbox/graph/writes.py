"""Every POST on an object: settings and copies.

Reads   a path and form values.
Gives   the JSON of the answer, with the change made unless only validation was asked.
Never   changes anything when it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from intel_ml.core.errors import PlatformError
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import STATUSES, Change
from intel_ml.data.sandbox.graph.errors import (
    GraphError,
    bad_parameter,
    missing_object,
    refusal,
    unknown_path,
)
from intel_ml.data.sandbox.graph.listing import is_whole
from intel_ml.data.sandbox.graph.reads import ALWAYS, scope_of
from intel_ml.data.sandbox.world import Copying, World

_UPDATE = {
    EntityType.CAMPAIGN: frozenset(
        ["status", "daily_budget", "lifetime_budget", "name", "execution_options"]
    ),
    EntityType.ADSET: frozenset(
        ["status", "daily_budget", "lifetime_budget", "bid_amount", "name", "execution_options"]
    ),
    EntityType.AD: frozenset(["status", "bid_amount", "name", "execution_options"]),
}
_COPY = frozenset(
    {
        "campaign_id",
        "deep_copy",
        "status_option",
        "rename_options",
        "start_time",
        "end_time",
    }
)
_COPY_STATUSES = ("ACTIVE", "PAUSED", "INHERITED_FROM_SOURCE")


def write(world: World, segments: tuple[str, ...], params: Mapping[str, str]) -> dict[str, Any]:
    """Make the change a POST asks for and return its answer, or raise `GraphError`."""
    try:
        match segments:
            case (identifier,):
                return _update(world, identifier, params)
            case (identifier, "copies"):
                return _copy(world, identifier, params)
            case _:
                raise unknown_path("/".join(segments))
    except PlatformError as error:
        raise refusal(error) from error


def is_dry_run(params: Mapping[str, str]) -> bool:
    """Return whether only validation is asked for."""
    return "validate_only" in params.get("execution_options", "")


def _update(world: World, identifier: str, params: Mapping[str, str]) -> dict[str, Any]:
    scope = scope_of(world, identifier)
    if scope.level in ("account", "pixel"):
        raise missing_object(identifier, method="post")
    level = EntityType(scope.level)
    _only(params, _UPDATE[level])
    change = Change(
        status=_choice(params, "status", STATUSES),
        daily_budget_minor=_whole(params, "daily_budget"),
        lifetime_budget_minor=_whole(params, "lifetime_budget"),
        bid_amount_minor=_whole(params, "bid_amount"),
        name=params.get("name"),
    )
    if change == Change():
        raise bad_parameter("Nothing to change: give status, a budget, bid_amount or name")
    if is_dry_run(params):
        world.check(identifier, change)
    else:
        world.change(identifier, change)
    return {"success": True}


def _copy(world: World, identifier: str, params: Mapping[str, str]) -> dict[str, Any]:
    scope = scope_of(world, identifier)
    if scope.level != "adset":
        raise missing_object(identifier, method="post")
    _only(params, _COPY)
    rename = _object(params, "rename_options")
    suffix = (
        ""
        if rename.get("rename_strategy") == "NO_RENAME"
        else str(rename.get("rename_suffix", " - Copy"))
    )
    copied = world.copy_adset(
        identifier,
        Copying(
            deep=params.get("deep_copy", "false").lower() in {"true", "1"},
            status=_choice(params, "status_option", _COPY_STATUSES) or "PAUSED",
            suffix=suffix,
            campaign_id=params.get("campaign_id"),
        ),
    )
    pairs = [
        ("ad_set", identifier, copied.adset_id),
        *(("ad", old, new) for old, new in copied.ads),
    ]
    return {
        "copied_adset_id": copied.adset_id,
        "ad_object_ids": [
            {"ad_object_type": kind, "source_id": old, "copied_id": new} for kind, old, new in pairs
        ],
    }


def _only(params: Mapping[str, str], known: frozenset[str]) -> None:
    for name in params:
        if name not in known and name not in ALWAYS:
            raise bad_parameter(f"Unknown parameter: {name}")


def _choice(params: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    value = params.get(name)
    if value is not None and value not in known:
        raise bad_parameter(f"{name} must be one of the following values: {', '.join(known)}")
    return value


def _whole(params: Mapping[str, str], name: str) -> int | None:
    value = params.get(name)
    if value is None:
        return None
    if not is_whole(value):
        raise GraphError(f"(#100) Param {name} must be an integer", title="Invalid parameter")
    return int(value)


def _object(params: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        value = json.loads(params.get(name, "{}"))
    except ValueError as error:
        raise bad_parameter(f"{name} must be a JSON object") from error
    if not isinstance(value, dict):
        raise bad_parameter(f"{name} must be a JSON object")
    return value
