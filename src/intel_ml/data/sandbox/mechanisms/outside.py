"""People outside: colleagues who edit the account between our looks.

    in an hour of the working day, an ad set
        has its budget moved        with probability `per_adset_hour`
        is paused                   with `pause_per_adset_hour`, resumed after `pause_hours`
        is renamed                  with `rename_per_adset_hour`
    and a campaign that holds a budget has it moved with `per_campaign_hour`;
    a budget moves by a factor uniform in [1 - largest, 1 + largest]

Edits an hour are independent trials, the shape of rare human acts (Feller 1968, "An Introduction to
Probability Theory", ch. VI). They are why a collector must read the change log (Marketing API, "Ad
Account, Activities"): what happened next was not our doing.

Reads   uniform draws and local hours.
Gives   what is edited in an hour, and how.
Never   reads our proposals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows whose budget somebody moves, and the factor on each."""

    rows: Ints
    factor: Floats


@dataclass(frozen=True, slots=True)
class Outside:
    """How often people edit, in which hours, and how far."""

    enabled: bool = True
    per_adset_hour: float = 0.0006
    per_campaign_hour: float = 0.0006
    pause_per_adset_hour: float = 0.0001
    pause_hours: tuple[int, int] = (4, 48)
    rename_per_adset_hour: float = 0.0001
    first_hour: int = 9
    last_hour: int = 18
    largest: float = 0.25

    def moved(self, *, luck: Floats, hour: Ints, chance: float) -> Moved:
        """Return whose budget is moved, from `luck` of shape (rows, 2) and local hours."""
        rows = self._hit(luck[:, 0], hour, 0.0, chance)
        return Moved(rows, 1 + self.largest * (2 * luck[rows, 1] - 1))

    def paused(self, *, luck: Floats, hour: Ints) -> tuple[Ints, Ints]:
        """Return (ad sets paused, for how many hours), from `luck` of shape (ad sets, 2)."""
        rows = self._hit(luck[:, 0], hour, 0.0, self.pause_per_adset_hour)
        shortest, longest = self.pause_hours
        return rows, (shortest + np.floor((longest - shortest + 1) * luck[rows, 1])).astype(int)

    def renamed(self, *, luck: Floats, hour: Ints) -> Ints:
        """Return the ad sets renamed; `luck` as for pauses: nobody does both in one hour."""
        low = self.pause_per_adset_hour
        return self._hit(luck[:, 0], hour, low, low + self.rename_per_adset_hour)

    def _hit(self, luck: Floats, hour: Ints, low: float, high: float) -> Ints:
        working = (hour >= self.first_hour) & (hour < self.last_hour)
        return np.flatnonzero(working & (luck >= low) & (luck < high) & self.enabled)
