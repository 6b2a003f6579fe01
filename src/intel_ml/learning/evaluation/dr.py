"""Doubly robust.

    V = (1/n) sum_i [ sum_a pi(a | x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i)) ]

Dudik, Langford & Li (2011), ICML. Right where either the propensities or the reward model are;
cross-fit the model (no decision is predicted by a model that saw it), or the correction vanishes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation import dm
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions


def values(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return what each decision adds to the mean."""
    return dm.values(logged) + logged.weights * residuals(logged)


def residuals(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return rewards less their predictions for the executed arms."""
    predicted = dm.model_of(logged)[np.arange(len(logged)), logged.actions]
    return np.asarray(logged.rewards - predicted)


def estimate(logged: LoggedDecisions, *, level: float = LEVEL) -> Estimate:
    """Return the candidate's value per decision."""
    return estimate_of(logged, values(logged), level=level)
