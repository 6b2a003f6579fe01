from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.learning.evaluation import e_process
from intel_ml.learning.evaluation.e_process import Bounds, Foresight
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.restarts import AT_ONCE, BLOCK, restarted
from tests.learning.evaluation import bandits


def _steps(seed: int, n: int, bets: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(-0.01, 0.1, (bets, n)).cumsum(axis=1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 4 * BLOCK))
def test_it_is_the_sum_of_bets_that_begin_one_after_another(seed: int, n: int) -> None:
    logs = _steps(seed, n)
    known = np.concatenate([np.zeros((2, 1)), logs], axis=1)
    summed = np.zeros(n)
    for number, start in enumerate(range(0, n, BLOCK)):
        share = AT_ONCE if number == 0 else (1 - AT_ONCE) / (number * (number + 1))
        grown = np.exp(known[:, 1:] - known[:, [start]]).mean(axis=0)
        summed += share * np.where(np.arange(n) < start, 1.0, grown)
    begun = range(-(-n // BLOCK))
    waiting = 1.0 - sum(
        AT_ONCE if number == 0 else (1 - AT_ONCE) / (number * (number + 1)) for number in begun
    )
    assert restarted(logs) == pytest.approx(summed + waiting)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), part=st.integers(1, 300))
def test_nothing_that_comes_later_changes_it_and_it_is_never_below_zero(
    seed: int, part: int
) -> None:
    logs = _steps(seed, 300)
    whole = restarted(logs)
    assert restarted(logs[:, :part]) == pytest.approx(whole[:part])
    assert (whole >= 0).all()


def test_fair_bets_stay_fair() -> None:
    random = np.random.default_rng(0)
    ends = [
        restarted(np.log1p(0.1 * random.choice([-1.0, 1.0], (1, 3 * BLOCK))).cumsum(axis=1))[-1]
        for _ in range(3000)
    ]
    assert np.mean(ends) == pytest.approx(1.0, abs=5 * np.std(ends) / np.sqrt(3000))


def test_what_was_lost_for_a_thousand_decisions_is_not_missed() -> None:
    falling, rising = np.full(1000, -2.0), np.full(300, 0.1)
    logs = np.concatenate([falling, rising]).cumsum()[None]
    path = restarted(logs)
    assert logs[0, -1] < -1900
    assert path[-1] > 20
    assert np.isfinite(restarted(-logs)).all()


def _turned(seed: int, *, good: int, bad: int) -> LoggedDecisions:
    """Return decisions a champion took half of; its favourites earn more, then less."""
    random, n = np.random.default_rng(seed), good + bad
    contexts = random.integers(0, 4, n)
    likes = bandits.candidate()
    chances = 0.5 * (bandits.INCUMBENT + likes)[contexts]
    actions = (random.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 5)
    is_liked = actions == bandits.FAVOURITES[contexts]
    means = 0.4 + np.where(np.arange(n) < good, 0.2, -0.2) * is_liked
    return LoggedDecisions(
        pmf_logged=chances[np.arange(n), actions],
        rewards=(random.random(n) < means).astype(float),
        actions=actions.astype(np.intp),
        pmf_new=likes[contexts],
        reward_model=chances,
    )


def test_a_champion_that_turned_bad_is_found_as_soon_after_a_good_month_as_after_a_week() -> None:
    waited = []
    for good in (350, 1500):
        for seed in range(15):
            log = _turned(seed, good=good, bad=1500)
            assert log.reward_model is not None
            worse = e_process.duel(
                log,
                replace(log, pmf_new=np.repeat(bandits.INCUMBENT[None], len(log), axis=0)),
                foresight=Foresight(log.reward_model, np.full((len(log), 6), 0.4)),
                bounds=Bounds(0.0, 1.0),
            ).worse
            assert worse.crossed_at is not None
            waited.append(worse.crossed_at - good)
    assert min(waited) > 0
    assert np.median(waited[15:]) < 1.6 * np.median(waited[:15])
