"""Conversion: clicks become intent, and intent becomes purchases over the following hours.

    intent' = intent + clicks * rate * hour_factor
    lambda  = k * intent',   intent'' = (1 - k) * intent'

so the time from click to purchase is geometric with mean 1/k hours, and purchases go on after an
ad is paused. Off-platform purchases are attributed to the conversion's own hour (Marketing API,
"Insights": mixed attribution since June 2025).

Reads   clicks and each ad's conversion rate.
Gives   the expected number of purchases of the hour, and the intent that is left.
Never   draws: the drawing is `lag`, which splits the purchases by the delay of their report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HOURS = 24


@dataclass(frozen=True, slots=True)
class Conversion:
    """Share of the waiting intent that converts each hour, and how the evening helps."""

    enabled: bool = True
    hourly_share: float = 0.3
    hour_amplitude: float = 0.15
    peak_hour: int = 21

    def rate_factor(self, hour: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor that an hour of the day puts on the conversion rate."""
        if not self.enabled:
            return np.ones(len(hour))
        return np.asarray(
            1 + self.hour_amplitude * np.cos(2 * np.pi * (hour - self.peak_hour) / _HOURS)
        )

    def expected(
        self, *, intent: NDArray[np.float64], clicks: NDArray[np.int64], rate: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (expected purchases of this hour, intent left for later)."""
        waiting = intent + clicks * rate
        share = self.hourly_share if self.enabled else 1.0
        return waiting * share, waiting * (1 - share)
