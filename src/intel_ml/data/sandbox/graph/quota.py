"""Quotas: how many points a caller has, and how they come back.

    points(t) = max(0, points - (t - t') limit / decay),   a read costs 1, a write 3

Reads   settings over HTTP; calls and the simulated second at which they come.
Gives   `Limits` of a tier, and leaking `Bucket`s.
Never   reads a clock: while simulated time stands still nothing comes back.

Marketing API, "Rate limiting": 60 or 9,000 points an account, back within 300 s, blocked for 300 s
or 60 s; calls an hour by use case. What Meta leaves open is ours: an app has a hundred accounts'
points, and a full use case is closed for five minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from intel_ml.core.errors import InvalidValueError, UnknownNameError

_MOST = 10**9
_HOUR_S = 3600
_APP_ACCOUNTS = 100
_CLOSED_S = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """What an app may ask: `score` points an account, and calls an hour by use case.

    `mutations_per_second` is None where nobody counts them: simulated seconds may stand still.
    """

    tier: str
    score: int
    decay_s: int
    block_s: int
    ads_management: int
    ads_insights: int
    app: int
    mutations_per_second: int | None = None

    def changed(self, raw: Mapping[str, Any]) -> Limits:
        """Return these limits with what JSON says; a tier brings its own, the rest stays on top."""
        known = {one.name for one in fields(Limits)}
        for name in raw:
            if name not in known:
                raise UnknownNameError(kind="quota setting", name=name, known=known)
        base = self
        if "tier" in raw:
            if raw["tier"] not in TIERS:
                raise UnknownNameError(kind="tier", name=str(raw["tier"]), known=TIERS)
            base = TIERS[raw["tier"]]
        numbers = {name: value for name, value in raw.items() if name != "tier"}
        for name, value in numbers.items():
            if value is None and name == "mutations_per_second":
                continue
            if type(value) is not int or not 1 <= value <= _MOST:
                raise InvalidValueError(path=name, problem="must be a whole number from 1")
        return replace(base, **numbers)

    def described(self) -> dict[str, Any]:
        """Return the limits as JSON."""
        return asdict(self)


TIERS = {
    "standard_access": Limits(
        "standard_access", 9000, 300, 60, 100_000, 190_000, _APP_ACCOUNTS * 9000
    ),
    "development_access": Limits("development_access", 60, 300, 300, 300, 600, _APP_ACCOUNTS * 60),
}


@dataclass(slots=True)
class Bucket:
    """Points used of one quota; `limit` and `decay_s` come with each question."""

    points: float = 0.0
    at_s: int = 0
    closed_until_s: int = 0

    def used(self, *, limit: float, decay_s: int, now_s: int) -> float:
        """Return the points still counted."""
        return max(0.0, self.points - (now_s - self.at_s) * limit / decay_s)

    def percent(self, *, limit: float, decay_s: int, now_s: int) -> float:
        """Return how full it is, 100 while it is closed."""
        if now_s < self.closed_until_s:
            return 100.0
        return min(100.0, 100 * self.used(limit=limit, decay_s=decay_s, now_s=now_s) / limit)

    def takes(
        self, cost: int, *, limit: float, decay_s: int, now_s: int, closed_s: int = _CLOSED_S
    ) -> bool:
        """Return whether a call still fits and count it; one too many closes the bucket."""
        if now_s < self.closed_until_s:
            return False
        used = self.used(limit=limit, decay_s=decay_s, now_s=now_s)
        if used + cost > limit:
            self.closed_until_s = now_s + closed_s
            return False
        self.points, self.at_s = used + cost, now_s
        return True

    def wait_s(self, now_s: int) -> int:
        """Return for how long it stays closed."""
        return max(self.closed_until_s - now_s, 0)

    def empties_in_s(self, *, limit: float, decay_s: int, now_s: int) -> int:
        """Return after how many seconds without a call nothing is counted any more."""
        return math.ceil(self.used(limit=limit, decay_s=decay_s, now_s=now_s) * decay_s / limit)


def hourly(limit: float) -> dict[str, Any]:
    """Return the arguments of a bucket that counts calls an hour."""
    return {"limit": limit, "decay_s": _HOUR_S}
