"""What every estimator reads and gives.

Notation: decision i, executed arm a_i with logged probability p_i, reward r_i, candidate pmf pi(. |
x_i), weight w_i = pi(a_i | x_i) / p_i.

Reads   arrays.
Gives   `LoggedDecisions`, `Estimate`.
Never   accepts a probability outside (0, 1], an arm there isn't, or anything that isn't finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError

_SUM_TOLERANCE, _MATRIX = 1e-6, 2


@dataclass(frozen=True, slots=True)
class LoggedDecisions:
    """Logged decisions and what a candidate would have done.

    `pmf_new` is (n, arms), and so is `reward_model` where there is one; the rest is (n,). `units`
    numbers what each decision was about, from 0; None where no two were about the same.
    """

    pmf_logged: NDArray[np.float64]
    rewards: NDArray[np.float64]
    actions: NDArray[np.intp]
    pmf_new: NDArray[np.float64]
    reward_model: NDArray[np.float64] | None = None
    units: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        rows = len(self.actions)
        if not rows == len(self.pmf_logged) == len(self.rewards) == len(self.pmf_new):
            raise InvalidValueError(path="actions", problem="the arrays differ in length")
        if rows == 0:
            raise InvalidValueError(path="actions", problem="there is no decision")
        if not ((self.pmf_logged > 0) & (self.pmf_logged <= 1 + _SUM_TOLERANCE)).all():
            raise InvalidValueError(
                path="pmf_logged", problem="a probability is outside (0, 1] or unknown"
            )
        if not np.isfinite(self.rewards).all():
            raise InvalidValueError(path="rewards", problem="a reward is not finite")
        if self.units is not None and (len(self.units) != rows or self.units.min() < 0):
            raise InvalidValueError(path="units", problem="is not a number from 0 a decision")
        self._check_arms()

    def _check_arms(self) -> None:
        """Refuse what isn't a distribution over the arms, or isn't one of them."""
        if self.pmf_new.ndim != _MATRIX:
            raise InvalidValueError(path="pmf_new", problem="is not (decisions, arms)")
        # Written so that NaN fails.
        if not (self.pmf_new >= 0).all():
            raise InvalidValueError(path="pmf_new", problem="a probability is negative or unknown")
        if not (np.abs(self.pmf_new.sum(axis=1) - 1) <= _SUM_TOLERANCE).all():
            raise InvalidValueError(path="pmf_new", problem="a row doesn't sum to 1")
        if not ((self.actions >= 0) & (self.actions < self.pmf_new.shape[1])).all():
            raise InvalidValueError(
                path="actions", problem=f"one is not among the {self.pmf_new.shape[1]} arms"
            )
        if self.reward_model is None:
            return
        if self.reward_model.shape != self.pmf_new.shape:
            raise InvalidValueError(path="reward_model", problem="its shape is not that of pmf_new")
        if not np.isfinite(self.reward_model).all():
            raise InvalidValueError(path="reward_model", problem="a prediction is not finite")

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much more the candidate likes what was executed: pi(a | x) / p, (n,)."""
        chosen: NDArray[np.float64] = self.pmf_new[np.arange(len(self)), self.actions]
        return chosen / self.pmf_logged

    def take(self, rows: NDArray[np.bool_] | Sequence[int]) -> LoggedDecisions:
        """Return some of the decisions."""
        model, units = self.reward_model, self.units
        return LoggedDecisions(
            self.pmf_logged[rows],
            self.rewards[rows],
            self.actions[rows],
            self.pmf_new[rows],
            None if model is None else model[rows],
            None if units is None else units[rows],
        )

    def with_model(self, reward_model: NDArray[np.float64]) -> LoggedDecisions:
        """Return the same decisions beside predicted rewards of every arm."""
        return replace(self, reward_model=reward_model)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A policy's value per decision with its interval, and how much of the log speaks for it."""

    value: float
    low: float
    high: float
    ess: float
    max_weight: float
    mean_weight: float
    n: int
