from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.learning.evaluation import e_process, online
from intel_ml.learning.evaluation.e_process import Bounds, Foresight
from intel_ml.learning.evaluation.logged import LoggedDecisions
from tests.learning.evaluation import bandits

UNIT = Bounds(0.0, 1.0)


def test_at_equal_value_it_is_hardly_ever_fooled_however_often_one_looks() -> None:
    fooled = sum(
        e_process.evidence(
            bandits.logged(2000, uplift=0.0, seed=seed), None, bounds=UNIT
        ).has_crossed
        for seed in range(200)
    )
    assert fooled / 200 <= 0.05


def test_a_much_better_candidate_is_found() -> None:
    found = [
        e_process.evidence(bandits.logged(4000, uplift=0.6, seed=seed), None, bounds=UNIT)
        for seed in range(20)
    ]
    assert sum(f.has_crossed for f in found) >= 16


def test_a_worse_candidate_is_not_promoted() -> None:
    for seed in range(20):
        log = bandits.logged(2000, uplift=-0.6, seed=seed)
        assert not e_process.evidence(log, None, bounds=UNIT).has_crossed


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1)), min_size=1, max_size=50
    )
)
def test_no_difference_is_below_minus_one_and_no_wealth_below_zero(
    rows: list[tuple[float, float, float]],
) -> None:
    mine, other, rewards = (np.array(column) for column in zip(*rows, strict=True))
    steps = e_process.differences(mine, other, rewards)
    assert (steps >= -1).all()
    path = e_process.process(steps).path
    assert (path >= 0).all()
    assert np.isfinite(path).all()


def test_what_was_seen_later_does_not_change_what_was_known() -> None:
    log = bandits.logged(1000, uplift=0.3, seed=0)
    whole = e_process.evidence(log, None, bounds=UNIT).path
    part = e_process.evidence(log.take(list(range(400))), None, bounds=UNIT).path
    assert np.allclose(whole[:400], part)


def _duel(
    n: int, *, uplift: float, seed: int, predicted: NDArray[np.float64] | None = None
) -> e_process.Duel:
    log = bandits.logged(n, uplift=uplift, seed=seed)
    incumbent = np.repeat(bandits.INCUMBENT[None], n, axis=0)
    told = np.full((n, 6), 0.4) if predicted is None else predicted
    return e_process.duel(
        log,
        replace(log, pmf_new=incumbent),
        foresight=Foresight(incumbent, told),
        bounds=UNIT,
    )


def test_doubly_robust_bets_are_not_fooled_either_way() -> None:
    found = [_duel(2000, uplift=0.0, seed=seed) for seed in range(200)]
    assert sum(duel.better.has_crossed for duel in found) / 200 <= 0.05
    assert sum(duel.worse.has_crossed for duel in found) / 200 <= 0.05


def test_doubly_robust_bets_find_more() -> None:
    plain = sum(
        e_process.evidence(bandits.logged(3000, uplift=0.3, seed=s), None, bounds=UNIT).has_crossed
        for s in range(40)
    )
    robust = sum(_duel(3000, uplift=0.3, seed=s).better.has_crossed for s in range(40))
    assert robust > plain


def test_a_champion_that_got_worse_is_found_and_a_good_one_kept() -> None:
    bad = [_duel(3000, uplift=-0.5, seed=seed) for seed in range(20)]
    assert sum(duel.worse.has_crossed for duel in bad) >= 16
    assert not any(duel.better.has_crossed for duel in bad)
    good = [_duel(3000, uplift=0.5, seed=seed) for seed in range(20)]
    assert not any(duel.worse.has_crossed for duel in good)


@pytest.mark.parametrize("wrong", [0.0, 1.0])
def test_a_wrong_model_does_not_fool_it(wrong: float) -> None:
    found = [
        _duel(1000, uplift=0.0, seed=seed, predicted=np.full((1000, 6), wrong))
        for seed in range(100)
    ]
    assert sum(duel.better.has_crossed for duel in found) <= 5


