"""Reach: how many different people a number of impressions meets in a finite audience.

    reach(I) = A (1 - (1 + I / (A k)) ** -k),      frequency = I / reach
    I in an hour <= A * most_per_hour

The negative binomial exposure model (Ehrenberg 1972, "Repeat-Buying"; Danaher 1989 for media):
impressions a person are gamma-Poisson with shape k, so the heavy users take most of them. It is
concave with slope 1 at zero: windows and levels de-duplicate by themselves, the reach of a week is
less than the sum of its days. Nobody scrolls past an ad set's ads more often than so many times an
hour, so a budget far beyond its audience is not spent.

Reads   impressions and audience.
Gives   people reached.
Never   more people than impressions, or than the audience.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reach:
    """Evenness `shape` of exposure, overlap of siblings' audiences, and the most they can see."""

    enabled: bool = True
    shape: float = 2.0
    campaign_overlap: float = 0.2
    account_overlap: float = 0.4
    most_per_hour: float = 1.0

    def people(
        self, *, impressions: NDArray[np.int64], audience: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return people reached; every impression meets someone new when switched off.

        >>> Reach().people(impressions=np.array([0, 1, 10**9]), audience=np.array([500.0]))
        array([  0,   1, 500])
        """
        if not self.enabled:
            return impressions.copy()
        reached = audience * (1 - (1 + impressions / (audience * self.shape)) ** -self.shape)
        return np.minimum(impressions, np.maximum(np.round(reached), impressions > 0)).astype(
            np.int64
        )

    def most(self, *, audience: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the most impressions an hour that audiences can take; none when switched off.

        >>> Reach().most(audience=np.array([500.0]))
        array([500.])
        """
        return audience * (self.most_per_hour if self.enabled else np.inf)
