from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation.crossing import crossing, p_values

COUNTS = st.lists(st.integers(1, 400), min_size=1, max_size=30, unique=True).map(
    lambda found: np.array(sorted(found), dtype=np.intp)
)
LEVELS = st.floats(0.001, 0.3)
RISKS = st.sampled_from([0.01, 0.05, 0.1, 0.3])


@settings(max_examples=60, deadline=None)
@given(COUNTS, LEVELS, RISKS)
def test_it_is_between_the_likeliest_one_and_all_of_them_added_up(
    n: np.ndarray, level: float, risk: float
):
    alone = [crossing(n[at : at + 1], level=level, risk=risk) for at in range(len(n))]
    together = crossing(n, level=level, risk=risk)
    assert all(one <= level for one in alone)
    assert max(alone) - 1e-12 <= together <= sum(alone) + 1e-12


@settings(max_examples=60, deadline=None)
@given(COUNTS, LEVELS, LEVELS, RISKS)
def test_it_grows_with_the_level_and_with_what_is_looked_at(
    n: np.ndarray, one: float, other: float, risk: float
):
    low, high = sorted((one, other))
    assert crossing(n, level=low, risk=risk) <= crossing(n, level=high, risk=risk) + 1e-12
    assert crossing(n[1:], level=low, risk=risk) <= crossing(n, level=low, risk=risk) + 1e-12


@pytest.mark.parametrize("risk", [0.05, 0.2])
def test_it_is_how_often_chance_does_it(risk: float):
    n = np.arange(20, 300, 7)
    wrong = (np.random.default_rng(1).random((4000, 300)) < risk).cumsum(axis=1)[:, n - 1]
    for level in (0.03, 0.1):
        often = (p_values(n, wrong, risk=risk) <= level).any(axis=1).mean()
        # Four standard errors of 4,000 draws.
        assert abs(crossing(n, level=level, risk=risk) - often) < 0.03


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), LEVELS, RISKS)
def test_of_one_look_it_is_what_the_binomial_says(n: int, level: float, risk: float):
    chances = p_values(np.full(n + 1, n), np.arange(n + 1), risk=risk)
    most = chances[chances <= level].max(initial=0.0)
    assert crossing(np.array([n]), level=level, risk=risk) == pytest.approx(most, abs=1e-9)


def test_neighbours_hardly_add_to_each_other():
    every = np.arange(200, 301)
    alone = crossing(np.array([300]), level=0.05, risk=0.05)
    assert crossing(every, level=0.05, risk=0.05) < 3 * alone


def test_nothing_looked_at_is_never_proven():
    assert crossing(np.array([], dtype=np.intp), level=0.1, risk=0.05) == 0.0
    assert p_values(np.array([0]), np.array([0]), risk=0.05).tolist() == [1.0]
