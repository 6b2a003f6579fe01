from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.intelligence.fatigue import fatigue

FREQUENCY = [1.0, 1.3, 1.7, 2.0, 2.4, 2.9, 3.3, 3.8, 4.2, 4.6]


def test_ctr_that_falls_with_frequency_is_fatigue() -> None:
    ctr = [2.0, 2.0, 2.0, 2.0, 1.9, 1.5, 1.2, 1.0, 0.9, 0.8]
    found = fatigue(ctr, FREQUENCY)
    assert found is not None
    assert found.is_detected
    assert found.high < 0
    assert 2.4 <= (found.frequency_at_decline or 0) <= 3.8
    assert found.reasons[0].observed == found.correlation


def test_ctr_that_rises_is_not() -> None:
    found = fatigue([1 + 0.1 * f for f in FREQUENCY], FREQUENCY)
    assert found is not None
    assert not found.is_detected
    assert found.frequency_at_decline is None
    assert found.reasons == ()


def test_under_seven_known_days_nothing_is_said() -> None:
    assert fatigue([2.0, 1.0, 0.5, math.nan, 0.4, 0.3, 0.2], FREQUENCY[:7]) is None


@given(
    ctr=st.lists(st.floats(0.01, 10), min_size=7, max_size=30),
    factor=st.floats(0.01, 100),
)
def test_the_unit_of_ctr_does_not_matter(ctr: list[float], factor: float) -> None:
    frequency = np.linspace(1, 5, len(ctr)).tolist()
    one, other = fatigue(ctr, frequency), fatigue([c * factor for c in ctr], frequency)
    if one is None or other is None or np.ptp(ctr) < 1e-6:
        return
    assert math.isclose(one.correlation, other.correlation, abs_tol=1e-6)


def test_noise_is_rarely_called_fatigue() -> None:
    random = np.random.default_rng(1)
    called = 0
    for _ in range(400):
        found = fatigue(random.normal(2, 0.3, 14).tolist(), np.linspace(1, 4, 14).tolist())
        called += found is not None and found.is_detected
    assert called / 400 < 0.04
