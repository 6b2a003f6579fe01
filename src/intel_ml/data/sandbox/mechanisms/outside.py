"""People outside: colleagues who change a budget or pause an ad between our looks.

    an ad set is edited in an hour of the working day with probability `per_adset_hour`;
    the budget moves by a factor uniform in [1 - largest, 1 + largest]

Such edits are why a collector must read the change log: what happened next was not our doing.

Reads   uniform draws and local hours.
Gives   which ad sets are edited, and the factor on their budget.
Never   reads our proposals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Outside:
    """How often people edit, in which hours, and how far."""

    enabled: bool = True
    per_adset_hour: float = 0.0006
    first_hour: int = 9
    last_hour: int = 18
    largest: float = 0.25

    def edits(
        self, *, luck: NDArray[np.float64], hour: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return (edited ad sets, factor on each budget) from `luck` of shape (ad sets, 2)."""
        working = (hour >= self.first_hour) & (hour < self.last_hour)
        hit = working & (luck[:, 0] < self.per_adset_hour) & self.enabled
        rows = np.flatnonzero(hit)
        return rows, 1 + self.largest * (2 * luck[rows, 1] - 1)
