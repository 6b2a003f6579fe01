"""What a look at a world shows: what a person in Ads Manager would see, no more."""

from __future__ import annotations

import numpy as np
import pytest

from intel_ml.core.days import day_start
from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import Change
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.store.expressions import account_moment
from intel_ml.learning.simulation.looking import Observer, accounts_of, adset_entity


def test_every_ad_set_has_a_state_with_its_own_numbers(world: World, observer: Observer) -> None:
    states = observer.look(world)
    assert len(states) == len(world.population.adsets)
    assert {one.type for one in states.entities} == {EntityType.ADSET}
    for account in accounts_of(world):
        today = account_moment(account, world.now)
        first = int((day_start(today.day, account.time_zone) - world.start).total_seconds() // 3600)
        for row, entity in enumerate(states.entities):
            if entity.account != account.id:
                continue
            at = world.population.rows[entity.id][1]
            ads = [n for n, ad in enumerate(world.population.ads) if ad.parent == at]
            hours = (first - 48, world.hour)  # today and the two days before it
            sums = world.ledger.windows([hours], ads=np.array(ads))[:, 0].sum(axis=1)
            state = states.state(row)
            if sums[Column.IMPRESSIONS] == 0:
                assert state["spend"] is None
                continue
            assert state["spend"] == pytest.approx(sums[Column.SPEND] / account.currency_offset)
            assert state["conversions"] == sums[Column.CONVERSIONS]
            assert state["clicks"] == sums[Column.CLICKS]
            assert state["target_cpa"] == {"USD": 20.0, "JPY": 3000.0}[account.currency]


def test_purchases_that_are_not_reported_yet_are_not_seen(world: World, observer: Observer) -> None:
    states = observer.look(world)
    seen = sum(float(v or 0) for v in (one["conversions_7d"] for one in states.all_states()))
    true = world.ledger.counts[Column.TRUE_CONVERSIONS, -0 : world.hour].sum()
    reported = world.ledger.counts[Column.CONVERSIONS, : world.hour].sum()
    assert seen <= reported < true


def test_a_look_changes_nothing_and_edits_show_at_the_next(
    world: World, observer: Observer
) -> None:
    hour, before = world.hour, observer.look(world)
    again = observer.look(world)
    assert world.hour == hour
    assert before.all_states() == again.all_states()
    node = next(n for n in world.population.adsets if n.daily_budget_minor)
    world.change(node.id, Change(daily_budget_minor=node.daily_budget_minor + 1000))
    world.change(world.population.adsets[1].id, Change(status="PAUSED"))
    after = observer.look(world)
    row = after.entities.index(adset_entity(world, node))
    assert after.state(row)["daily_budget"] == before.state(row)["daily_budget"] + 10
    paused = after.entities.index(adset_entity(world, world.population.adsets[1]))
    assert after.state(paused)["effective_status"] == "PAUSED"
