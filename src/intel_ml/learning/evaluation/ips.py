"""Inverse propensity scoring.

    V = (1/n) sum w_i r_i,   w_i = pi(a_i | x_i) / p_i

Horvitz & Thompson (1952), JASA 47. Unbiased where every arm has a chance; its spread grows with the
largest weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions


def values(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return what each decision adds to the mean."""
    return logged.weights * logged.rewards


def estimate(logged: LoggedDecisions, *, level: float = LEVEL) -> Estimate:
    """Return the candidate's value per decision."""
    return estimate_of(logged, values(logged), level=level)
