from __future__ import annotations

import math

import numpy as np
import pytest

from intel_ml.learning.evaluation.intervals import of_mean, of_share


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
