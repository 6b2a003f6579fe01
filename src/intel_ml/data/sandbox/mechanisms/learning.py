"""Learning phase: after a significant edit delivery is dearer and noisier for a while.

    LEARNING -> SUCCESS   at `results_needed` results since the last significant edit
    LEARNING -> FAIL      after `window_hours` without them ("learning limited")

About 50 results in 7 days, and budget edits count by their size (Meta Business Help
316478108955072; the "20 %" rule is folklore, so the size is a setting here).

Reads   results and hours since the last significant edit.
Gives   the stage of each ad set, and its factors on price and noise.
Never   decides what is an edit's purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Stage(IntEnum):
    """The three values of `learning_stage_info.status`."""

    LEARNING = 0
    SUCCESS = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Learning:
    """When learning ends, which edits restart it, and what it costs meanwhile."""

    enabled: bool = True
    results_needed: int = 50
    window_hours: int = 168
    significant_change: float = 0.35
    paused_hours: int = 168
    price: float = 1.15
    noise: float = 1.4

    def is_significant(self, *, before_minor: int, after_minor: int) -> bool:
        """Return whether a budget edit restarts learning.

        >>> Learning().is_significant(before_minor=100_00, after_minor=120_00)
        False
        """
        if not self.enabled or before_minor <= 0 or after_minor <= 0:
            return False
        return abs(math.log(after_minor / before_minor)) > math.log1p(self.significant_change)

    def stage(
        self, *, stage: NDArray[np.int64], results: NDArray[np.int64], hours: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return each ad set's stage after an hour; success stays until a significant edit."""
        if not self.enabled:
            return np.full(len(stage), int(Stage.SUCCESS))
        reached = results >= self.results_needed
        late = hours >= self.window_hours
        after = np.where(late & ~reached, int(Stage.FAIL), int(Stage.LEARNING))
        return np.where(reached | (stage == int(Stage.SUCCESS)), int(Stage.SUCCESS), after)

    def price_factor(self, stage: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor on the auction price."""
        return np.where(self.enabled & (stage == int(Stage.LEARNING)), self.price, 1.0)

    def noise_factor(self, stage: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor on the spread of the noise."""
        return np.where(self.enabled & (stage == int(Stage.LEARNING)), self.noise, 1.0)
