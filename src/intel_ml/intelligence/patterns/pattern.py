"""What a learned pattern is: its data in the plan's shape, its confidence, its sample.

Reads   nothing.
Gives   `Pattern`, `RateInterval` and the interval of a rate.
Never   exists for too small a sample: then there is None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_Z = 1.959963984540054
_DAYS_VALID = 7


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regularity with its evidence; `data` is plain JSON as in the plan's §3.6."""

    type: str
    data: Mapping[str, Any]
    confidence: int
    sample_size: int
    valid_days: int = _DAYS_VALID

    @property
    def confidence_score(self) -> float:
        """The confidence as a share, as the store keeps it."""
        return self.confidence / 100


@dataclass(frozen=True, slots=True)
class RateInterval:
    """Events per exposure with its 95 % interval."""

    value: float
    low: float
    high: float


def rate(events: float, exposure: float) -> RateInterval:
    """Return a Poisson rate with Byar's interval.

    Byar's approximation (Breslow & Day, 1987, vol. II) holds for few events, where the normal one
    goes below 0.

    >>> interval = rate(10, 1000)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0048, 0.0184)
    """
    if exposure <= 0:
        return RateInterval(math.nan, 0.0, math.inf)
    low = 0.0
    if events > 0:
        low = events * (1 - 1 / (9 * events) - _Z / (3 * math.sqrt(events))) ** 3
    more = events + 1
    high = more * (1 - 1 / (9 * more) + _Z / (3 * math.sqrt(more))) ** 3
    return RateInterval(events / exposure, max(low, 0.0) / exposure, high / exposure)
