"""What bends a linear model: coordinates in which a curved reward is a straight one.

    waves      phi_j(x) = sqrt(2 / m) cos(w_j' x + u_j),   w_j ~ N(0, I / reach^2)
    landmarks  phi(x)   = L^-1 k(Z, x),   L L' = k(Z, Z)
               k(x, z)  = weight ((1 - single) e(|x - z| / (bandwidth sqrt(d)))
                                  + single mean_j e(|x_j - z_j| / bandwidth)),  e(u) = exp(-u^2/2)

for d inputs; waves reach as far as the first part, reach = bandwidth sqrt(d). The first part bends
along all inputs together; the second along each by itself, which is all that many rewards do, and
which a few hundred rows of twenty inputs can show (Duvenaud, Nickisch & Rasmussen, 2011, NeurIPS
24: additive kernels). Their sum leaves it to the rewards. Waves are Rahimi & Recht (2007), NeurIPS
20: random, the same for every log. Landmarks are rows that were seen: the Nystroem features of an
incomplete Cholesky
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
#: How many differences between inputs are held at a time.
_AT_ONCE = 1_000_000


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

    def __init__(
        self, *, inputs: int, limit: int, bandwidth: float, weight: float, single: float
    ) -> None:
        self.bandwidth, self.weight, self.single, self.used = bandwidth, weight, single, 0
        self.points = np.zeros((limit, inputs))
        self.factor = np.zeros((limit, limit))

    def copy(self) -> Landmarks:
        """Return landmarks that can grow without moving these."""
        twin = Landmarks(
            inputs=0, limit=0, bandwidth=self.bandwidth, weight=self.weight, single=self.single
        )
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
        found = np.zeros((len(inputs), len(points)))
        if not inputs.shape[1]:
            return found + self.weight
        twice = -2.0 * self.bandwidth**2
        if self.single < 1:
            squares = (inputs**2).sum(axis=1)[:, None] + (points**2).sum(axis=1)
            squares -= 2.0 * (inputs @ points.T)
            np.maximum(squares, 0.0, out=squares)
            squares /= twice * inputs.shape[1]
            found += (1.0 - self.single) * np.exp(squares)
        if self.single > 0:
            step = max(1, _AT_ONCE // max(points.size, 1))
            for first in range(0, len(inputs), step):
                apart = inputs[first : first + step, None, :] - points
                apart **= 2
                apart /= twice
                found[first : first + step] += self.single * np.exp(apart).mean(axis=2)
        return np.asarray(self.weight * found)
