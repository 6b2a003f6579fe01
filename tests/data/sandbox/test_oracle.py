"""The oracle: true effects, on the same randomness."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Action, ActionType, Arm, action_of
from intel_ml.core.errors import InvalidValueError, RefusedChangeError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.oracle import (
    Effect,
    assignment_effect,
    best_action,
    best_actions,
    effect,
    effects,
    effects_of_all,
)

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


def adsets_of(world: World) -> list[Entity]:
    accounts = world.population.accounts
    return [
        Entity(AdAccountId(f"act_{accounts[node.account].id}"), EntityType.ADSET, EntityId(node.id))
        for node in world.population.adsets
        if node.status == "ACTIVE"
    ]


@settings(max_examples=6, deadline=None)
@given(
    played=st.integers(1, 60),
    hours=st.integers(1, 30),
    chosen=st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(ARMS)), min_size=1, max_size=4
    ),
)
def test_all_at_once_is_the_same_as_one_by_one(
    played_demo: World, played: int, hours: int, chosen: list[tuple[int, Arm]]
) -> None:
    world = played_demo.fork()
    world.advance(played)
    entities = adsets_of(world)
    everything = {entity: [action_of(arm) for arm in ARMS] for entity in entities}
    found = effects_of_all(world, everything, hours=hours)
    for place, arm in chosen:
        entity, action = entities[place % len(entities)], action_of(arm)
        alone = effects(world, entity, actions=[action, action_of(Arm.MAINTAIN)], hours=hours)
        assert (action in found[entity]) == (action in alone)
        if action in alone:
            together, single = found[entity][action], alone[action]
            assert together.spend_minor == single.spend_minor
            assert together.conversions == single.conversions
            assert together.value_minor == single.value_minor
            assert abs(together.profit_minor - single.profit_minor) <= 1  # rounded once or twice


def test_what_shares_a_budget_is_asked_one_at_a_time(demo: World) -> None:
    campaign = next(n for n, one in enumerate(demo.population.campaigns) if one.daily_budget_minor)
    node = demo.population.campaigns[campaign]
    account = AdAccountId(f"act_{demo.population.accounts[node.account].id}")
    inside = [n for n, one in enumerate(demo.population.adsets) if one.parent == campaign]
    ads = [n for n, one in enumerate(demo.population.ads) if one.parent == inside[0]]
    asked = {
        Entity(account, EntityType.CAMPAIGN, EntityId(node.id)): [
            Action(ActionType.PAUSE),
            Action(ActionType.INCREASE_BUDGET, 20),
        ]
    }
    asked |= {
        Entity(account, EntityType.ADSET, EntityId(demo.population.adsets[row].id)): [
            Action(ActionType.PAUSE)
        ]
        for row in inside
    }
    asked |= {
        Entity(account, EntityType.AD, EntityId(demo.population.ads[row].id)): [
            Action(ActionType.PAUSE)
        ]
        for row in ads
    }
    for entity, found in effects_of_all(demo, asked, hours=24).items():
        for action in asked[entity]:
            alone = effect(demo, entity, action, hours=24)
            assert found[action].spend_minor == alone.spend_minor
            assert found[action].conversions == alone.conversions


def test_the_best_of_all_is_the_best_of_each_and_never_loses(demo: World) -> None:
    asked = {entity: [action_of(arm) for arm in ARMS] for entity in adsets_of(demo)}
    best = best_actions(demo, asked, hours=48)
    dud = of_kind(demo, "dud")
    assert best[dud][0] == best_action(demo, dud, actions=asked[dud], hours=48)[0]
    assert all(found.profit_minor >= 0 for _, found in best.values())
    gains = assignment_effect(demo, {key: action for key, (action, _) in best.items()}, hours=48)
    assert set(gains) == {f"act_{one.id}" for one in demo.population.accounts}
    for account, gain in gains.items():
        alone = [one for key, (_, one) in best.items() if key.account == account]
        own = [key for key in best if key.account == account]
        pooled = {demo.node(key.id).parent for key in own}
        if not any(demo.population.campaigns[row].daily_budget_minor for row in pooled):
            # Budgets of their own: what each gains alone adds up.
            expected = sum(one.profit_minor for one in alone)
            assert abs(gain.profit_minor - expected) <= len(own)


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
