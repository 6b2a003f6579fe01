"""Creative fatigue: the more often its audience has seen an ad, the less it clicks.

    ctr = ctr_0 * (floor + (1 - floor) exp(-rate * exposure))
    exposure' = exposure * 2 ** (-1 / half_life) + impressions / audience

`exposure` is the mean number of times a person remembers the ad; memory halves every
`half_life_hours`. Wear-out of this shape: Naik, Mantrala & Sawyer (1998), "Planning Media
Schedules in the Presence of Dynamic Advertising Quality", Marketing Science 17.

Reads   impressions, audience, and each ad's own rate.
Gives   a factor on the click-through ratio, and the exposure of the next hour.
Never   looks at what people did after the click.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fatigue:
    """How long the audience remembers, and how low the click-through ratio can fall."""

    enabled: bool = True
    half_life_hours: float = 480.0
    floor: float = 0.15

    def wear(
        self, *, exposure: NDArray[np.float64], rate: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the factor on the click-through ratio: 1 when fresh, `floor` when worn out.

        >>> Fatigue().wear(exposure=np.zeros(1), rate=np.ones(1))
        array([1.])
        """
        if not self.enabled:
            return np.ones(len(exposure))
        return np.asarray(self.floor + (1 - self.floor) * np.exp(-rate * exposure))

    def remember(
        self,
        *,
        exposure: NDArray[np.float64],
        impressions: NDArray[np.int64],
        audience: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the exposure after an hour's impressions."""
        return np.asarray(exposure * 0.5 ** (1 / self.half_life_hours) + impressions / audience)
