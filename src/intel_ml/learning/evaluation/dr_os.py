"""Doubly robust with optimistic shrinkage.

    V  = (1/n) sum_i [ sum_a pi(a | x_i) q(x_i, a) + w'_i (r_i - q(x_i, a_i)) ]
    w' = lambda w / (w^2 + lambda)

Su, Dimakopoulou, Krishnamurthy & Dudik (2020), ICML. Large weights are shrunk towards nothing,
small ones hardly; lambda is the one with the least bound of squared bias plus variance, bias
taken as mean (w' - w) residual as seen. lambda = infinity is DR, lambda = 0 the direct method.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation import dm, dr
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions

_GRID = 30
_LEAST = 1e-2


def shrunk(weights: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Return lambda w / (w^2 + lambda).

    >>> shrunk(np.array([0.0, 1.0, 10.0]), 100.0).round(2).tolist()
    [0.0, 0.99, 5.0]
    """
    return np.asarray(strength * weights / (weights**2 + strength))


def tuned(logged: LoggedDecisions) -> float:
    """Return the lambda with the least estimated mean squared error."""
    weights, misses, base = logged.weights, dr.residuals(logged), dm.values(logged)
    top = max(float(weights.max()) ** 2, 1.0)
    losses = {}
    for strength in np.geomspace(_LEAST, 100.0 * top, _GRID):
        light = shrunk(weights, float(strength))
        bias = float(((weights - light) * misses).mean())
        spread = float((base + light * misses).var()) / len(logged)
        losses[float(strength)] = bias**2 + spread
    return min(losses, key=lambda strength: losses[strength])


def values(logged: LoggedDecisions, *, strength: float | None = None) -> NDArray[np.float64]:
    """Return what each decision adds to the mean; lambda is tuned where it isn't given."""
    chosen = tuned(logged) if strength is None else strength
    return dm.values(logged) + shrunk(logged.weights, chosen) * dr.residuals(logged)


def estimate(
    logged: LoggedDecisions, *, strength: float | None = None, level: float = LEVEL
) -> Estimate:
    """Return the candidate's value per decision, with the interval of `dr` around it.

    Shrinking makes the value miss by less on average; it doesn't make more known. Lambda is chosen
    where the bias looks small, so a bias as seen says nothing of the true one.
    """
    chosen = tuned(logged) if strength is None else strength
    return around(logged, estimate_of(logged, values(logged, strength=chosen), level=level), level)


def around(logged: LoggedDecisions, found: Estimate, level: float) -> Estimate:
    """Return an estimate with the unbiased interval of the same log, widened to hold its value."""
    unbiased = dr.estimate(logged, level=level)
    low, high = min(unbiased.low, found.value), max(unbiased.high, found.value)
    return replace(found, low=low, high=high)