def test_beside_what_was_done_it_bets_on_the_same_difference() -> None:
    log = bandits.logged(1000, uplift=0.3, seed=4)
    incumbent = np.repeat(bandits.INCUMBENT[None], 1000, axis=0)
    foresight = Foresight(incumbent, np.full((1000, 6), 0.4))
    with_policy = e_process.duel(
        log, replace(log, pmf_new=incumbent), foresight=foresight, bounds=UNIT
    )
    with_log = e_process.duel(log, None, foresight=foresight, bounds=UNIT)
    assert np.allclose(with_policy.better.path, with_log.better.path)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), least=st.floats(1e-4, 0.05), told=st.floats(0, 1))
def test_no_bet_loses_more_than_it_has_however_rare_the_action(
    seed: int, least: float, told: float
) -> None:
    random = np.random.default_rng(seed)
    n = 60
    chances = np.full((n, 6), least)
    chances[:, 1] = 1 - 5 * least
    actions = random.integers(0, 6, n).astype(np.intp)
    pmfs = random.dirichlet(np.full(6, 0.2), size=(2, n))
    log = LoggedDecisions(
        pmf_logged=chances[np.arange(n), actions],
        rewards=random.integers(0, 2, n).astype(float),
        actions=actions,
        pmf_new=pmfs[0],
    )
    found = e_process.duel(
        log,
        replace(log, pmf_new=pmfs[1]),
        foresight=Foresight(chances, np.full((n, 6), told)),
        bounds=UNIT,
    )
    for process in (found.better, found.worse):
        assert np.isfinite(process.path).all()
        assert (process.path >= e_process.CASH).all()


def test_rewards_on_a_scale_arriving_late_do_not_fool_it() -> None:
    fooled = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        log = bandits.logged(1500, uplift=0.0, seed=seed)
        rewards = np.where(log.rewards > 0, 1.5, -1.0) * random.uniform(0, 2, 1500)
        arrived = np.argsort(np.arange(1500) + random.exponential(100, 1500))
        late = replace(log, rewards=rewards).take(arrived.tolist())
        chances = np.repeat(bandits.INCUMBENT[None], 1500, axis=0)
        unit = Bounds().unit(late.rewards)
        told = online.cells(np.zeros(1500, dtype=np.intp), late.actions, unit, arms=6, start=0.5)
        fooled += e_process.duel(
            late, replace(late, pmf_new=chances), foresight=Foresight(chances, told)
        ).better.has_crossed
    assert fooled / 200 <= 0.05


def test_what_comes_later_does_not_change_a_duel() -> None:
    log = bandits.logged(1000, uplift=0.3, seed=0)
    incumbent = np.repeat(bandits.INCUMBENT[None], 1000, axis=0)
    other = replace(log, rewards=np.where(np.arange(1000) < 400, log.rewards, 1 - log.rewards))
    paths = [
        e_process.duel(
            one,
            replace(one, pmf_new=incumbent),
            foresight=Foresight(
                incumbent,
                online.cells(
                    np.zeros(1000, dtype=np.intp), one.actions, one.rewards, arms=6, start=0.5
                ),
            ),
            bounds=UNIT,
        ).better.path
        for one in (log, other)
    ]
    assert np.allclose(paths[0][:400], paths[1][:400])
    assert not np.allclose(paths[0], paths[1])


