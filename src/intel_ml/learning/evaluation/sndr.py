"""Self-normalised doubly robust.

    V = (1/n) sum_i sum_a pi(a | x_i) q(x_i, a) + sum_i w_i (r_i - q(x_i, a_i)) / sum_i w_i

Thomas & Brunskill (2016), ICML; Kallus & Uehara (2019), NeurIPS. The correction of `dr`, divided by
the weights there were instead of the decisions: it never leaves the range of the misses seen, at
the price of a small bias. The interval comes from the linearised values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.learning.evaluation import dm, dr
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions


def values(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return values whose mean is the estimate and whose spread is its own."""
    weights, missed = logged.weights, dr.residuals(logged)
    total = float(weights.sum())
    if total <= 0:
        raise NotEnoughDataError(quantity="decisions the candidate would make", needed=1, seen=0)
    correction = float(weights @ missed) / total
    return np.asarray(
        dm.values(logged) + correction + weights * (missed - correction) / weights.mean()
    )


def estimate(logged: LoggedDecisions, *, level: float = LEVEL) -> Estimate:
    """Return the candidate's value per decision."""
    return estimate_of(logged, values(logged), level=level)
