"""Each mechanism shows in what a world delivers, and is really gone when it is switched off."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import PlatformError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import Change
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.mechanisms.season import NamedSeason
from intel_ml.data.sandbox.worldfile import WorldFile, load_world_file, world_names

START = datetime(2026, 10, 19, tzinfo=UTC)
MECHANISMS = [one.name for one in fields(WorldFile) if hasattr(one.default_factory, "enabled")]
#: What would change a lot, if a mechanism that is switched off still read its settings.
EXTREME: dict[str, dict[str, Any]] = {
    "auction": {"hour_amplitude": 0.9, "weekend": 5.0},
    "bidding": {"headroom": 0.01, "spread": 0.1},
    "conversion": {"hourly_share": 0.01, "hour_amplitude": 0.9},
    "diminishing": {"widest_ratio": 1000.0},
    "drift": {"regime_per_adset_hour": 1.0, "conversion_walk": 1.0},
    "fatigue": {"half_life_hours": 1.0, "floor": 0.0},
    "lag": {"shares": (0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9)},
    "learning": {"price": 9.0, "noise": 9.0, "results_needed": 10**6},
    "noise": {"rho": 0.1, "price": 2.0, "clicks": 2.0, "conversions": 2.0},
    "outside": {"per_adset_hour": 1.0, "pause_per_adset_hour": 1.0, "rename_per_adset_hour": 1.0},
    "pacing": {"hour_amplitude": 0.1, "peak_hour": 3},
    "pixel": {"outage_per_hour": 1.0, "match_loss": 1.0},
    "reach": {"shape": 0.1, "most_per_hour": 0.0001},
    "season": {"price_amplitude": 0.9, "named": (NamedSeason("x", "01-01", "12-31", 9.0, 9.0),)},
    "shocks": {"price_per_account_hour": 1.0, "conversion_per_account_hour": 1.0},
}


def switched(file: WorldFile, name: str, **settings: Any) -> WorldFile:
    return replace(file, **{name: replace(getattr(file, name), **settings)})


def played(file: WorldFile, hours: int, *, seed: int = 5, start: datetime = START) -> World:
    world = World(file, start=start, seed=seed)
    world.advance(hours)
    return world


def edited(file: WorldFile, hours: int) -> World:
    """A world in which somebody raised a budget: off its reference, and learning anew."""
    world = World(file, start=START, seed=5)
    node = world.population.adsets[6]
    world.change(node.id, Change(daily_budget_minor=6 * (node.daily_budget_minor or 0)))
    world.advance(hours)
    return world


def ratio_of(world: World, top: Column, bottom: Column, hours: slice) -> float:
    sums = world.ledger.counts[:, hours].sum(axis=(1, 2))
    return float(sums[top] / sums[bottom])


def without_noise(file: WorldFile) -> WorldFile:
    for name in ("noise", "learning", "outside"):
        file = switched(file, name, enabled=False)
    return file


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_that_is_switched_off_changes_nothing(name: str) -> None:
    bids = load_world_file("bids")
    quiet = edited(switched(bids, name, enabled=False), 60)
    extreme = edited(switched(bids, name, enabled=False, **EXTREME[name]), 60)
    assert (quiet.ledger.counts == extreme.ledger.counts).all()
    assert quiet.activities == extreme.activities


@pytest.mark.parametrize("name", [one for one in MECHANISMS if one != "reach"])
def test_a_mechanism_that_is_switched_on_changes_something(name: str) -> None:
    bids = load_world_file("bids")
    quiet = edited(switched(bids, name, enabled=False), 60)
    extreme = edited(switched(bids, name, enabled=True, **EXTREME[name]), 60)
    assert (quiet.ledger.counts != extreme.ledger.counts).any()


@pytest.mark.parametrize("name", [one for one in world_names() if one != "agency"])
def test_the_same_seed_gives_the_same_world_whatever_is_going_on_in_it(name: str) -> None:
    one, two = (World.load(name, start=START, seed=9) for _ in range(2))
    one.advance(30)
    for _ in range(30):
        two.advance(1)
        two.fork().advance(1)
    assert (one.ledger.counts == two.ledger.counts).all()
    assert np.array_equal(one.pixel_events, two.pixel_events)
    assert one.activities == two.activities


@settings(max_examples=10, deadline=None)
@given(
    name=st.sampled_from(["demo", "seasonal", "nonstationary", "bids"]),
    seed=st.integers(0, 2**32),
    row=st.integers(0, 7),
    kind=st.sampled_from(["pause", "raise", "cut", "bid", "copy"]),
)
def test_what_is_done_to_one_ad_set_leaves_other_campaigns_exactly_alone(
    name: str, seed: int, row: int, kind: str
) -> None:
    world = World.load(name, start=START, seed=seed)
    world.advance(20)
    acted = world.fork()
    node = acted.population.adsets[row]
    account = AdAccountId(f"act_{acted.population.accounts[node.account].id}")
    action = {
        "pause": Action(ActionType.PAUSE),
        "raise": Action(ActionType.INCREASE_BUDGET, 80),
        "cut": Action(ActionType.DECREASE_BUDGET, -50),
        "bid": Action(ActionType.ADJUST_BID, -40),
        "copy": Action(ActionType.DUPLICATE),
    }[kind]
    try:
        acted.apply(Entity(account, EntityType.ADSET, EntityId(node.id)), action)
    except PlatformError:
        return
    world.advance(30)
    acted.advance(30)
    adset = world.population.ad_traits.adset
    others = np.flatnonzero(world.population.adset_traits.campaign[adset] != node.parent)
    ads = len(world.population.ads)
    before, after = world.ledger.counts, acted.ledger.counts[:, :, :ads]
    assert (before[:, :, others] == after[:, :, others]).all()
    # What was bought before stays, and so do the reports of it that come in later.
    assert (before[:, :20] == after[:, :20]).all()


def test_impressions_are_dear_in_the_evening_and_at_the_weekend() -> None:
    file = without_noise(load_world_file("demo"))
    world = played(file, 24 * 14)
    berlin = world.population.adset_traits.account[world.population.ad_traits.adset] == 1
    sums = world.ledger.counts[:, :, berlin].sum(axis=2).astype(float)
    price = sums[Column.SPEND] / sums[Column.IMPRESSIONS]
    local = [(START + timedelta(hours=n + 2)) for n in range(24 * 5)]
    evening = np.mean([price[n] for n, at in enumerate(local) if at.hour == 20])
    morning = np.mean([price[n] for n, at in enumerate(local) if at.hour == 8])
    assert 1.3 < evening / morning < 1.6
    weekend = [n for n in range(24, 24 * 14 - 24) if (START + timedelta(hours=n + 2)).weekday() > 4]
    week = [n for n in range(24, 24 * 14 - 24) if (START + timedelta(hours=n + 2)).weekday() < 5]
    assert 1.04 < price[weekend].mean() / price[week].mean() < 1.12


def test_a_day_is_spent_with_its_traffic_and_not_at_once() -> None:
    world = played(without_noise(load_world_file("demo")), 24 * 4)
    tokyo = world.population.adset_traits.account[world.population.ad_traits.adset] == 2
    spend = world.ledger.counts[Column.SPEND][:, tokyo].sum(axis=1)
    by_hour = spend[15:87].reshape(3, 24).sum(axis=0)  # from a midnight in Tokyo
    assert int(np.argmax(by_hour)) in (18, 19, 20)
    assert by_hour.max() > 3 * by_hour.min() > 0


def test_the_seasonal_curve_shows_in_price_and_conversion() -> None:
    start = datetime(2026, 11, 10, tzinfo=UTC)
    file = without_noise(load_world_file("seasonal"))
    file = switched(file, "shocks", enabled=False)
    file = switched(file, "fatigue", enabled=False)
    usual = played(switched(file, "season", enabled=False), 24 * 24, start=start)
    world = played(file, 24 * 24, start=start)
    for day, label in ((2, "before"), (14, "sales week")):
        hours = slice(24 * day + 12, 24 * day + 30)
        price, conversion = file.season.factors(
            np.array([(start + timedelta(days=day + 1)).toordinal()])
        )
        dearer = ratio_of(world, Column.SPEND, Column.IMPRESSIONS, hours) / ratio_of(
            usual, Column.SPEND, Column.IMPRESSIONS, hours
        )
        assert abs(dearer / price[0] - 1) < 0.06, label
        if label == "sales week":
            assert dearer > 1.5
            better = ratio_of(world, Column.TRUE_CONVERSIONS, Column.CLICKS, hours) / ratio_of(
                usual, Column.TRUE_CONVERSIONS, Column.CLICKS, hours
            )
            assert abs(better / conversion[0] - 1) < 0.2


def test_a_shock_moves_a_whole_account_and_no_other() -> None:
    file = switched(load_world_file("demo"), "shocks", enabled=True, price_per_account_hour=0.004)
    calm = played(switched(file, "shocks", enabled=False), 24 * 20)
    world = played(file, 24 * 20)
    account = world.population.adset_traits.account[world.population.ad_traits.adset]
    moved = []
    for row in range(3):
        price = [
            one.ledger.counts[:, :, account == row].sum(axis=2)[[Column.SPEND, Column.IMPRESSIONS]]
            for one in (world, calm)
        ]
        days = [one.reshape(2, 20, 24).sum(axis=2) for one in price]
        moved.append(np.log((days[0][0] / days[0][1]) / (days[1][0] / days[1][1])))
    assert max(np.abs(one).max() for one in moved) > 0.1
    assert abs(np.corrcoef(moved[0], moved[1])[0, 1]) < 0.95
    # Most days are as usual, and a shock lasts for more than one.
    assert np.median(np.abs(np.concatenate(moved))) < 0.2
    assert np.mean([np.corrcoef(one[:-1], one[1:])[0, 1] for one in moved if one.any()]) > 0.3


def test_nonstationary_worlds_drift_and_the_demo_does_not() -> None:
    world = World.load("nonstationary", start=START, seed=3)
    early: list[np.ndarray] = []
    for _ in range(3):
        world.advance(24 * 10)
        early.append(world.motion.adset_result_drift.copy())
    assert early[0].std() > 0.15
    assert early[2].std() > early[0].std()
    demo = World.load("demo", start=START, seed=3)
    demo.advance(24 * 10)
    assert not demo.motion.adset_result_drift.any()
    assert not demo.motion.account_price_shock.any()


def test_drift_turns_the_order_of_ad_sets_over() -> None:
    """The same world with and without drift: who converts best changes only with it."""
    file = switched(load_world_file("nonstationary"), "shocks", enabled=False)
    still = switched(file, "drift", enabled=False)
    world = World(file, start=START, seed=4)
    world.advance(24 * 30)
    drifted = world.motion.adset_result_drift
    true_rate = world.population.adset_traits.rate * np.exp(drifted)
    before = World(still, start=START, seed=4).population.adset_traits.rate
    assert (world.population.adset_traits.rate == before).all()
    assert np.abs(np.log(true_rate / before)).max() > 0.7
    order = np.argsort(np.argsort(true_rate)), np.argsort(np.argsort(before))
    assert (order[0] != order[1]).mean() > 0.5


def test_a_restart_of_learning_is_dearer_and_noisier_until_it_ends() -> None:
    file = switched(load_world_file("bids"), "outside", enabled=False)
    world = played(file, 24 * 8)
    row = 7
    node = world.population.adsets[row]
    assert world.stage(row).name == "SUCCESS"
    world.change(node.id, Change(daily_budget_minor=(node.daily_budget_minor or 0) * 2))
    learning = world.fork()
    world.motion.adset_stage[row] = 1  # as if the edit had not been significant
    prices = []
    for one in (learning, world):
        stages = []
        for _ in range(12):
            one.advance(1)
            stages.append(one.stage(row).name)
        ads = np.flatnonzero(one.population.ad_traits.adset == row)
        sums = one.ledger.windows([(24 * 8, 24 * 8 + 12)], ads=ads)[:, 0].sum(axis=1)
        prices.append(sums[Column.SPEND] / sums[Column.IMPRESSIONS])
    assert abs(prices[0] / prices[1] - file.learning.price) < 0.03
    learning.advance(24 * 7)
    assert learning.stage(row).name == "SUCCESS"
    assert learning.motion.adset_results[row] >= file.learning.results_needed


def test_learning_makes_results_noisier() -> None:
    file = switched(load_world_file("demo"), "learning", price=1.0, noise=2.0)
    calm = World(file, start=START, seed=2)
    noisy = World(file, start=START, seed=2)
    calm.motion.adset_stage[:] = 1
    noisy.motion.adset_stage[:] = 0
    noisy.motion.adset_edited_hour[:] = noisy.motion.adset_results[:] = 0
    spreads = []
    for world in (calm, noisy):
        world.advance(1)
        clicks = world.ledger.counts[Column.CLICKS].sum(axis=0)
        rate = world.population.adset_traits.rate[world.population.ad_traits.adset]
        seen = clicks > 0
        spreads.append(np.log(world.motion.ad_intent[seen] / clicks[seen] / rate[seen]).std())
    assert spreads[1] > 1.4 * spreads[0]


def test_a_day_is_restated_for_nearly_four_weeks() -> None:
    known: dict[int, int] = {}
    truth = 0
    for seed in range(2):
        world = World.load("demo", start=START, seed=seed)
        world.advance(24)
        ads = np.arange(len(world.population.ads))
        for day in range(1, 29):
            sums = world.ledger.windows([(0, 24)], ads=ads)[:, 0].sum(axis=1)
            known[day] = known.get(day, 0) + int(sums[Column.CONVERSIONS])
            world.advance(24)
        truth += int(world.ledger.windows([(0, 24)], ads=ads)[Column.TRUE_CONVERSIONS].sum())
    assert 0.7 < known[1] / truth < 0.92
    assert known[1] < known[3] < known[8] < known[28] == truth
    assert known[25] < truth


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), days=st.integers(1, 9))
def test_a_day_is_the_sum_of_its_hours_after_every_restatement(seed: int, days: int) -> None:
    world = World.load("seasonal", start=START, seed=seed)
    world.advance(24 * days + seed % 24)
    ads = np.arange(len(world.population.ads))
    hours = [(24 * day + hour, 24 * day + hour + 1) for day in range(days) for hour in range(24)]
    whole = world.ledger.windows([(24 * day, 24 * day + 24) for day in range(days)], ads=ads)
    parts = world.ledger.windows(hours, ads=ads)
    assert (parts.reshape(7, days, 24, len(ads)).sum(axis=2) == whole).all()
    assert (world.ledger.windows([(-50, 10**6)], ads=ads)[:, 0] >= whole.sum(axis=1)).all()


def test_a_bid_below_the_market_starves_and_raising_it_brings_delivery_back() -> None:
    file = switched(load_world_file("bids"), "outside", enabled=False)
    world = played(file, 24 * 3)
    low, node = next(
        (n, one) for n, one in enumerate(world.population.adsets) if one.name.endswith("too low")
    )
    raised = world.fork()
    raised.change(node.id, Change(bid_amount_minor=(node.bid_amount_minor or 0) * 4))
    assert raised.stage(low).name == "LEARNING"
    cut = world.fork()
    account = AdAccountId("act_301")
    cut.apply(
        Entity(account, EntityType.ADSET, EntityId(node.id)), Action(ActionType.ADJUST_BID, -50)
    )
    spend = {}
    for name, one in (("cut", cut), ("as it is", world), ("raised", raised)):
        one.advance(48)
        ads = np.flatnonzero(one.population.ad_traits.adset == low)
        spend[name] = int(one.ledger.windows([(72, 120)], ads=ads)[Column.SPEND].sum())
    budget = 2 * (node.daily_budget_minor or 0)
    assert spend["cut"] < 0.5 * spend["as it is"] < 0.5 * spend["raised"]
    assert spend["as it is"] < 0.75 * budget
    assert spend["raised"] > 0.85 * budget
