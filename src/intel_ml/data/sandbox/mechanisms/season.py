"""Season: the year's slow swing, and named weeks in which prices and buying are not as usual.

    factor(day) = 1 + a cos(2 pi (day of year - peak) / 365.25)
    in a named season:  factor *= 1 + (level - 1) * ramp(day)
    ramp rises over `ramp_days` before the first day and falls over as many after the last

One harmonic a year and dated events: the usual decomposition of marketing series (Hanssens,
Parsons & Schultz 2001, "Market Response Models", ch. 4; Taylor & Letham 2018, "Forecasting at
Scale"). In a sales week both bidders and buyers come: price and conversion rise together, and what
looks like a better ad set is the calendar.

Reads   days of the account.
Gives   factors on the price and on the conversion rate.
Never   knows what an ad set sells: a season is the whole account's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_YEAR_DAYS = 365.25
_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True)
class NamedSeason:
    """A season by its first and last day, "MM-DD", both in it; it may run over New Year."""

    name: str
    first: str
    last: str
    price: float = 1.0
    conversion: float = 1.0
    ramp_days: int = 2


@dataclass(frozen=True, slots=True)
class Season:
    """How far price and conversion swing over the year, when they peak, and the named seasons."""

    enabled: bool = False
    price_amplitude: float = 0.12
    price_peak_day: int = 340
    conversion_amplitude: float = 0.08
    conversion_peak_day: int = 340
    named: tuple[NamedSeason, ...] = ()

    def factors(self, day: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return (price, conversion) for days given as proleptic ordinals; 1 when switched off.

        >>> Season(enabled=False).factors(np.array([739000]))
        (array([1.]), array([1.]))
        """
        if not self.enabled:
            return np.ones(len(day)), np.ones(len(day))
        days, where = np.unique(day, return_inverse=True)
        found = np.array([self._of(date.fromordinal(int(one))) for one in days])
        return found[where, 0], found[where, 1]

    def _of(self, day: date) -> tuple[float, float]:
        price = _swing(day, self.price_amplitude, self.price_peak_day)
        conversion = _swing(day, self.conversion_amplitude, self.conversion_peak_day)
        for one in self.named:
            share = _ramp(one, day)
            price *= 1 + (one.price - 1) * share
            conversion *= 1 + (one.conversion - 1) * share
        return price, conversion


def month_day(text: str) -> tuple[int, int]:
    """Return (month, day) of "MM-DD", or raise `ValueError` where no year has such a day."""
    day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    return day.month, day.day


def _swing(day: date, amplitude: float, peak: int) -> float:
    return 1 + amplitude * float(np.cos(2 * np.pi * (day.timetuple().tm_yday - peak) / _YEAR_DAYS))


def _ramp(one: NamedSeason, day: date) -> float:
    """Return 1 inside the season, 0 far from it, and in between on the days around it."""
    for year in (day.year - 1, day.year, day.year + 1):
        first = _in_year(year, one.first)
        last = _in_year(year, one.last)
        if last < first:
            last = _in_year(year + 1, one.last)
        outside = max((first - day).days, (day - last).days, 0)
        if outside <= one.ramp_days:
            return 1 - outside / (one.ramp_days + 1)
    return 0.0


def _in_year(year: int, text: str) -> date:
    month, day = month_day(text)
    try:
        return date(year, month, day)
    except ValueError:  # 29 February in a common year
        return date(year, month, day - 1)
