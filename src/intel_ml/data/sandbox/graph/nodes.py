"""Accounts, campaigns, ad sets and ads as the Graph API shows them.

Reads   a world.
Gives   JSON objects with the fields asked for; budgets as strings of minor units.
Never   shows a trait that a real account would hide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from intel_ml.core.days import time_zone
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import effective_status
from intel_ml.data.sandbox.graph.fields import Asked
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.population import Node, minor, pixel_id
from intel_ml.data.sandbox.spending import (
    CAMPAIGN_CAP,
    DAILY_CAP,
    DAILY_TARGET,
    LOWEST_COST,
    NEEDS_BID,
    bid_in_force,
    is_pooled,
)
from intel_ml.data.sandbox.world import World

Render = Callable[[World, Node, int], Any]
_HOUR_S = 3600
_ATTRIBUTION = [
    {"event_type": "CLICK_THROUGH", "window_days": 7},
    {"event_type": "VIEW_THROUGH", "window_days": 1},
]


def moment_text(moment: datetime, zone: str) -> str:
    """Return a moment as Meta writes it: local, with the offset.

    >>> from datetime import UTC
    >>> moment_text(datetime(2026, 10, 1, 3, tzinfo=UTC), "America/Sao_Paulo")
    '2026-10-01T00:00:00-0300'
    """
    return moment.astimezone(time_zone(zone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def render_account(world: World, row: int, asked: Asked) -> dict[str, Any]:
    """Return an ad account's fields."""
    account = world.population.accounts[row]
    zone = time_zone(account.time_zone)
    offset = world.now.astimezone(zone).utcoffset()
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: f"act_{account.id}",
        "account_id": lambda: account.id,
        "name": lambda: account.name,
        "account_status": lambda: 1,
        "disable_reason": lambda: 0,
        "currency": lambda: account.currency,
        "timezone_id": lambda: 1 + row,
        "timezone_name": lambda: account.time_zone,
        "timezone_offset_hours_utc": lambda: (offset.total_seconds() if offset else 0) / _HOUR_S,
        "amount_spent": lambda: str(_account_spend(world, row)),
        "balance": lambda: "0",
        "spend_cap": lambda: "0",
        "min_daily_budget": lambda: minor(account.min_daily_budget, account),
        "is_prepay_account": lambda: False,
        "attribution_spec": lambda: _ATTRIBUTION,
        "created_time": lambda: moment_text(world.start, account.time_zone),
    }
    return _pick(values, asked or (("id", ()), ("account_id", ())))


def render_pixel(world: World, row: int, asked: Asked) -> dict[str, Any]:
    """Return the fields of an account's pixel."""
    account = world.population.accounts[row]
    values: dict[str, Callable[[], Any]] = {
        "id": lambda: pixel_id(account),
        "name": lambda: f"{account.name} Pixel",
        "creation_time": lambda: moment_text(world.start, account.time_zone),
        "last_fired_time": lambda: moment_text(last_fired(world, row), account.time_zone),
        "is_unavailable": lambda: False,
        "data_use_setting": lambda: "ADVERTISING_AND_ANALYTICS",
        "first_party_cookie_status": lambda: "FIRST_PARTY_COOKIE_ENABLED",
        "enable_automatic_matching": lambda: True,
        "match_rate_approx": lambda: round(account.match_quality * 10),
    }
    return _pick(values, asked or (("id", ()),))


def last_fired(world: World, row: int) -> datetime:
    """Return the end of the last hour in which an account's pixel sent anything."""
    silent = 0
    for events in reversed(world.pixel_events):
        if events[row].any():
            break
        silent += 1
    return world.now - timedelta(hours=silent)


def render_node(world: World, node: Node, row: int, asked: Asked) -> dict[str, Any]:
    """Return the fields of a campaign, ad set or ad; what is unset is absent."""
    table = _TABLES[node.level]
    answer: dict[str, Any] = {}
    for name, parts in asked:
        render = table.get(name)
        value = render(world, node, row) if render else None
        if value is None:
            continue
        answer[name] = {part: value[part] for part in parts if part in value} if parts else value
    if "id" not in answer:
        answer["id"] = node.id
    return answer


def _pick(values: Mapping[str, Callable[[], Any]], asked: Asked) -> dict[str, Any]:
    answer = {name: values[name]() for name, _ in asked if name in values}
    answer.setdefault("id", values["id"]())
    return answer


def _account_spend(world: World, row: int) -> int:
    population = world.population
    own = np.flatnonzero(population.adset_traits.account[population.ad_traits.adset] == row)
    return int(world.ledger.windows([(0, world.hour)], ads=own)[Column.SPEND].sum())


def _zone(world: World, node: Node) -> str:
    return world.population.accounts[node.account].time_zone


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)


def _adset_of(world: World, node: Node) -> Node:
    return world.population.adsets[node.parent]


def _left_today(world: World, node: Node, row: int) -> str | None:
    if node.level is EntityType.CAMPAIGN:
        budget, spent = node.daily_budget_minor, world.motion.campaign_spent_today[row]
    elif node.lifetime_budget_minor is not None:
        budget, spent = node.lifetime_budget_minor, world.motion.adset_spent[row]
    else:
        budget, spent = node.daily_budget_minor, world.motion.adset_spent_today[row]
    return None if budget is None else str(max(budget - int(spent), 0))


