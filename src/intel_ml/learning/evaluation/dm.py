"""Direct method: believe the reward model.

    V = (1/n) sum_i sum_a pi(a | x_i) q(x_i, a)

No variance from weights, all the bias of the model; its interval knows nothing of that bias. Shown
for comparison, never to conclude.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation.intervals import LEVEL, estimate_of
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions


def values(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return the predicted reward of what the candidate would do, by decision."""
    return np.asarray((logged.pmf_new * model_of(logged)).sum(axis=1))


def estimate(logged: LoggedDecisions, *, level: float = LEVEL) -> Estimate:
    """Return the candidate's value per decision as the reward model sees it."""
    return estimate_of(logged, values(logged), level=level)


def model_of(logged: LoggedDecisions) -> NDArray[np.float64]:
    """Return the predicted rewards, or say that there are none."""
    if logged.reward_model is None:
        raise InvalidValueError(
            path="reward_model",
            problem="this estimator needs predicted rewards",
            hint="Make them with `reward_model.cross_fitted`.",
        )
    return logged.reward_model
