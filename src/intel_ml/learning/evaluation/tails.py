"""Whether rewards beyond the bounds could turn a conclusion.

    L = mean(d) - s(d) sqrt(2 (n k + 1) / (n^2 k) log(1 + sqrt(n k + 1) / (2 alpha)))

d is what each decision adds to the difference in value, rewards as they are. L is below the truth
at all moments at once in 1 - alpha of all logs, nearly (an asymptotic confidence sequence:
Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, 2024, Annals of Statistics 52). It needs no bounds,
and many decisions.

The e-process bets on clipped rewards, as no bet is safe on rewards without bounds (Bahadur &
Savage, 1956, Annals of Mathematical Statistics 27). A rare great loss, or a rare great gain, is
then seen as a small one, and who lives by it judged wrongly. So where rewards were cut off both
must say the same: the bets on what was kept, and L on everything.

Reads   what each decision adds to the difference (`dr`), its reward, the bounds.
Gives   `Tails`: how many rewards lay beyond, and the difference at worst either way.
Never   knows of what has not happened yet: a loss nobody has seen is in no log.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.e_process import ALPHA, Bounds

#: It is tightest where n k is about 7 (alpha = .05): at a thousand decisions.
_K = 0.007


@dataclass(frozen=True, slots=True)
class Tails:
    """Rewards beyond the bounds, and the least and most the difference in value can be."""

    beyond: int
    least: float
    most: float

    @property
    def could_hide_a_loss(self) -> bool:
        """Whether a difference that looks above 0 may be none."""
        return self.beyond > 0 and self.least <= 0.0

    @property
    def could_hide_a_gain(self) -> bool:
        """Whether a difference that looks below 0 may be none."""
        return self.beyond > 0 and self.most >= 0.0


def tails(
    gains: NDArray[np.float64],
    rewards: NDArray[np.float64],
    *,
    bounds: Bounds,
    alpha: float = ALPHA,
) -> Tails:
    """Return what lay beyond the bounds, and what `gains` (n,) say with nothing cut off."""
    beyond = int(((rewards < bounds.low) | (rewards > bounds.high)).sum())
    mean, radius = float(gains.mean()), _reach(len(gains), alpha) * float(gains.std())
    return Tails(beyond, mean - radius, mean + radius)


def _reach(n: int, alpha: float) -> float:
    """Return by how many standard deviations a mean may be off at any of all moments."""
    known = _K * n
    return math.sqrt(
        2.0 * (known + 1.0) / (n * known) * math.log1p(math.sqrt(known + 1.0) / (2.0 * alpha))
    )
