"""The change log: who changed what, colleagues in Ads Manager included.

Reads   the activities of a world; `since`, `until`, `category`.
Gives   `activities` of an account or an ad set, newest first.
Never   leaves out what another tool or a person did: that is what the log is read for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import API_ACTOR, Activity
from intel_ml.data.sandbox.graph.calls import PAGED, Call
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.listing import bounds, is_whole, page, parse_names
from intel_ml.data.sandbox.graph.nodes import moment_text
from intel_ml.data.sandbox.graph.tables import Scope
from intel_ml.data.sandbox.population import Population
from intel_ml.data.sandbox.world import World

ACTIVITY = PAGED | {"since", "until", "category", "business_id", "uid"}
ACCOUNT_ACTIVITY = ACTIVITY | {"add_children", "data_source", "extra_oids", "oid"}
_DEFAULT = "event_time,event_type,actor_name,object_id,object_name"
_APP_ID = "420690000000001"
_OBJECT_TYPES = {
    EntityType.CAMPAIGN: "CAMPAIGN_GROUP",
    EntityType.ADSET: "CAMPAIGN",
    EntityType.AD: "ADGROUP",
}
#: Which entries a category holds; those without one here are about things the sandbox lacks.
_CATEGORIES: dict[str, Callable[[Activity], bool]] = {
    "ACCOUNT": lambda one: "account" in one.event_type,
    "AD": lambda one: one.level is EntityType.AD,
    "AD_KEYWORDS": lambda _: False,
    "AD_SET": lambda one: one.level is EntityType.ADSET,
    "AUDIENCE": lambda _: False,
    "BID": lambda one: "bid" in one.event_type,
    "BUDGET": lambda one: "budget" in one.event_type or "spend" in one.event_type,
    "CAMPAIGN": lambda one: one.level is EntityType.CAMPAIGN,
    "DATE": lambda one: "duration" in one.event_type or "schedule" in one.event_type,
    "STATUS": lambda one: "status" in one.event_type,
    "TARGETING": lambda one: "target" in one.event_type,
}


def activities(world: World, call: Call, *, scope: Scope) -> dict[str, Any]:
    """Return the page of an account's or an ad set's changes."""
    params = call.params
    asked = parse_fields(params.get("fields") or _DEFAULT, "activity")
    since, until = _moment(params.get("since")), _moment(params.get("until"))
    is_meant = _category(params.get("category"))
    objects = _objects(world.population, scope, params)
    actor = params.get("uid")
    account = world.population.accounts[scope.account]
    found = [
        one
        for one in reversed(world.activities)
        if one.account == scope.account
        and (objects is None or one.object_id in objects)
        and (since is None or one.moment >= since)
        and (until is None or one.moment <= until)
        and (actor is None or actor == _actor_id(one))
        and is_meant(one)
    ]
    first, end = bounds(params, total=len(found))
    rows = [_activity(one, account.id, account.time_zone, asked) for one in found[first:end]]
    return page(rows, params=params, url=call.url, span=(first, end, len(found)))


def _category(name: str | None) -> Callable[[Activity], bool]:
    if not name:
        return lambda _: True
    if name not in _CATEGORIES:
        raise bad_parameter(
            f"category must be one of the following values: {', '.join(_CATEGORIES)}"
        )
    return _CATEGORIES[name]


def _objects(population: Population, scope: Scope, params: Any) -> frozenset[str] | None:
    """Return the ids that entries must be about; None for everything in the account."""
    if scope.level == "adset":
        return frozenset({population.adsets[scope.row].id})
    named = {*parse_names(params.get("extra_oids"), "extra_oids")}
    if params.get("oid"):
        named.add(params["oid"])
    if not named:
        return None
    if params.get("add_children", "").lower() in {"true", "1"}:
        for above, below in (
            (population.campaigns, population.adsets),
            (population.adsets, population.ads),
        ):
            named |= {node.id for node in below if above[node.parent].id in named}
    return frozenset(named)


def _actor_id(one: Activity) -> str:
    return str(900_000_000 + sum(one.actor.encode()))


def _activity(
    one: Activity, account: str, zone: str, asked: tuple[tuple[str, object], ...]
) -> dict[str, Any]:
    is_app = one.actor == API_ACTOR
    values = {
        "event_time": moment_text(one.moment, zone),
        "event_type": one.event_type,
        "translated_event_type": one.event_type.replace("_", " ").capitalize(),
        "actor_name": one.actor,
        "actor_id": _actor_id(one),
        "application_id": _APP_ID if is_app else None,
        "application_name": one.actor if is_app else "Ads Manager",
        "object_id": one.object_id,
        "object_name": one.object_name,
        "object_type": _OBJECT_TYPES[one.level],
        "extra_data": json.dumps({"old_value": one.before, "new_value": one.after}),
        "date_time_in_timezone": moment_text(one.moment, zone),
        "account_id": account,
    }
    return {name: values[name] for name, _ in asked if values.get(name) is not None}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if is_whole(text):
            return datetime.fromtimestamp(int(text), tz=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise bad_parameter("since and until must be moments") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
