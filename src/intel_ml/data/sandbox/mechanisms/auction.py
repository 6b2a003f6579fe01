"""Auction price: what a thousand impressions cost at an hour of the account's day.

    price = base * (1 + a cos(2 pi (hour - peak) / 24)) * weekend   (Sat, Sun)

The second-price logic behind it: evenings hold more bidders for the same people, so the clearing
price rises with demand (Edelman, Ostrovsky & Schwarz 2007, "Internet Advertising and the
Generalized Second-Price Auction"). Misleads where a market has two peaks a day.

Reads   local hours and weekdays.
Gives   a factor on the base price.
Never   knows who is bidding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SATURDAY = 5
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Auction:
    """How strongly the price moves with the hour, when it peaks, and what the weekend adds."""

    enabled: bool = True
    hour_amplitude: float = 0.18
    peak_hour: int = 20
    weekend: float = 1.08

    def price(self, *, hour: NDArray[np.int64], weekday: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor on the base price; 1 everywhere when switched off.

        >>> Auction(enabled=False).price(hour=np.array([3]), weekday=np.array([6]))
        array([1.])
        """
        if not self.enabled:
            return np.ones(len(hour))
        swing = 1 + self.hour_amplitude * np.cos(2 * np.pi * (hour - self.peak_hour) / _HOURS)
        return np.asarray(swing * np.where(weekday >= _SATURDAY, self.weekend, 1.0))
