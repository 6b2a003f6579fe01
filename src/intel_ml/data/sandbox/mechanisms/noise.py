"""Autocorrelated luck: good and bad spells that pass by themselves.

    x' = rho x + sqrt(1 - rho ** 2) e,   e ~ N(0, 1);     factor = exp(sigma x - sigma ** 2 / 2)

A stationary AR(1) in logs with mean factor 1. Who is picked because a spell was bad looks better
afterwards whatever is done: regression to the mean (Galton 1886; Barnett, van der Pols & Dobson
2005, Int. J. Epidemiology 34), so a before/after comparison reports wins that are none.

Reads   standard normal draws.
Gives   the next state and the factor.
Never   learns what was done to the ad set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Noise:
    """How long a spell lasts (`rho` an hour) and how strong it is for each quantity."""

    enabled: bool = True
    rho: float = 0.985
    price: float = 0.12
    clicks: float = 0.12
    conversions: float = 0.38

    def step(self, state: NDArray[np.float64], draw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the state of the next hour."""
        return np.asarray(self.rho * state + np.sqrt(1 - self.rho**2) * draw)

    def factor(
        self, state: NDArray[np.float64], *, sigma: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the factor of mean 1 that a state stands for."""
        if not self.enabled:
            return np.ones(len(state))
        return np.asarray(np.exp(sigma * state - np.square(sigma) / 2))
