"""Creative fatigue: how far an ad has fallen from its own best while people saw it again and again.

    r = corr(frequency, ctr),   interval by Fisher's z: tanh(atanh r +- 1.96 / sqrt(n - 3))

The plan's line is r < -0.6 (§9.1); here the whole interval has to lie below 0 as well, so that
seven noisy days are not a verdict. Fisher (1921). It misleads where frequency and calendar move
together for another reason, a sale that ends for example.

Reads   daily click-through ratios and frequencies of one ad, oldest first; NaN is an unknown day.
Gives   a `Fatigue` with the evidence for it, or None where too few days are known.
Never   decides what to do about it: that is `judgement`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.recommendations import Reason

MIN_DAYS = 7
CORRELATION_LINE = -0.6
_Z = 1.959963984540054
_BEST_DAYS = 3
_DECLINE = 0.15


@dataclass(frozen=True, slots=True)
class Fatigue:
    """What the days of one ad say; `frequency_at_decline` is None while CTR holds."""

    is_detected: bool
    correlation: float
    low: float
    high: float
    ctr_drop: float
    frequency_at_decline: float | None
    decline_per_frequency: float | None
    days_until_decline: int | None
    days: int
    reasons: tuple[Reason, ...]


def fatigue(ctr: Sequence[float], frequency: Sequence[float]) -> Fatigue | None:
    """Return how tired one ad is; None with fewer than seven known days, or when nothing varied.

    >>> found = fatigue([2.0, 1.9, 1.7, 1.5, 1.4, 1.2, 1.0], [1.0, 1.4, 1.9, 2.3, 2.8, 3.1, 3.6])
    >>> found.is_detected, round(found.ctr_drop, 2)
    (True, 0.36)
    """
    clicks, seen = np.asarray(ctr, dtype=np.float64), np.asarray(frequency, dtype=np.float64)
    known = np.isfinite(clicks) & np.isfinite(seen)
    clicks, seen = clicks[known], seen[known]
    if len(clicks) < MIN_DAYS or np.ptp(clicks) <= 0 or np.ptp(seen) <= 0:
        return None
    correlation = float(np.corrcoef(seen, clicks)[0, 1])
    low, high = _fisher(correlation, len(clicks))
    is_detected = correlation < CORRELATION_LINE and high < 0
    smooth = _smoothed(clicks)
    best = int(smooth.argmax())
    drop = float(1.0 - smooth[-1] / smooth[best]) if smooth[best] > 0 else 0.0
    fallen = np.flatnonzero(smooth[best:] < (1.0 - _DECLINE) * smooth[best])
    at = best + int(fallen[0]) + _BEST_DAYS - 1 if is_detected and len(fallen) else None
    slope = float(np.polyfit(seen, clicks / clicks.mean(), 1)[0])
    reason = Reason(
        f"CTR falls as frequency rises (correlation {correlation:.2f} over {len(clicks)} days)",
        field="ctr",
        observed=correlation,
        operator="<",
        threshold=CORRELATION_LINE,
    )
    return Fatigue(
        is_detected=is_detected,
        correlation=correlation,
        low=low,
        high=high,
        ctr_drop=drop,
        frequency_at_decline=None if at is None else float(seen[at]),
        decline_per_frequency=max(-slope, 0.0) if is_detected else None,
        days_until_decline=None if at is None else at + 1,
        days=len(clicks),
        reasons=(reason,) if is_detected else (),
    )


def _fisher(correlation: float, n: int) -> tuple[float, float]:
    inside = min(max(correlation, -0.999999), 0.999999)
    centre, reach = math.atanh(inside), _Z / math.sqrt(n - 3)
    return math.tanh(centre - reach), math.tanh(centre + reach)


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.convolve(values, np.full(_BEST_DAYS, 1.0 / _BEST_DAYS), mode="valid")
