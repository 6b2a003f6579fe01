"""Bids: a cap on what a result may cost decides how much of the market is won, and at what price.

    a rival's price p ~ lognormal with mean m (the auction's price) and spread s
    bid for 1000 impressions   b = 1000 * bid * purchases expected from an impression
    bid cap     z = (ln(b / m) + s^2 / 2) / s,    wins = Phi(z),    paid = m Phi(z - s) / Phi(z)
    cost cap    the highest z whose average price, not its highest, is still within b
    spend of an hour <= headroom * wins * what the budget would spend in it on an ordinary day

Lognormal winning prices: Cui, Zhang, Li & Mao (2011), "Bid Landscape Forecasting in Online Ad
Exchange Marketplace", KDD. `headroom` is how many times over the market could fill an ordinary
hour: a bid below the price of 1 / headroom of the market limits delivery, raising it brings it
back.

Reads   bids, market prices, whether the bid caps each price or the average.
Gives   how many ordinary hours an hour can deliver, and the factor on the price.
Never   creates budget: a higher bid only lets through what was planned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BID_CAP, COST_CAP = "LOWEST_COST_WITH_BID_CAP", "COST_CAP"
_FARTHEST, _STEPS = 6.0, 481
_LEAST = 1e-12
#: Abramowitz & Stegun 26.2.17: the normal distribution to within 7.5e-8.
_SLOPE = 0.2316419
_TERMS = (0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429)


@dataclass(frozen=True, slots=True)
class Bidding:
    """How spread out the prices of a market are, and how much more of it there is than planned."""

    enabled: bool = True
    spread: float = 0.45
    headroom: float = 2.0

    def limits(
        self, *, bid: Floats, price: Floats, is_cost_cap: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Return (most ordinary hours, factor on the price); `bid` is for 1000 impressions.

        >>> most, paid = Bidding().limits(
        ...     bid=np.array([1.0, 99.0]), price=np.full(2, 10.0), is_cost_cap=np.zeros(2, bool)
        ... )
        >>> most.round(2).tolist(), paid.round(2).tolist()
        ([0.0, 2.0], [0.09, 1.0])
        """
        if not self.enabled:
            return np.full(len(bid), np.inf), np.ones(len(bid))
        ratio = np.maximum(bid, _LEAST) / np.maximum(price, _LEAST)
        highest = (np.log(ratio) + self.spread**2 / 2) / self.spread
        grid = np.linspace(-_FARTHEST, _FARTHEST, _STEPS)
        average = np.interp(ratio, self._paid(grid), grid)
        z = np.clip(np.where(is_cost_cap, average, highest), -_FARTHEST, _FARTHEST)
        return self.headroom * normal_share(z), self._paid(z)

    def _paid(self, z: Floats) -> Floats:
        """Return the mean price of what is won, as a ratio to the market's mean."""
        return normal_share(z - self.spread) / normal_share(z)


def normal_share(z: Floats) -> Floats:
    """Return the share of a standard normal below `z`.

    >>> normal_share(np.array([0.0, 1.96])).round(3).tolist()
    [0.5, 0.975]
    """
    t = 1 / (1 + _SLOPE * np.abs(z))
    power = np.zeros_like(t)
    for term in reversed(_TERMS):
        power = (power + term) * t
    tail = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * power
    return np.asarray(np.where(z < 0, tail, 1 - tail))
