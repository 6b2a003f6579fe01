"""Ridge regression of the reward, one an arm, on plain vectors: the arithmetic behind `ridge`.

    A_a     = sum w phi phi' + penalty I,    b_a = sum w r phi
    theta_a = A_a^-1 (b_a + penalty theta_0)
    width_a = sqrt(phi' A_a^-1 phi)

theta_0 is what the arms share: zero, or, with `shared_penalty`, the posterior mean of a
hierarchical normal model (theta_a ~ N(theta_0, I / penalty), theta_0 ~ N(0, I / shared_penalty)),
so that an arm nobody tried is worth what arms are usually worth. A row costs one Sherman-Morrison
step; many rows at once cost one inversion an arm. Inversions are kept symmetric.

Reads   vectors, arms by number, rewards, weights.
Gives   `Linear`: sums, inverse, theta; means and widths of each arm.
Never   knows what an arm, a state or a log is; any number of arms will do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_ARRAYS = ("gram", "b", "counts", "inverse", "theta")


class Linear:
    """What was learned of each arm; `add` a row, or `add_all`."""

    __slots__ = (*_ARRAYS, "_is_stale", "penalty", "shared_penalty", "squares")

    def __init__(
        self, *, arms: int, size: int, penalty: float, shared_penalty: float | None
    ) -> None:
        self.penalty, self.shared_penalty = penalty, shared_penalty
        self.gram = np.zeros((arms, size, size))
        self.b = np.zeros((arms, size))
        self.counts = np.zeros(arms)
        self.inverse = np.repeat(np.eye(size)[None] / penalty, arms, axis=0)
        self.theta = np.zeros((arms, size))
        self.squares = 0.0
        self._is_stale = False

    def copy(self) -> Self:
        """Return what can go on learning while this stays as it is."""
        return self._twin({name: getattr(self, name).copy() for name in _ARRAYS}, self.squares)

    def arrays(self) -> dict[str, Numbers]:
        """Return what was learned as arrays by name."""
        self.settle()
        return {name: getattr(self, name) for name in _ARRAYS}

    def restored(self, arrays: Mapping[str, NDArray[Any]], *, squares: float) -> Self:
        """Return what these arrays hold."""
        return self._twin({name: arrays[name] for name in _ARRAYS}, squares)

    def means(self, phi: Numbers) -> Numbers:
        """Return the expected reward of each arm, (n, arms), for phi (n, size)."""
        self.settle()
        return np.asarray(phi @ self.theta.T)

    def widths(self, phi: Numbers) -> Numbers:
        """Return how far each mean may be off, in standard deviations of the noise, (n, arms)."""
        arms, size = self.theta.shape
        spread = (self.inverse.reshape(-1, size) @ phi.T).reshape(arms, size, -1)
        spread *= phi.T
        return np.asarray(np.sqrt(np.maximum(spread.sum(axis=1).T, 0.0)))

    def judged(self, phi: Numbers) -> tuple[Numbers, Numbers]:
        """Return mean and width of each arm for one phi (size,): the fast way for one row."""
        self.settle()
        along = self.inverse @ phi
        return self.theta @ phi, np.sqrt(np.maximum(along @ phi, 0.0))

    def add(self, phi: Numbers, arm: int, reward: float, weight: float = 1.0) -> None:
        """Learn one row."""
        inverse, theta = self.inverse[arm], self.theta[arm]
        along = inverse @ phi
        gain = weight / (1.0 + weight * float(phi @ along))
        if self.shared_penalty is None:
            theta += along * (gain * (reward - float(theta @ phi)))
        else:
            self._is_stale = True
        inverse -= np.outer(along, along * gain)
        self.gram[arm] += np.outer(phi, phi * weight)
        self.b[arm] += (weight * reward) * phi
        self.counts[arm] += 1
        self.squares += weight * reward**2

    def add_all(
        self, phi: Numbers, arms: NDArray[np.intp], rewards: Numbers, weights: Numbers
    ) -> None:
        """Learn many rows; the order doesn't matter."""
        size = phi.shape[1]
        for arm in np.unique(arms):
            mine = arms == arm
            rows, heavy = phi[mine], weights[mine]
            if len(rows) < size:
                for row, reward, weight in zip(rows, rewards[mine], heavy, strict=True):
                    self.add(row, int(arm), float(reward), float(weight))
                continue
            self.gram[arm] += (rows * heavy[:, None]).T @ rows
            self.b[arm] += rows.T @ (heavy * rewards[mine])
            self.counts[arm] += len(rows)
            self.squares += float(heavy @ rewards[mine] ** 2)
            found = np.linalg.inv(self.gram[arm] + self.penalty * np.eye(size))
            self.inverse[arm] = (found + found.T) / 2.0
        self._is_stale = True
        self.settle()

    def forget(self, share: float) -> None:
        """Let what was learned count for a share of what it did."""
        self.gram *= share
        self.b *= share
        self.counts *= share
        self.squares *= share
        found = np.linalg.inv(self.gram + self.penalty * np.eye(self.gram.shape[-1]))
        self.inverse = np.asarray((found + np.swapaxes(found, -1, -2)) / 2.0)
        self._is_stale = True
        self.settle()

    def settle(self) -> None:
        """Bring theta up to date: the shared part first, then each arm's departure from it."""
        if not self._is_stale:
            return
        wanted = self.b
        if self.shared_penalty is not None:
            wanted = self.b + self.penalty * self._shared()
        self.theta = np.asarray(np.einsum("aij,aj->ai", self.inverse, wanted))
        self._is_stale = False

    def noise(self) -> float:
        """Return the misfit: the root mean square of what theta leaves unexplained."""
        self.settle()
        theta, size = self.theta, self.theta.shape[1]
        bent = np.matmul(self.gram, theta.reshape(-1, size, 1))[:, :, 0]
        misfit = self.squares - 2 * float(np.sum(theta * self.b)) + float(np.sum(theta * bent))
        return math.sqrt(max(misfit, 0.0) / max(float(self.counts.sum()), 1.0))

    def _shared(self) -> Numbers:
        """Return theta_0; gram inverse = I - penalty inverse."""
        size, penalty = self.theta.shape[1], self.penalty
        precision = penalty * (
            len(self.inverse) * np.eye(size) - penalty * self.inverse.sum(axis=0)
        )
        pull = penalty * np.einsum("aij,aj->i", self.inverse, self.b)
        return np.linalg.solve(precision + (self.shared_penalty or 0.0) * np.eye(size), pull)

    def _twin(self, arrays: Mapping[str, NDArray[Any]], squares: float) -> Self:
        twin = object.__new__(type(self))
        twin.penalty, twin.shared_penalty = self.penalty, self.shared_penalty
        twin.squares, twin._is_stale = squares, self._is_stale
        for name in _ARRAYS:
            setattr(twin, name, arrays[name])
        return twin
