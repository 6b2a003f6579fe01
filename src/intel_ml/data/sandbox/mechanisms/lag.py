"""Reporting lag: a purchase belongs to its own hour and is reported later, up to 28 days.

    reported with delay d  ~  Poisson(lambda * share_d),   sum of shares = 1

A Poisson count thinned by independent delays is again Poisson, so the split is exact (Chapelle
2014, "Modeling Delayed Feedback in Display Advertising"). Every report restates the bucket of the
hour in which the purchase happened.

Reads   expected purchases.
Gives   purchases by delay of report.
Never   changes how many there are in the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.randomness import poisson

#: Meta does not restate a day after this many hours.
LONGEST_HOURS = 28 * 24


@dataclass(frozen=True, slots=True)
class Lag:
    """Delays in hours, and the share of purchases reported after each; the first delay is none."""

    enabled: bool = True
    delays_hours: tuple[int, ...] = (0, 2, 6, 14, 30, 72, 168, 640)
    shares: tuple[float, ...] = (0.72, 0.08, 0.06, 0.05, 0.04, 0.025, 0.015, 0.01)

    def reports(
        self, *, expected: NDArray[np.float64], luck: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return purchases of shape (ads, delays) from uniform `luck` of the same shape."""
        if not self.enabled:
            split = np.zeros(len(self.shares))
            split[0] = 1.0
        else:
            split = np.asarray(self.shares)
        return poisson(np.outer(expected, split), luck)
