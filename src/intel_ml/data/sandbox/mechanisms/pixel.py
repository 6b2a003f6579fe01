"""Pixel: the website's own events, and the outages of their reporting.

    visits ~ Poisson(clicks + organic w(h));  views, carts and checkouts are fixed shares of
    visits; purchases are real ones an outage begins with `outage_per_hour` and lasts
    `outage_hours`: no events, and the purchases of those hours stay unattributed

Reads   clicks and purchases of an account.
Gives   events by name, and whether the pixel is down.
Never   invents purchases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVENTS = ("PageView", "ViewContent", "AddToCart", "InitiateCheckout", "Purchase")


@dataclass(frozen=True, slots=True)
class Pixel:
    """Visits without an ad, the funnel's shares, and the outages."""

    enabled: bool = True
    organic_per_hour: float = 40.0
    shares: tuple[float, ...] = (0.62, 0.17, 0.09)
    outage_per_hour: float = 0.0004
    outage_hours: int = 5

    def outage_left(
        self, *, left: NDArray[np.int64], luck: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return for each account how many hours of outage remain, this one included."""
        starts = (luck < self.outage_per_hour) & self.enabled
        return np.where(left > 0, left - 1, np.where(starts, self.outage_hours, 0))

    def events(
        self,
        *,
        clicks: NDArray[np.int64],
        purchases: NDArray[np.int64],
        draw: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Return counts of shape (accounts, events) from standard normal `draw`, one an account."""
        mean = clicks + self.organic_per_hour
        visits = np.maximum(np.round(mean + np.sqrt(mean) * draw), purchases).astype(np.int64)
        funnel = [
            np.maximum(np.round(visits * share).astype(np.int64), purchases)
            for share in self.shares
        ]
        return np.stack([visits, *funnel, purchases], axis=1)
