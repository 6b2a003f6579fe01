"""Where no action has any effect, the rules still fire and no saving is told for certain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import Change
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.population import minor
from intel_ml.reporting.savings import ENOUGH, Case, Shocks, apart, contrast

START = datetime(2026, 10, 20, tzinfo=UTC)
SEEDS, DAYS, LOOK_BACK_H, DAY_H = range(8), 24, 72, 24
_TRIGGER, _HELD_OUT = 0.3, 0.35


def played(seed: int) -> list[list[Case]]:
    """Return each account's cases: what wasted 30 % of three days' spend, paused or left alone."""
    world = World.load("null", start=START, seed=seed)
    luck = np.random.default_rng(seed)
    ad_sets = world.population.adset_traits
    target = np.array([minor(one.target_cpa, one) for one in world.population.accounts])
    asked: list[tuple[int, int, bool]] = []
    for day in range(DAYS):
        world.advance(DAY_H)
        if not 3 <= day < DAYS - 3:
            continue
        spend, waste = wasted(world, world.hour, target)
        for row in np.flatnonzero((spend > 0) & (waste > _TRIGGER * spend)).tolist():
            is_held_out = bool(luck.random() < _HELD_OUT)
            asked.append((world.hour, row, is_held_out))
            if not is_held_out:
                world.change(world.population.adsets[row].id, Change(status="PAUSED"))
    cases: list[list[Case]] = [[] for _ in target]
    for hour, row, is_held_out in asked:
        (spend, before), (_, after) = (
            wasted(world, at, target) for at in (hour, hour + LOOK_BACK_H)
        )
        case = Case(
            unit=str(row),
            at=START + timedelta(hours=hour),
            is_held_out=is_held_out,
            is_made=not is_held_out,
            spend=float(spend[row]),
            before=float(before[row]),
            after=float(after[row]),
        )
        cases[ad_sets.account[row]].append(case)
    return cases


def wasted(world: World, end: int, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (spend, spend beyond target) of each ad set in the three days before an hour."""
    ads, ad_sets = world.population.ad_traits, world.population.adset_traits
    sums = world.ledger.windows([(end - LOOK_BACK_H, end)], ads=np.arange(world.ledger.ads))[:, 0]
    count = len(world.population.adsets)
    spend = np.bincount(ads.adset, weights=sums[Column.SPEND], minlength=count)
    results = np.bincount(ads.adset, weights=sums[Column.CONVERSIONS], minlength=count)
    return spend, spend - results * target[ad_sets.account]


@pytest.fixture(scope="module")
def accounts() -> list[list[Case]]:
    """The cases of each account of each seed that has enough of them to tell anything."""
    found = [apart(cases) for seed in SEEDS for cases in played(seed)]
    return [cases for cases in found if min(sides(cases)) >= ENOUGH]


def sides(cases: list[Case]) -> tuple[int, int]:
    held_out = sum(case.is_held_out for case in cases)
    return held_out, len(cases) - held_out


def test_what_was_paused_looks_better_afterwards_though_nothing_was_changed(
    accounts: list[list[Case]],
) -> None:
    made = [case for cases in accounts for case in cases if case.is_made]
    improved = sum(case.before - case.after for case in made) / sum(case.before for case in made)
    assert improved > 0.1


def test_no_saving_is_told_for_certain_more_often_than_the_interval_promises(
    accounts: list[list[Case]],
) -> None:
    effects = [contrast(cases, Shocks({})) for cases in accounts]
    sure = [found.low > 0 or found.high < 0 for found in effects if found is not None]
    assert len(sure) >= 12
    assert np.mean(sure) <= 0.15


def test_the_savings_of_many_accounts_average_to_nothing(accounts: list[list[Case]]) -> None:
    shares = [
        found.value / np.mean([case.before for case in cases])
        for cases in accounts
        if (found := contrast(cases, Shocks({}))) is not None
    ]
    assert abs(np.mean(shares)) < 0.1
