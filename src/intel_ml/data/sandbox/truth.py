"""What only the sandbox knows: targets, true traits, the true effect of an action.

Reads   a world.
Gives   plain values for `/_sandbox/world` and `/_sandbox/oracle`.
Never   is part of the Graph API: a real account tells none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.ids import Entity, account_id, entity_id
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.oracle import DEFAULT_HOURS, effect
from intel_ml.data.sandbox.population import AdSetTraits, AdTraits, Node, minor, pixel_id
from intel_ml.data.sandbox.world import World

_ORACLE = ("entity", "action", "percent", "hours")


def told(world: World) -> dict[str, Any]:
    """Return what the world holds, and the targets that no ad platform knows."""
    population = world.population
    return {
        "world": world.name,
        "description": world.file.description,
        "seed": world.seed,
        "hours": world.hour,
        "counts": {
            "accounts": len(population.accounts),
            "campaigns": len(population.campaigns),
            "adsets": len(population.adsets),
            "ads": len(population.ads),
        },
        "accounts": [
            {
                "id": f"act_{account.id}",
                "name": account.name,
                "currency": account.currency,
                "currency_offset": currency_offset(account.currency),
                "time_zone": account.time_zone,
                "target_cpa_minor": round(minor(account.target_cpa, account) * world.file.goods),
                "target_roas": account.target_roas,
                "pixel_id": pixel_id(account),
            }
            for account in population.accounts
        ],
    }


def traits(world: World, account: str) -> list[dict[str, Any]]:
    """Return an account's campaigns with their ad sets, ads, and the true traits of both."""
    population = world.population
    rows = [f"act_{one.id}" for one in population.accounts]
    if account not in rows:
        hint = f"It has {', '.join(rows[:5])}."
        raise NotFoundError(f"The sandbox has no account {account}.", hint=hint)
    own = rows.index(account)
    ads: dict[int, list[dict[str, Any]]] = {}
    for row, node in enumerate(population.ads):
        if node.account == own:
            told_of = {**_node(node), "traits": _traits(population.ad_traits, row)}
            ads.setdefault(node.parent, []).append(told_of)
    adsets: dict[int, list[dict[str, Any]]] = {}
    for row, node in enumerate(population.adsets):
        if node.account == own:
            told_of = {
                **_node(node),
                "stage": world.stage(row).name,
                "traits": _traits(population.adset_traits, row),
                "ads": ads.get(row, []),
            }
            adsets.setdefault(node.parent, []).append(told_of)
    return [
        {**_node(node), "adsets": adsets.get(row, [])}
        for row, node in enumerate(population.campaigns)
        if node.account == own
    ]


def asked_of_oracle(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the true effect that a query of entity, action, percent and hours asks for."""
    for name in query:
        if name not in _ORACLE:
            raise UnknownNameError(kind="parameter", name=name, known=_ORACLE)
    for name in ("entity", "action"):
        if name not in query:
            raise InvalidValueError(path=name, problem="is needed")
    if query["action"] not in set(ActionType):
        hint = UnknownNameError(kind="action", name=query["action"], known=list(ActionType)).hint
        raise InvalidValueError(
            path="action", problem=f"there is no '{query['action']}'", hint=hint
        )
    action = Action(ActionType(query["action"]), _whole(query, "percent"))
    hours = _whole(query, "hours") or DEFAULT_HOURS
    entity = entity_of(world, world.node(query["entity"]))
    return {
        "entity": query["entity"],
        "action": action.type.value,
        "percent": action.percent,
        "hours": hours,
        "effect": asdict(effect(world, entity, action, hours=hours)),
    }


def entity_of(world: World, node: Node) -> Entity:
    """Return which entity a node is."""
    account = world.population.accounts[node.account].id
    return Entity(account_id(f"act_{account}"), node.level, entity_id(node.id))


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "status": node.status,
        "review": node.review,
        "daily_budget_minor": node.daily_budget_minor,
        "lifetime_budget_minor": node.lifetime_budget_minor,
        "bid_amount_minor": node.bid_amount_minor,
        "source_id": node.source_id,
    }


def _traits(columns: AdSetTraits | AdTraits, row: int) -> dict[str, Any]:
    found = {}
    for one in fields(columns):
        value = getattr(columns, one.name)[row]
        found[one.name] = value if isinstance(value, str) else value.item()
    return found


def _whole(query: Mapping[str, str], name: str) -> int | None:
    if name not in query:
        return None
    try:
        return int(query[name])
    except ValueError:
        raise InvalidValueError(path=name, problem="must be a whole number") from None
