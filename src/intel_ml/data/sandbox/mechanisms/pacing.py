"""Pacing: a day's budget is spread over its hours in proportion to the people online.

    spend(h) = left * w(h) / sum of w over the hours left
    w(h) = 1 + a cos(2 pi (h - peak) / 24)

Budget pacing as a plan for the rest of the day, so a cut or a raise is felt from the next hour on
(Balseiro & Gur 2019, "Learning in Repeated Auctions with Budgets", Management Science 65). What is
left can't be overdrawn: a day never spends more than the highest budget it had.

Reads   budgets left and local hours.
Gives   the plan of this hour's spend.
Never   spends what is not left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HOURS = 24


@dataclass(frozen=True, slots=True)
class Pacing:
    """How uneven the traffic of a day is, and when it peaks."""

    enabled: bool = True
    hour_amplitude: float = 0.75
    peak_hour: int = 19

    def shares(self) -> NDArray[np.float64]:
        """Return each hour's share of what is left at its beginning; the last hour takes all."""
        weight = self._weight()
        return np.asarray(weight / np.cumsum(weight[::-1])[::-1])

    def ordinary(self) -> NDArray[np.float64]:
        """Return each hour's share of a day's spend when nothing is held back or caught up."""
        weight = self._weight()
        return np.asarray(weight / weight.sum())

    def _weight(self) -> NDArray[np.float64]:
        if not self.enabled:
            return np.ones(_HOURS)
        hours = np.arange(_HOURS)
        return np.asarray(
            1 + self.hour_amplitude * np.cos(2 * np.pi * (hours - self.peak_hour) / _HOURS)
        )
