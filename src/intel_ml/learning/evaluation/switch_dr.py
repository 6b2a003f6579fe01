"""Doubly robust up to a weight, the reward model beyond it.

    V = (1/n) sum_i [ sum_a pi(a | x_i) q(x_i, a) + 1[w_i <= tau] w_i (r_i - q(x_i, a_i)) ]

Wang, Agarwal & Dudik (2017), ICML. tau is the one with the least variance plus squared bias, the
bias bounded by what the dropped decisions would have corrected. tau = infinity is `dr`, 0 is `dm`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation import dm, dr, dr_os
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions

_GRID = np.linspace(0.0, 1.0, 21)


def tuned(logged: LoggedDecisions) -> float:
    """Return the tau with the least estimated mean squared error."""
    weights = logged.weights
    losses = {}
    for tau in np.quantile(weights, _GRID):
        lost = float(np.where(weights > tau, weights * dr.residuals(logged), 0.0).mean())
        spread = float(values(logged, tau=float(tau)).var()) / len(logged)
        losses[float(tau)] = lost**2 + spread
    return min(losses, key=lambda tau: losses[tau])


def values(logged: LoggedDecisions, *, tau: float | None = None) -> NDArray[np.float64]:
    """Return what each decision adds to the mean; tau is tuned where it isn't given."""
    weights = logged.weights
    limit = tuned(logged) if tau is None else tau
    return dm.values(logged) + np.where(weights <= limit, weights, 0.0) * dr.residuals(logged)


def estimate(
    logged: LoggedDecisions, *, tau: float | None = None, level: float = LEVEL
) -> Estimate:
    """Return the candidate's value per decision, with the interval of `dr` around it.

    tau is chosen where the bias looks small: what was dropped is still unknown.
    """
    limit = tuned(logged) if tau is None else tau
    found = estimate_of(logged, values(logged, tau=limit), level=level)
    return dr_os.around(logged, found, level)
