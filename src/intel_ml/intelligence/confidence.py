"""How sure a learned pattern is, in whole percent (the plan's §9.2, exactly).

    40 min(n / 100, 1) + 30 (1 - min(s / 0.5, 1)) + 30 min(days / 30, 1)

A score to sort by, not a probability: it grows with samples, steadiness and time watched.

Reads   a sample size, a standard deviation, a time span in days.
Gives   0 to 100.
Never   rewards samples beyond 100 or days beyond 30.
"""

from __future__ import annotations

import math

_FULL_SAMPLES, _FULL_DEVIATION, _FULL_DAYS = 100, 0.5, 30
_OF_SAMPLES, _OF_STEADINESS, _OF_TIME = 0.4, 0.3, 0.3


def confidence(sample_size: float, *, std_dev: float, time_span_days: float) -> int:
    """Return the plan's confidence, halves rounded up as its JavaScript does.

    >>> confidence(50, std_dev=0.25, time_span_days=15)
    50
    """
    share = min(sample_size / _FULL_SAMPLES, 1.0) * _OF_SAMPLES
    share += (1.0 - min(std_dev / _FULL_DEVIATION, 1.0)) * _OF_STEADINESS
    share += min(time_span_days / _FULL_DAYS, 1.0) * _OF_TIME
    return math.floor(share * 100 + 0.5)
