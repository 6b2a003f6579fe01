"""Pixel: the website's own events, the outages of their reporting, and who is recognised.

    visits ~ Poisson(clicks + organic w(h)),    w(h) = 1 + a cos(2 pi (h - peak) / 24)
    views, carts and checkouts are fixed shares of the visits; purchases are those attributed

An outage begins with `outage_per_hour` and lasts `outage_hours`: no events, and the purchases of
those hours stay unattributed. So does a share of all others, because an ad can only be credited
with buyers that are recognised:

    attributed = 1 - match_loss * (1 - match quality / 10)

Match quality wanders by `match_swing` around the account's own over a week, as hashed addresses
come and go (Meta, "Event match quality", scores from 0 to 10).

Reads   clicks and purchases of an account, local hours, match quality.
Gives   events by name, whether the pixel is down, the share attributed.
Never   invents purchases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EVENTS = ("PageView", "ViewContent", "AddToCart", "InitiateCheckout", "Purchase")
_BEST_SCORE = 10.0
_WEEK_HOURS = 168
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Pixel:
    """Visits without an ad, the funnel's shares, the outages, and what poor matching loses."""

    enabled: bool = True
    organic_per_hour: float = 40.0
    hour_amplitude: float = 0.5
    peak_hour: int = 20
    shares: tuple[float, ...] = (0.62, 0.17, 0.09)
    outage_per_hour: float = 0.0004
    outage_hours: int = 5
    match_swing: float = 0.3
    match_loss: float = 0.0

    def outage_left(self, *, left: Ints, luck: Floats) -> Ints:
        """Return for each account how many hours of outage remain, this one included."""
        starts = (luck < self.outage_per_hour) & self.enabled
        return np.where(left > 0, left - 1, np.where(starts, self.outage_hours, 0))

    def match_quality(self, base: Floats, *, hour: int) -> Floats:
        """Return each account's score from 0 to 10, `base` being its own, at an hour of the world.

        >>> Pixel(match_swing=0.0).match_quality(np.array([6.5]), hour=9)
        array([6.5])
        """
        swing = np.sin(2 * np.pi * hour / _WEEK_HOURS + np.arange(len(base)))
        return np.asarray(np.clip(base + self.match_swing * swing, 0.0, _BEST_SCORE))

    def attributed(self, quality: Floats) -> Floats:
        """Return the share of purchases that an ad is credited with; all when switched off."""
        if not self.enabled:
            return np.ones(len(quality))
        return np.asarray(1 - self.match_loss * (1 - quality / _BEST_SCORE))

    def events(self, *, clicks: Ints, purchases: Ints, draw: Floats, hour: Ints) -> Ints:
        """Return counts of shape (accounts, events) from standard normal `draw`, one an account."""
        swing = 1 + self.hour_amplitude * np.cos(2 * np.pi * (hour - self.peak_hour) / _HOURS)
        mean = clicks + self.organic_per_hour * swing
        visits = np.maximum(np.round(mean + np.sqrt(mean) * draw), purchases).astype(np.int64)
        funnel = [
            np.maximum(np.round(visits * share).astype(np.int64), purchases)
            for share in self.shares
        ]
        return np.stack([visits, *funnel, purchases], axis=1)
