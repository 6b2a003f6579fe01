"""Self-normalised inverse propensity scoring.

    V = sum(w_i r_i) / sum(w_i),   w_i = pi(a_i | x_i) / p_i

Swaminathan & Joachims (2015), NeurIPS 28. Biased in small samples, bounded by the rewards seen,
unlike plain IPS. The interval comes from the linearised values V + w_i (r_i - V) / mean(w).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions


def values(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return values whose mean is the estimate and whose spread is its own."""
    weights = logged.weights
    total = float(weights.sum())
    if total <= 0:
        raise NotEnoughDataError(quantity="decisions the candidate would make", needed=1, seen=0)
    value = float(weights @ logged.rewards) / total
    return np.asarray(value + weights * (logged.rewards - value) / weights.mean())


def estimate(logged: LoggedDecisions, *, level: float = LEVEL) -> Estimate:
    """Return the candidate's value per decision."""
    return estimate_of(logged, values(logged), level=level)
