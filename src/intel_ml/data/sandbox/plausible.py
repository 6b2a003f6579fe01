"""What the numbers of a world file can be: limits by the last words of a key, or its whole path.

    ..._per_..._hour, ...share, ...overlap, ...loss   0 to 1
    ...amplitude                                      0 to 0.99, or a price could turn negative
    peak_hour, first_hour, last_hour                  0 to 24
    half_life_hours, spread, shape, headroom, ...     above 0
    factors on prices, logarithms                     so that a price is neither 0 nor endless
    pairs                                             low end first
    everything else                                   not negative

Reads   a frozen section and its path.
Gives   silence, or an error with the path of the key and what it can be.
Never   knows what two sections mean together: that is `worldfile`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from intel_ml.core.errors import InvalidValueError

_MOST = 1e12
_LIMITS: tuple[tuple[str, float, float], ...] = (
    (r".*per_\w*hour|per_\w*hour|.*share|.*overlap|.*_loss|hourly_share|margin|utilisation", 0, 1),
    (r"organic_per_hour", 0, _MOST),
    (r"most_per_hour", 1e-9, _MOST),
    (r".*amplitude", 0, 0.99),
    (r"rho", 0, 0.9999),
    (r"(peak|first|last)_hour", 0, 24),
    (r".*_peak_day", 1, 366),
    (r"match_quality", 0, 10),
    (r"half_life_hours|spread|shape|headroom|widest_ratio|goods|weight", 1e-9, _MOST),
    (r"cpm|target_cpa|target_roas|order_value|min_daily_budget|bid", 1e-9, _MOST),
    (r"cpa_ratio|ctr_percent|cpm_ratio|audience", 1e-9, _MOST),
    (r"accounts|campaigns|adsets|ads|first_id|results_needed|window_hours", 1, _MOST),
    (r"floor", 0, 1),
    (r"days_old", 0, 36_500),
    # A price of nothing buys everything; a logarithm beyond this is no market.
    (r"auction\.weekend|learning\.(price|noise)|season\.named\[\d+\]\.price", 0.01, 100),
    (r"noise\.(price|clicks|conversions)|\w+_walk|\w+_size|farthest", 0, 5),
)


def check_numbers(section: Any, where: str) -> None:
    """Raise for the first number of a section, or of what it holds, that can't be."""
    for one in fields(section):
        value = getattr(section, one.name)
        path = f"{where}.{one.name}" if where else one.name
        _check(value, one.name, path)


def _check(value: Any, name: str, path: str) -> None:
    if hasattr(value, "__dataclass_fields__"):
        check_numbers(value, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check(inner, name, f"{path}.{key}")
    elif isinstance(value, tuple):
        _check_tuple(value, name, path)
    elif isinstance(value, int | float) and not isinstance(value, bool) and name != "seed":
        low, high = _limits(name, path)
        if not low <= value <= high:
            raise InvalidValueError(path=path, problem=f"is {value:g}, but {_said(low, high)}")


def _check_tuple(values: tuple[Any, ...], name: str, path: str) -> None:
    for n, inner in enumerate(values):
        _check(inner, name, f"{path}[{n}]")
    numbers = [one for one in values if isinstance(one, int | float)]
    if name not in ("shares", "delays_hours") and numbers != sorted(numbers):
        raise InvalidValueError(path=path, problem="write the smaller number first: [low, high]")


def _limits(name: str, path: str) -> tuple[float, float]:
    for pattern, low, high in reversed(_LIMITS):
        if re.fullmatch(pattern, name) or re.fullmatch(pattern, path):
            return low, high
    return 0, _MOST


def _said(low: float, high: float) -> str:
    if high < _MOST:
        return f"must be from {low:g} to {high:g}"
    lowest = "above 0" if 0 < low < 1 else f"at least {low:g}"
    return f"must be {lowest} and at most {high:g}"
