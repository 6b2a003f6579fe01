from __future__ import annotations

import pytest

from intel_ml.intelligence.confidence import confidence


@pytest.mark.parametrize(
    ("samples", "deviation", "days", "expected"),
    [
        (0, 0.5, 0, 0),
        (100, 0.0, 30, 100),
        (1000, 0.0, 300, 100),  # no more than everything
        (50, 0.25, 15, 50),  # 20 + 15 + 15
        (10, 0.9, 3, 7),  # 4 + 0 + 3
        (1.25, 0.5, 0, 1),  # 0.5 rounds up, as in JavaScript
    ],
)
def test_it_is_the_plans_formula(
    samples: float, deviation: float, days: float, expected: int
) -> None:
    assert confidence(samples, std_dev=deviation, time_span_days=days) == expected
