"""What makes the sandbox worth learning from: each mechanism shows in the numbers as configured."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.ledger import Column

START = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize("seed", [13, 14])
def test_click_through_falls_with_exposure_at_the_configured_rate(seed: int) -> None:
    world = World.load("fatigue", start=START, seed=seed)
    traits = world.population.ad_traits
    worn = np.array(world.population.adset_traits.kind)[traits.adset] == "fatiguing"
    exposures, ratios = [], []
    for _ in range(20):
        before = world.motion.ad_exposure.copy()
        world.advance(24)
        sums = world.ledger.counts[:, world.hour - 24 : world.hour].sum(axis=1)
        middle = (before + world.motion.ad_exposure) / 2
        exposures.append(middle)
        ratios.append(sums[Column.CLICKS] / np.maximum(sums[Column.IMPRESSIONS], 1))
    delivered = worn & (np.min(ratios, axis=0) > 0)
    assert delivered.sum() > 5
    wear = np.array([world.file.fatigue.wear(exposure=e, rate=traits.fatigue) for e in exposures])
    expected = (wear * traits.ctr)[:, delivered]
    seen = np.array(ratios)[:, delivered]
    slope = np.polyfit(np.log(expected).ravel(), np.log(seen).ravel(), 1)[0]
    assert 0.9 < slope < 1.1
    assert abs(np.log(seen.sum() / expected.sum())) < 0.05


def test_before_and_after_shows_a_win_where_nothing_was_done() -> None:
    """Ad sets picked for a bad spell look better afterwards: regression to the mean."""
    improvements = []
    for seed in range(5):
        world = World.load("null", start=START, seed=seed)
        world.advance(24 * 9)
        before, after = _cost(world, 24 * 3, 24 * 6), _cost(world, 24 * 6, 24 * 9)
        usual = world.population.adset_traits
        healthy = np.isin(np.array(usual.kind), ["winner", "steady", "saturated"])
        typical = np.nanmedian(before[healthy] / _target(world)[healthy])
        picked = healthy & (before / _target(world) > 1.3 * typical) & np.isfinite(after)
        improvements += list(np.log(after[picked] / before[picked]))
    assert len(improvements) > 20
    assert np.exp(np.mean(improvements)) < 0.9


def _cost(world: World, first: int, end: int) -> np.ndarray:
    ads = world.population.ad_traits.adset
    sums = world.ledger.windows([(first, end)], ads=np.arange(len(ads)))[:, 0]
    count = len(world.population.adsets)
    spend = np.bincount(ads, weights=sums[Column.SPEND], minlength=count)
    results = np.bincount(ads, weights=sums[Column.CONVERSIONS], minlength=count)
    return np.where(results > 0, spend / np.maximum(results, 1), np.nan)


def _target(world: World) -> np.ndarray:
    return world.population.adset_traits.order_value / 2.3


def test_thin_worlds_have_few_purchases() -> None:
    counts = {}
    for name in ("demo", "thin"):
        world = World.load(name, start=START, seed=1)
        world.advance(120)
        counts[name] = int(world.ledger.counts[Column.TRUE_CONVERSIONS].sum())
    assert counts["thin"] < 0.2 * counts["demo"]


def test_the_demo_world_holds_winners_losers_and_duds() -> None:
    world = World.load("demo", start=START)
    world.advance(24 * 10)
    cost, kinds = (
        _cost(world, 0, 240) / _target(world),
        np.array(world.population.adset_traits.kind),
    )
    assert np.nanmedian(cost[kinds == "winner"]) < 0.85
    assert np.nanmedian(cost[kinds == "loser"]) > 2
    assert len(world.population.adsets) >= 40
    assert len(world.population.ads) >= 120