def _bid_strategy(world: World, node: Node, row: int) -> str | None:
    """Return the strategy of the level that has the budget, as Meta shows it on both."""
    del row
    if is_pooled(world.population, node):
        node = world.population.campaigns[node.parent]
    elif node.level is EntityType.CAMPAIGN and node.daily_budget_minor is None:
        return None
    # A bid that came without a strategy is a cap.
    usual = LOWEST_COST if node.bid_amount_minor is None else NEEDS_BID[0]
    return str(node.settings.get("bid_strategy", usual))


def _learning(world: World, node: Node, row: int) -> dict[str, Any] | None:
    del node
    if not world.file.learning.enabled:
        return None
    edited = world.start.timestamp() + int(world.motion.adset_edited_hour[row]) * _HOUR_S
    return {
        "status": world.stage(row).name,
        "conversions": round(float(world.motion.adset_results[row])),
        "last_sig_edit_ts": int(edited),
        "attribution_windows": ["7d_click", "1d_view"],
    }


def _pixel_object(world: World, node: Node, row: int) -> dict[str, str]:
    del row
    return {
        "pixel_id": pixel_id(world.population.accounts[node.account]),
        "custom_event_type": "PURCHASE",
    }


def _issues(world: World, node: Node, row: int) -> list[dict[str, Any]] | None:
    del world, row
    if node.review != "DISAPPROVED":
        return None
    return [
        {
            "error_code": 1815869,
            "error_message": "This ad was rejected: it doesn't comply with our Standards.",
            "error_summary": "Ad rejected",
            "error_type": "HARD_ERROR",
            "level": "AD",
            "mid": None,
        }
    ]


_COMMON: dict[str, Render] = {
    "id": lambda _w, n, _r: n.id,
    "name": lambda _w, n, _r: n.name,
    "account_id": lambda w, n, _r: w.population.accounts[n.account].id,
    "status": lambda _w, n, _r: n.status,
    "configured_status": lambda _w, n, _r: n.status,
    "effective_status": lambda w, n, _r: effective_status(w.population, n),
    "created_time": lambda w, n, _r: moment_text(n.created, _zone(w, n)),
    "updated_time": lambda w, n, _r: moment_text(n.updated, _zone(w, n)),
}
_BUDGETS: dict[str, Render] = {
    "daily_budget": lambda _w, n, _r: _text(n.daily_budget_minor),
    "lifetime_budget": lambda _w, n, _r: _text(n.lifetime_budget_minor),
    "budget_remaining": _left_today,
    "bid_strategy": _bid_strategy,
    "start_time": lambda w, n, _r: moment_text(n.begin or n.created, _zone(w, n)),
    "pacing_type": lambda _w, _n, _r: ["standard"],
}
_TABLES: dict[EntityType, dict[str, Render]] = {
    EntityType.CAMPAIGN: {
        **_COMMON,
        **_BUDGETS,
        "objective": lambda _w, n, _r: n.objective,
        "buying_type": lambda _w, _n, _r: "AUCTION",
        "special_ad_categories": lambda _w, _n, _r: [],
        "spend_cap": lambda _w, n, _r: _text(n.settings.get(CAMPAIGN_CAP)),
        "stop_time": lambda w, n, _r: moment_text(n.end, _zone(w, n)) if n.end else None,
        "source_campaign_id": lambda _w, n, _r: n.source_id or "0",
    },
    EntityType.ADSET: {
        **_COMMON,
        **_BUDGETS,
        "campaign_id": lambda w, n, _r: w.population.campaigns[n.parent].id,
        "bid_amount": lambda _w, n, _r: bid_in_force(n),
        "bid_constraints": lambda _w, n, _r: n.settings.get("bid_constraints"),
        DAILY_CAP: lambda _w, n, _r: _text(n.settings.get(DAILY_CAP)),
        DAILY_TARGET: lambda _w, n, _r: _text(n.settings.get(DAILY_TARGET)),
        "billing_event": lambda _w, _n, _r: "IMPRESSIONS",
        "optimization_goal": lambda _w, _n, _r: "OFFSITE_CONVERSIONS",
        "promoted_object": _pixel_object,
        "attribution_spec": lambda _w, _n, _r: _ATTRIBUTION,
        "learning_stage_info": _learning,
        "end_time": lambda w, n, _r: moment_text(n.end, _zone(w, n)) if n.end else None,
        "destination_type": lambda _w, _n, _r: "WEBSITE",
        "is_dynamic_creative": lambda _w, _n, _r: False,
        "source_adset_id": lambda _w, n, _r: n.source_id or "0",
    },
    EntityType.AD: {
        **_COMMON,
        "adset_id": lambda w, n, _r: _adset_of(w, n).id,
        "campaign_id": lambda w, n, _r: w.population.campaigns[_adset_of(w, n).parent].id,
        "bid_amount": lambda _w, n, _r: bid_in_force(n),
        "creative": lambda _w, n, _r: {"id": f"77{n.id[5:]}"},
        "issues_info": _issues,
        "source_ad_id": lambda _w, n, _r: n.source_id or "0",
    },
}
