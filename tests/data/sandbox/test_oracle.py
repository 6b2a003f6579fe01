"""The oracle: true effects, on the same randomness."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Action, ActionType, action_of
from intel_ml.core.errors import InvalidValueError, RefusedChangeError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.oracle import Effect, best_action, effect, effects

START = datetime(2026, 10, 20, tzinfo=UTC)


def of_kind(world: World, kind: str) -> Entity:
    row = next(
        n
        for n, one in enumerate(world.population.adset_traits.kind)
        if one == kind and world.population.adsets[n].daily_budget_minor
    )
    node = world.population.adsets[row]
    account = world.population.accounts[node.account]
    return Entity(AdAccountId(f"act_{account.id}"), EntityType.ADSET, EntityId(node.id))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32), arm=st.sampled_from(ARMS))
def test_in_the_null_world_every_effect_is_zero(seed: int, arm: str) -> None:
    world = World.load("null", start=START, seed=seed)
    action = action_of(next(one for one in ARMS if one == arm))
    assert effect(world, of_kind(world, "winner"), action, hours=24) == Effect(0, 0, 0, 0)


def test_pausing_what_never_sells_saves_its_spend(demo: World) -> None:
    found = effect(demo, of_kind(demo, "dud"), Action(ActionType.PAUSE), hours=72)
    assert found.spend_minor < 0
    assert found.profit_minor > 0


def test_pausing_a_winner_costs_money(demo: World) -> None:
    found = effect(demo, of_kind(demo, "winner"), Action(ActionType.PAUSE), hours=72)
    assert found.conversions < 0
    assert found.profit_minor < 0


def test_the_best_arm_differs_by_ad_set(demo: World) -> None:
    actions = [action_of(arm) for arm in ARMS]
    best = {
        kind: best_action(demo, of_kind(demo, kind), actions=actions, hours=72)[0]
        for kind in ("dud", "winner")
    }
    assert best["dud"] == Action(ActionType.PAUSE)
    assert best["winner"].type is not ActionType.PAUSE


def test_asking_the_oracle_leaves_the_world_alone(demo: World) -> None:
    hour, edits = demo.hour, len(demo.activities)
    effects(demo, of_kind(demo, "loser"), actions=[action_of(arm) for arm in ARMS], hours=24)
    assert (demo.hour, len(demo.activities)) == (hour, edits)


def test_what_the_platform_refuses_has_no_effect_to_tell(demo: World) -> None:
    row = next(n for n, one in enumerate(demo.population.adsets) if one.daily_budget_minor is None)
    node = demo.population.adsets[row]
    account = demo.population.accounts[node.account]
    pooled = Entity(AdAccountId(f"act_{account.id}"), EntityType.ADSET, EntityId(node.id))
    with pytest.raises(RefusedChangeError):
        effect(demo, pooled, Action(ActionType.INCREASE_BUDGET, 20))
    with pytest.raises(InvalidValueError):
        effect(demo, pooled, Action(ActionType.PAUSE), hours=0)
