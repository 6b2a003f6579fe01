from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation import dr, snips
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.sensitivity import (
    GAMMAS,
    difference_bounds,
    sensitivity,
    value_bounds,
)
from tests.learning.evaluation import bandits


def _incumbent(log: LoggedDecisions) -> LoggedDecisions:
    return replace(log, pmf_new=np.repeat(bandits.INCUMBENT[None], len(log), axis=0))


def test_where_nothing_is_doubted_the_bounds_are_the_estimate() -> None:
    log = bandits.logged(400, uplift=0.3, seed=0)
    assert value_bounds(log, gamma=1.0) == pytest.approx((snips.estimate(log).value,) * 2)
    least, most = difference_bounds(log, _incumbent(log), gamma=1.0)
    gain = dr.estimate(log).value - dr.estimate(_incumbent(log)).value
    assert (least.value, most.value) == pytest.approx((gain, gain))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), gamma=st.floats(1.0, 3.0))
def test_no_change_of_the_odds_within_gamma_leaves_the_bounds(seed: int, gamma: float) -> None:
    log = bandits.logged(60, uplift=0.3, seed=seed)
    random = np.random.default_rng(seed)
    moved = np.exp(random.uniform(-1, 1, 60) * np.log(gamma))
    other = replace(log, pmf_logged=_with_odds(log.pmf_logged, moved))
    low, high = value_bounds(log, gamma=gamma)
    assert low - 1e-9 <= snips.estimate(other).value <= high + 1e-9
    least, most = difference_bounds(log, _incumbent(log), gamma=gamma)
    gain = float((dr.values(other) - dr.values(_incumbent(other))).mean())
    assert least.value - 1e-9 <= gain <= most.value + 1e-9


def _with_odds(p: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + (1.0 / p - 1.0) * factor))


@given(seed=st.integers(0, 500))
@settings(max_examples=15, deadline=None)
def test_the_extremes_are_reached(seed: int) -> None:
    log = bandits.logged(9, uplift=0.3, seed=seed)
    log = replace(log, rewards=np.random.default_rng(seed).normal(size=9))
    found = value_bounds(log, gamma=2.0)
    corners = []
    for corner in range(2**9):
        factor = np.array([2.0 if corner >> row & 1 else 0.5 for row in range(9)])
        other = replace(log, pmf_logged=_with_odds(log.pmf_logged, factor))
        corners.append(snips.estimate(other).value)
    assert found == pytest.approx((min(corners), max(corners)))


def test_what_only_chance_decided_is_not_doubted() -> None:
    log = bandits.logged(200, uplift=0.3, seed=1)
    nobody = np.zeros(200, dtype=bool)
    assert value_bounds(log, gamma=3.0, judged=nobody) == pytest.approx(
        (snips.estimate(log).value,) * 2
    )
    half = np.arange(200) < 100
    narrow, wide = value_bounds(log, gamma=2.0, judged=half), value_bounds(log, gamma=2.0)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_point_where_a_conclusion_falls_is_where_nothing_comes_into_reach() -> None:
    log = bandits.logged(4000, uplift=0.6, seed=3)
    found = sensitivity(log, _incumbent(log))
    assert found.gammas == GAMMAS
    assert found.falls_at is not None
    assert 1.0 < found.falls_at < GAMMAS[-1]
    at = difference_bounds(log, _incumbent(log), gamma=found.falls_at)[0]
    below = difference_bounds(log, _incumbent(log), gamma=0.99 * found.falls_at)[0]
    assert at.low <= 1e-6
    assert below.low > 0


def test_a_difference_of_nothing_has_fallen_already_and_beside_the_log_it_can_be_asked_too() -> (
    None
):
    log = bandits.logged(300, uplift=0.3, seed=1)
    assert sensitivity(log, log).falls_at == 1.0
    least, most = difference_bounds(log, None, gamma=1.0)
    assert least.value == pytest.approx(dr.estimate(log).value - log.rewards.mean())
    assert most.value == pytest.approx(least.value)


def test_people_who_act_on_what_is_not_logged_stay_within_the_bounds() -> None:
    """A hidden coin doubles or halves the odds of being tried, and moves the reward."""
    held, plain = 0, []
    for seed in range(60):
        random = np.random.default_rng(seed)
        coin = np.where(random.random(1500) < 0.5, 1.0, -1.0)
        odds = 2.0**coin
        tried = random.random(1500) < odds / (1 + odds)
        rewards = random.random(1500) < np.where(tried, 0.4 + 0.2 * coin, 0.4)
        pmf = np.zeros((1500, 6))
        pmf[:, 0] = 1.0
        log = LoggedDecisions(
            pmf_logged=np.full(1500, 0.5),
            rewards=rewards.astype(float),
            actions=np.where(tried, 0, 1).astype(np.intp),
            pmf_new=pmf,
        )
        low, high = value_bounds(log, gamma=2.0)
        held += low <= 0.4 <= high
        plain.append(snips.estimate(log).value)
    assert np.mean(plain) > 0.44
    assert held == 60


def test_a_factor_below_one_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="gamma"):
        value_bounds(bandits.logged(10, uplift=0.3, seed=0), gamma=0.5)
