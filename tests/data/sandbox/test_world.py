"""The world: deterministic, forkable, bounded by budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.days import account_day, day_start
from intel_ml.core.errors import NotFoundError, RefusedChangeError, ThrottledError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import Change
from intel_ml.data.sandbox.copying import Copying
from intel_ml.data.sandbox.ledger import Column

START = datetime(2026, 10, 20, tzinfo=UTC)
seeds = st.integers(0, 2**63)


def entity(world: World, row: int = 0) -> Entity:
    node = world.population.adsets[row]
    account = world.population.accounts[node.account]
    return Entity(AdAccountId(f"act_{account.id}"), EntityType.ADSET, EntityId(node.id))


def history(world: World) -> np.ndarray:
    return world.ledger.counts[:, : world.hour]


def of_adset(world: World, row: int) -> np.ndarray:
    return np.flatnonzero(world.population.ad_traits.adset == row)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, hours=st.integers(1, 60))
def test_the_same_seed_gives_the_same_history(small_file: Path, seed: int, hours: int) -> None:
    one = World.load(small_file, start=START, seed=seed)
    two = World.load(small_file, start=START, seed=seed)
    one.advance(hours)
    for _ in range(hours):
        two.advance(1)
    assert (history(one) == history(two)).all()
    assert one.now == START + timedelta(hours=hours)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, hours=st.integers(0, 50))
def test_forks_are_identical_until_an_action_bites(small_file: Path, seed: int, hours: int) -> None:
    world = World.load(small_file, start=START, seed=seed)
    world.advance(hours)
    still, paused = world.fork(), world.fork()
    paused.apply(entity(world), Action(ActionType.PAUSE))
    still.advance(24)
    paused.advance(24)
    world.advance(24)
    assert (history(still) == history(world)).all()
    assert (history(still)[:, :hours] == history(paused)[:, :hours])[: Column.CONVERSIONS].all()
    others = np.flatnonzero(world.population.ad_traits.adset != 0)
    assert (history(still)[:, :, others] == history(paused)[:, :, others]).all()
    assert not history(paused)[Column.SPEND, hours:][:, of_adset(world, 0)].any()
    assert history(still)[Column.SPEND, hours:][:, of_adset(world, 0)].any()


@settings(max_examples=6, deadline=None)
@given(seed=seeds, percent=st.sampled_from([-50, -20, 10, 20]))
def test_in_the_null_world_no_action_changes_anything(seed: int, percent: int) -> None:
    world = World.load("null", start=START, seed=seed)
    acted = world.fork()
    kind = ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET
    acted.apply(entity(world, 0), Action(kind, percent))
    acted.apply(entity(world, 1), Action(ActionType.PAUSE))
    world.advance(30)
    acted.advance(30)
    assert acted.population.adsets[1].status == "PAUSED"
    assert (history(world) == history(acted)).all()


@settings(max_examples=6, deadline=None)
@given(seed=seeds, raises=st.lists(st.integers(-40, 60).filter(bool), max_size=3))
def test_a_day_never_spends_more_than_its_highest_budget(
    small_file: Path, seed: int, raises: list[int]
) -> None:
    world = World.load(small_file, start=START, seed=seed)
    zone = world.population.accounts[0].time_zone
    highest: dict[tuple[int, str], int] = {}
    for step in range(80):
        if raises and step % 23 == 11:
            world.apply(entity(world), _budget(raises[step // 23 % len(raises)]))
        for row in (0, 1):
            key = (row, str(account_day(world.now, zone)))
            budget = world.population.adsets[row].daily_budget_minor or 0
            highest[key] = max(highest.get(key, 0), budget)
        world.advance(1)
    for (row, day), budget in highest.items():
        assert _day_sum(world, Column.SPEND, row, day) <= budget
    campaign = world.population.campaigns[1].daily_budget_minor or 0
    for day in {day for _, day in highest}:
        assert sum(_day_sum(world, Column.SPEND, row, day) for row in (2, 3)) <= campaign


def _budget(percent: int) -> Action:
    kind = ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET
    return Action(kind, percent)


def _day_sum(world: World, column: Column, row: int, day: str) -> int:
    zone = world.population.accounts[0].time_zone
    moment = datetime.fromisoformat(day)
    first = (day_start(moment.date(), zone) - START) // timedelta(hours=1)
    end = (day_start(moment.date() + timedelta(days=1), zone) - START) // timedelta(hours=1)
    return int(world.ledger.windows([(first, end)], ads=of_adset(world, row))[column].sum())


def test_more_budget_buys_more_but_at_a_higher_price(small_file: Path) -> None:
    costs = {}
    for percent in (-50, 100):
        spend = results = 0
        for seed in range(6):
            world = World.load(small_file, start=START, seed=seed)
            world.change(
                world.population.adsets[0].id,
                Change(daily_budget_minor=200_00 * (100 + percent) // 100),
            )
            world.advance(120)
            sums = history(world)[:, :, of_adset(world, 0)].sum(axis=(1, 2))
            spend += int(sums[Column.SPEND])
            results += int(sums[Column.TRUE_CONVERSIONS])
        costs[percent] = (results, spend / results)
    assert costs[100][0] > 2 * costs[-50][0]
    assert costs[100][1] > costs[-50][1]


def test_a_budget_beyond_its_audience_is_not_spent(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    world.change(world.population.adsets[1].id, Change(daily_budget_minor=10**12))
    world.advance(48)
    shown = history(world)[Column.IMPRESSIONS][:, of_adset(world, 1)].sum()
    most = 48 * world.population.adset_traits.audience[1]
    assert 0.8 * most < shown < 1.1 * most


def test_late_reports_restate_the_hour_the_purchase_happened_in(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    world.advance(48)
    known = int(history(world)[Column.CONVERSIONS, :48].sum())
    truth = int(history(world)[Column.TRUE_CONVERSIONS, :48].sum())
    assert known < truth
    world.advance(28 * 24)
    assert int(history(world)[Column.CONVERSIONS, :48].sum()) == truth
    assert int(history(world)[Column.TRUE_CONVERSIONS, :48].sum()) == truth


def test_a_large_edit_restarts_learning_and_a_small_one_does_not(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    world.advance(24 * 8)
    assert world.stage(0).name == "SUCCESS"
    world.apply(entity(world), _budget(20))
    assert world.stage(0).name == "SUCCESS"
    world.apply(entity(world), _budget(80))
    assert world.stage(0).name == "LEARNING"


def test_the_platform_refuses_what_meta_refuses(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    adset, pooled = world.population.adsets[0], world.population.adsets[2]
    with pytest.raises(RefusedChangeError) as conflict:
        world.change(pooled.id, Change(daily_budget_minor=50_00))
    assert conflict.value.subcode == 1885621
    with pytest.raises(RefusedChangeError) as low:
        world.change(adset.id, Change(daily_budget_minor=99))
    assert low.value.subcode == 1885272
    for n in range(4):
        world.change(adset.id, Change(daily_budget_minor=100_00 + n))
    with pytest.raises(ThrottledError) as often:
        world.change(adset.id, Change(daily_budget_minor=110_00))
    assert often.value.subcode == 1487632
    world.advance(1)
    world.change(adset.id, Change(daily_budget_minor=110_00))
    world.change(adset.id, Change(status="ARCHIVED"))
    with pytest.raises(RefusedChangeError) as archived:
        world.change(adset.id, Change(status="ACTIVE"))
    assert archived.value.subcode == 1487056
    with pytest.raises(NotFoundError):
        world.change("404", Change(status="PAUSED"))


def test_a_copy_starts_fresh_and_leaves_the_others_alone(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    world.advance(10)
    still = world.fork()
    copied = world.copy_adset(world.population.adsets[0].id, Copying(deep=True, status="ACTIVE"))
    world.advance(24)
    still.advance(24)
    ads = len(still.population.ads)
    assert (history(world)[:, :, :ads] == history(still)).all()
    assert len(copied.pairs) == 4
    assert history(world)[Column.SPEND, :, ads:].any()
    assert world.population.find(copied.copied_id) is not None


def test_a_lifetime_budget_is_spread_over_its_days(small_file: Path, tmp_path: Path) -> None:
    text = small_file.read_text(encoding="utf-8")
    path = tmp_path / "lifetime.toml"
    path.write_text(
        text.replace("budget = 200,", "budget = 200, lifetime = true,"), encoding="utf-8"
    )
    world = World.load(path, start=START)
    world.advance(24 * 10)
    spent = int(history(world)[Column.SPEND][:, of_adset(world, 0)].sum())
    assert 8 * 200_00 < spent < 11 * 200_00
    with pytest.raises(RefusedChangeError):
        world.change(world.population.adsets[0].id, Change(daily_budget_minor=50_00))
    with pytest.raises(RefusedChangeError):
        world.change(world.population.adsets[0].id, Change(lifetime_budget_minor=spent))
