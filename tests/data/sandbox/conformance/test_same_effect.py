"""Writing through the API and through the oracle has the same effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import requests

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.money import Money
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.truth import entity_of
from tests.data.sandbox.conformance.conftest import READ, WRITE, Sandbox

HOURS = 48


def history(world: World) -> Any:
    return world.ledger.windows(
        [(hour, hour + 1) for hour in range(world.hour)], ads=np.arange(len(world.population.ads))
    )


def settings(world: World) -> list[Any]:
    population = world.population
    return [
        (node.id, node.name, node.status, node.daily_budget_minor, node.bid_amount_minor)
        for node in (*population.campaigns, *population.adsets, *population.ads)
    ]


def changed(sandbox: Sandbox, symbol: str, percent: int, *, of: str) -> dict[str, str]:
    node = sandbox.world.node(sandbox.id_of(symbol))
    before = Money(getattr(node, f"{of}_minor"), "USD")
    return {of: str(before.changed_by(percent).minor)}


CASES = [
    (Action(ActionType.PAUSE), "adset/Own"),
    (Action(ActionType.PAUSE), "campaign/Pooled"),
    (Action(ActionType.PAUSE), "ad/Own A"),
    (Action(ActionType.ACTIVATE), "adset/Sibling"),
    (Action(ActionType.INCREASE_BUDGET, 20), "adset/Own"),
    (Action(ActionType.INCREASE_BUDGET, 90), "adset/Lifetime"),
    (Action(ActionType.DECREASE_BUDGET, -50), "campaign/Pooled"),
    (Action(ActionType.ADJUST_BID, -40), "adset/Own"),
    (Action(ActionType.DUPLICATE), "adset/Own"),
    (Action(ActionType.NOTIFY_ONLY), "adset/Own"),
    (Action(ActionType.DO_NOTHING), "adset/Own"),
]


def request_of(sandbox: Sandbox, action: Action, symbol: str) -> tuple[str, dict[str, str]] | None:
    """Return the path and the form values that say over HTTP what an action says."""
    percent, path = action.percent or 0, sandbox.id_of(symbol)
    match action.type:
        case ActionType.PAUSE:
            return path, {"status": "PAUSED"}
        case ActionType.ACTIVATE:
            return path, {"status": "ACTIVE"}
        case ActionType.INCREASE_BUDGET | ActionType.DECREASE_BUDGET:
            kind = "lifetime_budget" if symbol.endswith("Lifetime") else "daily_budget"
            return path, changed(sandbox, symbol, percent, of=kind)
        case ActionType.ADJUST_BID:
            return path, changed(sandbox, symbol, percent, of="bid_amount")
        case ActionType.DUPLICATE:
            return f"{path}/copies", {"deep_copy": "true"}
        case _:
            return None


def test_every_kind_of_action_is_compared() -> None:
    assert {action.type for action, _ in CASES} == set(ActionType)


@pytest.mark.parametrize(("action", "symbol"), CASES)
def test_both_ways_lead_to_the_same_world(sandbox: Sandbox, action: Action, symbol: str) -> None:
    world = sandbox.world
    for name, form in [
        ("adset/Sibling", {"status": "PAUSED"}),
        ("adset/Own", {"bid_strategy": "LOWEST_COST_WITH_BID_CAP", "bid_amount": "900"}),
    ]:
        post(sandbox, sandbox.id_of(name), form)
    fork, still = world.fork(), world.fork()
    fork.apply(entity_of(fork, fork.node(sandbox.id_of(symbol))), action)
    asked = request_of(sandbox, action, symbol)
    if asked is not None:
        post(sandbox, *asked)
    for one in (fork, still):
        one.advance(HOURS)
    requests.post(f"{sandbox.url}/_sandbox/advance", json={"hours": HOURS}, timeout=30)
    assert settings(world) == settings(fork)
    assert (history(world) == history(fork)).all()
    if action.type not in (ActionType.DUPLICATE, ActionType.NOTIFY_ONLY, ActionType.DO_NOTHING):
        assert (history(still) != history(fork)).any(), "the action must bite for this to be a test"


def post(sandbox: Sandbox, path: str, form: dict[str, str]) -> None:
    answer = requests.post(
        f"{sandbox.url}/v26.0/{path}", data={"access_token": WRITE, **form}, timeout=10
    )
    assert answer.status_code == 200, answer.text


def test_the_oracle_over_http_tells_what_then_happens(sandbox: Sandbox) -> None:
    adset = sandbox.id_of("adset/Own")
    query = {"entity": adset, "action": "pause", "hours": str(HOURS)}
    told = requests.get(f"{sandbox.url}/_sandbox/oracle", params=query, timeout=30).json()
    still = sandbox.world.fork()
    still.advance(HOURS)
    post(sandbox, adset, {"status": "PAUSED"})
    requests.post(f"{sandbox.url}/_sandbox/advance", json={"hours": HOURS}, timeout=30)
    spent = [_spend(one) for one in (sandbox.world, still)]
    assert told["effect"]["spend_minor"] == spent[0] - spent[1] < 0
    row = requests.get(
        f"{sandbox.url}/v26.0/{adset}/insights",
        params={"access_token": READ, "fields": "spend", "date_preset": "today"},
        timeout=10,
    ).json()
    assert row["data"] == []


def _spend(world: World) -> int:
    population = world.population
    ads = np.flatnonzero(population.adset_traits.account[population.ad_traits.adset] == 0)
    return int(world.ledger.windows([(0, world.hour)], ads=ads)[2].sum())