def _equal_in(world: str, seed: int, n: int = 1500) -> tuple[LoggedDecisions, Foresight, Bounds]:
    """Return a log of a world nobody tuned anything on; both policies are worth the same in it."""
    random = np.random.default_rng([3, seed])
    arms = {"two arms": 2, "twelve arms": 12}.get(world, 6)
    floor = {"rare": 0.001, "twelve arms": 0.02}.get(world, 0.05)
    chances = np.full((n, arms), floor)
    chances[:, 0] = 1 - floor * (arms - 1)
    contexts = random.integers(0, 4, n)
    if world == "seasons":
        contexts = 2 * ((np.arange(n) // 60) % 2 == 0) + random.integers(0, 2, n)
    favourites = 1 + contexts % (arms - 1)
    likes = np.full((n, arms), 0.0 if world == "certain" else 0.1 / (arms - 1))
    likes[np.arange(n), favourites] = 1.0 if world == "certain" else 0.9
    actions = (random.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, arms - 1)
    is_liked = actions == favourites
    rewards = random.normal(0, 0.4, n)
    if world == "heavy tails":
        rewards = 0.4 * random.standard_t(2, n)
    elif world in ("seasons", "unlike contexts"):
        rewards += np.where(contexts < 2, 0.3, -0.3) * is_liked
    elif world == "alike from day to day":
        shocks = random.normal(0, 0.1, n)
        rewards += np.array([shocks[max(0, i - 72) : i + 1].sum() for i in range(n)])
    elif world == "levels":
        rewards += np.array([-0.8, -0.3, 0.2, 0.7])[contexts]
    told = chances.copy()
    if world == "wrong probabilities":
        told[np.arange(n), favourites] *= 0.9
        told /= told.sum(axis=1, keepdims=True)
    log = LoggedDecisions(
        pmf_logged=told[np.arange(n), actions],
        rewards=rewards,
        actions=actions.astype(np.intp),
        pmf_new=likes,
    )
    unit = Bounds().unit(rewards)
    predicted = online.cells(contexts.astype(np.intp), log.actions, unit, arms=arms, start=0.5)
    return log, Foresight(told, predicted), Bounds()


@pytest.mark.parametrize(
    "world",
    [
        "heavy tails",
        "unlike contexts",
        "seasons",
        "alike from day to day",
        "levels",
        "wrong probabilities",
        "rare",
        "certain",
        "two arms",
        "twelve arms",
    ],
)
def test_in_worlds_nobody_tuned_on_equal_policies_are_told_apart_no_oftener_than_promised(
    world: str,
) -> None:
    better = worse = 0
    for seed in range(80):
        log, foresight, bounds = _equal_in(world, seed)
        duel = e_process.duel(log, None, foresight=foresight, bounds=bounds)
        better += duel.better.has_crossed
        worse += duel.worse.has_crossed
    # 5 % of 80 are 4; 9 or more would happen by chance in 2 of 100 such worlds.
    assert better <= 8
    assert worse <= 8


def test_a_candidate_that_is_the_champion_is_never_either() -> None:
    log, foresight, bounds = _equal_in("levels", 0)
    duel = e_process.duel(log, log, foresight=foresight, bounds=bounds)
    assert np.allclose(duel.better.path, 1.0)
    assert np.allclose(duel.worse.path, 1.0)


def test_outcomes_that_come_late_and_out_of_order_are_looked_at_as_often_as_one_likes() -> None:
    fooled = 0
    for seed in range(60):
        log, foresight, bounds = _equal_in("levels", seed)
        arrives = np.arange(1500) + np.random.default_rng(seed).exponential(150, 1500)
        fooled += any(
            e_process.duel(
                log.take(known := arrives <= now),
                None,
                foresight=Foresight(foresight.chances[known], foresight.predicted[known]),
                bounds=bounds,
            ).better.has_crossed
            for now in range(150, 1501, 150)
        )
    assert fooled <= 6


def test_good_days_before_bad_ones_are_no_proof() -> None:
    """Better in the first contexts, worse in the next, over and over: nothing on the whole."""
    fooled = 0
    for seed in range(60):
        log, foresight, bounds = _equal_in("seasons", seed, n=3000)
        fooled += e_process.duel(log, None, foresight=foresight, bounds=bounds).better.has_crossed
    assert fooled <= 6


def test_probabilities_a_tenth_too_small_prove_nothing_where_no_others_are_known() -> None:
    fooled = found = 0
    for seed in range(60):
        for uplift in (0.0, 0.6):
            log = bandits.logged(3000, uplift=uplift, seed=seed)
            is_liked = log.actions == log.pmf_new.argmax(axis=1)
            wrong = replace(log, pmf_logged=np.where(is_liked, 0.9, 1.0) * log.pmf_logged)
            crossed = e_process.evidence(wrong, None, bounds=UNIT).has_crossed
            fooled, found = fooled + (crossed and not uplift), found + (crossed and uplift > 0)
    assert fooled <= 4
    assert found >= 50
