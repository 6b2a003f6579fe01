"""Drift: an ad set's own price and conversion rate wander, and now and then jump for good.

    x' = clip(x + walk * e + jump, -farthest, farthest),    e ~ N(0, 1) an hour
    jump ~ N(0, regime_size) with probability `regime_per_adset_hour`, else 0
    factor = exp(x)

Slow change and sudden change of what a policy has learned (Besbes, Gur & Zeevi 2014, "Stochastic
Multi-Armed-Bandit Problem with Non-stationary Rewards"; Garivier & Moulines 2011 for switches).
Unlike `noise` it doesn't come back by itself: what was best last month need not be best now.

Reads   normal and uniform draws.
Gives   the state of the next hour, and the factor it stands for.
Never   tells anyone that a regime has changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """How fast price and conversion rate wander, how often and how far they jump."""

    enabled: bool = False
    price_walk: float = 0.004
    conversion_walk: float = 0.012
    regime_per_adset_hour: float = 0.001
    regime_size: float = 0.6
    farthest: float = 1.4

    def step(self, state: Floats, *, walk: float, draw: Floats, jump: Floats) -> Floats:
        """Return the state of the next hour; nothing moves when switched off."""
        if not self.enabled:
            return state
        return np.asarray(np.clip(state + walk * draw + jump, -self.farthest, self.farthest))

    def jumps(self, *, luck: Floats, draw: Floats) -> Floats:
        """Return how far each ad set jumps in this hour; 0 for nearly all."""
        return np.where(luck < self.regime_per_adset_hour, self.regime_size * draw, 0.0)

    def factor(self, state: Floats) -> Floats:
        """Return the factor on price or conversion rate: 1 where nothing has drifted.

        >>> Drift(enabled=True).factor(np.zeros(2))
        array([1., 1.])
        """
        return np.exp(state) if self.enabled else np.ones(len(state))
