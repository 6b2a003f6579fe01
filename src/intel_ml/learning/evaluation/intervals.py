"""Intervals: for a mean (Student's t), for a share (Wilson, 1927).

    mean +- t s / sqrt(n),   s^2 = sum (x - mean)^2 / (n - 1)

Student's interval is approximate for skewed values; weights make values skewed, so support is
checked beside it.

Reads   values, or counts.
Gives   `Interval`.
Never   gives a finite interval for a single value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions
from intel_ml.learning.evaluation.support import ess

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds that cover the truth in `level` of all samples, nearly."""

    value: float
    low: float
    high: float


def t_quantile(level: float, degrees: float) -> float:
    """Return the two-sided quantile of Student's t; infinite without a degree of freedom."""
    from scipy.special import stdtrit  # noqa: PLC0415  # heavy

    return float(stdtrit(degrees, 0.5 + level / 2)) if degrees >= 1 else math.inf


def of_mean(values: NDArray[np.float64], *, level: float = LEVEL) -> Interval:
    """Return the mean of independent values with its interval.

    >>> of_mean(np.array([10.0, 10.0, 10.0]))
    Interval(value=10.0, low=10.0, high=10.0)
    """
    n, mean = len(values), float(values.mean())
    if n == 1:
        return Interval(mean, -math.inf, math.inf)
    reach = t_quantile(level, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach)


def of_share(successes: float, trials: float, *, level: float = LEVEL) -> Interval:
    """Return a share with Wilson's interval; all of 0 to 1 where nothing was tried.

    >>> interval = of_share(8, 10)
    >>> round(interval.low, 2), round(interval.high, 2)
    (0.49, 0.94)
    """
    if trials <= 0:
        return Interval(math.nan, 0.0, 1.0)
    z = t_quantile(level, math.inf)
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    reach /= 1 + z * z / trials
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach))


def estimate_of(
    logged: LoggedDecisions, values: NDArray[np.float64], *, level: float = LEVEL
) -> Estimate:
    """Return the mean of per-decision values beside the support of their weights."""
    interval, weights = of_mean(values, level=level), logged.weights
    return Estimate(
        value=interval.value,
        low=interval.low,
        high=interval.high,
        ess=ess(weights),
        max_weight=float(weights.max()),
        mean_weight=float(weights.mean()),
        n=len(logged),
    )
