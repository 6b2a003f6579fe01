"""What bends a linear model: coordinates in which a curved reward is a straight one.

    waves      phi_j(x) = sqrt(2 / m) cos(w_j' x + u_j),   w_j ~ N(0, I / reach^2)
    landmarks  phi(x)   = L^-1 k(Z, x),   L L' = k(Z, Z)
               k(x, z)  = weight exp(-|x - z|^2 / (2 reach^2))

with reach = bandwidth sqrt(inputs). Waves are Rahimi & Recht (2007), NeurIPS 20: random, the same
for every log. Landmarks are rows that were seen: the Nystroem features of an incomplete Cholesky
factor (Fine & Scheinberg, 2001, JMLR 2), which a new landmark lengthens by one coordinate without
moving the others, so that a stream can grow it (Engel, Mannor & Meir, 2004, IEEE TSP 52). While
every row is a landmark the model is the exact kernel ridge; waves need many times as many
coordinates for that. Of several rows the one farthest from what is spanned comes first, so that the
order of a log doesn't matter.

Reads   vectors.
Gives   `Waves` and `Landmarks`: vectors to coordinates.
Never   looks at rewards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: A row whose share outside the span is below this teaches no new direction.
_NOVEL = 1e-3


@dataclass(frozen=True, slots=True)
class Waves:
    """Random cosines of the inputs."""

    waves: Numbers
    phases: Numbers

    def of(self, inputs: Numbers) -> Numbers:
        """Return (n, waves) of inputs (n, d)."""
        count = len(self.phases)
        found = np.cos(inputs @ self.waves + self.phases)
        found *= math.sqrt(2.0 / max(count, 1))
        return np.asarray(found)


def random_waves(*, inputs: int, count: int, bandwidth: float, seed: int) -> Waves:
    """Return waves that the seed decides."""
    random = np.random.default_rng(seed)
    reach = bandwidth * math.sqrt(max(inputs, 1))
    return Waves(
        waves=random.standard_normal((inputs, count)) / reach,
        phases=random.uniform(0.0, 2.0 * math.pi, count),
    )


class Landmarks:
    """Rows that were seen, at most `limit`; coordinates not yet in use are zero."""

    def __init__(self, *, inputs: int, limit: int, reach: float, weight: float) -> None:
        self.reach, self.weight, self.used = reach, weight, 0
        self.points = np.zeros((limit, inputs))
        self.factor = np.zeros((limit, limit))

    def copy(self) -> Landmarks:
        """Return landmarks that can grow without moving these."""
        twin = Landmarks(inputs=0, limit=0, reach=self.reach, weight=self.weight)
        twin.points, twin.factor = self.points.copy(), self.factor.copy()
        twin.used = self.used
        return twin

    def of(self, inputs: Numbers) -> Numbers:
        """Return (n, limit) of inputs (n, d)."""
        found = np.zeros((len(inputs), len(self.points)))
        if used := self.used:
            near = self._likeness(inputs, self.points[:used])
            found[:, :used] = near @ self.factor[:used, :used].T
        return found

    def grow(self, inputs: Numbers) -> None:
        """Take new landmarks from these rows, the farthest from the span first."""
        limit = len(self.points)
        if self.used >= limit or not len(inputs):
            return
        # Among equally far rows the first wins: sorted, whatever the order of the log.
        inputs = inputs[np.lexsort(inputs.T)] if inputs.shape[1] else inputs
        known = self.of(inputs)
        beyond = self.weight - (known**2).sum(axis=1)
        while self.used < limit:
            row = int(beyond.argmax())
            if beyond[row] <= _NOVEL * self.weight:
                return
            at, side = self.used, math.sqrt(float(beyond[row]))
            mine = known[row, :at].copy()
            self.points[at] = inputs[row]
            self.factor[at, :at] = -(mine @ self.factor[:at, :at]) / side
            self.factor[at, at] = 1.0 / side
            self.used += 1
            near = self._likeness(inputs, inputs[row : row + 1])[:, 0]
            known[:, at] = (near - known[:, :at] @ mine) / side
            beyond -= known[:, at] ** 2
            beyond[row] = 0.0

    def _likeness(self, inputs: Numbers, points: Numbers) -> Numbers:
        squares = (inputs**2).sum(axis=1)[:, None] + (points**2).sum(axis=1)
        squares -= 2.0 * (inputs @ points.T)
        np.maximum(squares, 0.0, out=squares)
        return np.asarray(self.weight * np.exp(squares / (-2.0 * self.reach**2)))
