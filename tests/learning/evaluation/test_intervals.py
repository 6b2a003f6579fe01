from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation.intervals import of_mean, of_share, t_quantile


def test_one_value_says_nothing_about_spread() -> None:
    found = of_mean(np.array([3.0]))
    assert (found.value, found.low, found.high) == (3.0, -math.inf, math.inf)


def test_the_interval_of_a_mean_covers() -> None:
    random = np.random.default_rng(0)
    found = [of_mean(random.normal(1, 2, 12)) for _ in range(1000)]
    assert np.mean([f.low <= 1 <= f.high for f in found]) == pytest.approx(0.95, abs=0.02)


def test_the_interval_of_a_share_covers_even_near_one() -> None:
    random = np.random.default_rng(0)
    found = [of_share(float(x), 20) for x in random.binomial(20, 0.95, 1000)]
    assert np.mean([f.low <= 0.95 <= f.high for f in found]) > 0.9
    assert all(0 <= f.low <= f.value <= f.high <= 1 for f in found)


def test_nothing_tried_is_nothing_known() -> None:
    assert (of_share(0, 0).low, of_share(0, 0).high) == (0.0, 1.0)


@settings(deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=40))
def test_no_interval_of_a_mean_is_narrower_than_students(drawn: list[float]) -> None:
    values = np.array(drawn)
    found = of_mean(values)
    reach = t_quantile(0.95, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    slack = 1e-9 * (1 + np.abs(values).max())
    assert found.low <= values.mean() - reach + slack
    assert found.high >= values.mean() + reach - slack


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_skewed_values_are_given_room_on_the_side_they_come_from(sign: float) -> None:
    missed = plain = 0
    for seed in range(400):
        values = sign * np.random.default_rng(seed).lognormal(0, 1.2, 60)
        true = sign * float(np.exp(0.72))
        found = of_mean(values)
        missed += not found.low <= true <= found.high
        reach = t_quantile(0.95, 59) * values.std(ddof=1) / np.sqrt(60)
        plain += abs(values.mean() - true) > reach
        towards = found.high - found.value if sign > 0 else found.value - found.low
        assert towards > reach
    assert missed < 0.85 * plain


def test_a_smaller_effective_sample_knows_less_and_one_decision_next_to_nothing() -> None:
    values = np.random.default_rng(0).normal(size=50)
    widths = [
        of_mean(values, degrees=d).high - of_mean(values, degrees=d).low for d in (0.3, 3, 30)
    ]
    assert widths == sorted(widths, reverse=True)
    assert np.isfinite(widths).all()
    assert of_mean(values, degrees=1e9) == of_mean(values)
