"""Intervals: for a mean (Student's t), for a share (Wilson, 1927).

    mean - (t + max(0, -k)) s / sqrt(n),  mean + (t + max(0, k)) s / sqrt(n)
    s^2 = sum (x - mean)^2 / (n - 1),   k = g (2 t^2 + 1) / (6 sqrt(n)),   g the skewness

Weights make values skewed, and the mean of skewed values misses more on one side: there Student's
interval is widened by the second term of its expansion (Johnson, 1978, JASA 73; Hall, 1992, JRSS B
54), at most to twice. It is never narrower than Student's. What few large values say of others as
large no formula knows: support is checked beside it.

    s_G^2 / n = G / (G - 1) sum_g (sum_{i in g} (x_i - mean))^2 / n^2,   G - 1 degrees of freedom

Decisions about one unit resemble each other, and the outcomes of two days share hours: where units
are told apart, the larger of the two errors counts (Liang & Zeger, 1986, Biometrika 73).

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
_ROUNDING = 1e-14
#: Fewer say nothing of how units differ.
_MIN_UNITS = 5


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


def of_mean(
    values: NDArray[np.float64],
    *,
    level: float = LEVEL,
    degrees: float | None = None,
    units: NDArray[np.intp] | None = None,
) -> Interval:
    """Return the mean of values with its interval.

    `degrees` of freedom are n - 1 unless fewer are given: few large values know little of their own
    spread. `units` says which values are of one unit, by default none are.

    >>> of_mean(np.array([10.0, 10.0, 10.0]))
    Interval(value=10.0, low=10.0, high=10.0)
    """
    n, mean = len(values), float(values.mean())
    if n == 1:
        return Interval(mean, -math.inf, math.inf)
    known = n - 1.0 if degrees is None else min(max(degrees, 1.0), n - 1.0)
    spread = float(values.std(ddof=1))
    # Values all alike differ by rounding alone.
    if spread <= _ROUNDING * max(abs(mean), 1.0):
        return Interval(mean, mean, mean)
    step = spread / math.sqrt(n)
    together = _clustered(values - mean, units)
    if together is not None and together[0] > step:
        step, known = together[0], min(known, together[1])
    t = t_quantile(level, known)
    skewness = float((((values - mean) / spread) ** 3).mean())
    more = float(np.clip(skewness * (2.0 * t * t + 1.0) / (6.0 * math.sqrt(n)), -t, t))
    return Interval(mean, mean - (t + max(-more, 0.0)) * step, mean + (t + max(more, 0.0)) * step)


def _clustered(
    misses: NDArray[np.float64], units: NDArray[np.intp] | None
) -> tuple[float, float] | None:
    """Return the error of a mean and its degrees of freedom where a unit's values are alike."""
    if units is None:
        return None
    sums = np.bincount(units, weights=misses)
    count = int((np.bincount(units) > 0).sum())
    if not _MIN_UNITS <= count < len(misses):
        return None
    return math.sqrt(count / (count - 1.0) * float(sums @ sums)) / len(misses), count - 1.0


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
    """Return the mean of per-decision values beside the support of their weights.

    Its degrees of freedom are those of the effective sample.
    """
    weights = logged.weights
    size = ess(weights)
    interval = of_mean(values, level=level, degrees=size - 1.0, units=logged.units)
    return Estimate(
        value=interval.value,
        low=interval.low,
        high=interval.high,
        ess=size,
        max_weight=float(weights.max()),
        mean_weight=float(weights.mean()),
        n=len(logged),
    )
