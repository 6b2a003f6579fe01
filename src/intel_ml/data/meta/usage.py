"""How much of the platform's allowance is used, and our own ceiling beside it.

Reads   the usage headers of an answer; the calls we made.
Gives   the highest use in percent, how long to wait, and `CallBudget`: a token bucket an account.
Never   believes one entry only: Meta lists several limits an account, and the first is not the
        fullest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from intel_ml.core.errors import ThrottledError

_APP = "x-app-usage"
_ACCOUNT = "x-ad-account-usage"
_BUSINESS = "x-business-use-case-usage"
_INSIGHTS = "x-fb-ads-insights-throttle"
_PERCENT_KEYS = ("call_count", "total_time", "total_cputime", "acc_id_util_pct", "app_id_util_pct")
_MINUTE_S = 60.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Our own ceiling, how full Meta's may get, and how patient to be with passing faults."""

    calls_per_hour: int = 200
    fullest_percent: float = 95.0
    pause_s: float = 60.0
    tries: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0
    rows_per_page: int = 500
    pages_per_question: int = 400


def highest_percent(headers: Mapping[str, str]) -> float:
    """Return the fullest of all limits named in the headers, 0 when none is.

    >>> highest_percent({"X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":25}'})
    28.0
    """
    return _percent(list(_entries(headers)))


def regain_seconds(headers: Mapping[str, str]) -> float:
    """Return the longest wait that the headers ask for, 0 when they ask for none."""
    return max(_wait_asked(list(_entries(headers))), _retry_after(headers))


@dataclass(slots=True)
class CallBudget:
    """A token bucket for each account.

    Full at the start, refilled evenly over the hour; one item of a batch is one call.
    """

    limits: ReadLimits
    _left: dict[str, float] = field(default_factory=dict)
    _at: dict[str, datetime] = field(default_factory=dict)
    _blocked_until: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def spend(self, account: str, calls: int, *, now: datetime) -> None:
        """Take `calls` from the account's bucket, or say how long to wait."""
        with self._lock:
            blocked = self._blocked_until.get(account)
            if blocked is not None and blocked > now:
                raise _wait(
                    account, (blocked - now).total_seconds(), "Meta's limits are nearly used up"
                )
            rate = self.limits.calls_per_hour / _HOUR_S
            passed = max(0.0, (now - self._at.get(account, now)).total_seconds())
            left = min(
                float(self.limits.calls_per_hour),
                self._left.get(account, float(self.limits.calls_per_hour)) + passed * rate,
            )
            self._at[account] = max(now, self._at.get(account, now))
            self._left[account] = left
            if calls > left:
                raise _wait(
                    account,
                    (calls - left) / rate,
                    f"our own {self.limits.calls_per_hour} calls an hour are used up",
                )
            self._left[account] = left - calls

    def heed(self, account: str, headers: Mapping[str, str], *, now: datetime) -> None:
        """Stop asking about the account for a while when a limit is nearly reached."""
        entries = list(_entries(headers))
        wait = max(_wait_asked(entries), _retry_after(headers))
        if wait == 0 and _percent(entries) >= self.limits.fullest_percent:
            wait = self.limits.pause_s
        if wait > 0:
            with self._lock:
                self._blocked_until[account] = now + timedelta(seconds=wait)


def _wait(account: str, seconds: float, why: str) -> ThrottledError:
    return ThrottledError(
        f"No further call about {account} now: {why}.",
        retry_after_s=seconds,
        hint=f"The next look may start in {seconds:.0f} s.",
    )


def _percent(entries: Sequence[Mapping[str, Any]]) -> float:
    return max((_number(entry.get(key)) for entry in entries for key in _PERCENT_KEYS), default=0.0)


def _wait_asked(entries: Sequence[Mapping[str, Any]]) -> float:
    minutes = (_number(entry.get("estimated_time_to_regain_access")) for entry in entries)
    return max(minutes, default=0.0) * _MINUTE_S


def _retry_after(headers: Mapping[str, str]) -> float:
    return max((_number(v) for k, v in headers.items() if k.lower() == "retry-after"), default=0.0)


def _entries(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for name, text in headers.items():
        lower = name.lower()
        if lower not in (_APP, _ACCOUNT, _BUSINESS, _INSIGHTS):
            continue
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if not isinstance(value, dict):
            continue
        if lower != _BUSINESS:
            yield value
            continue
        for listed in value.values():
            yield from (entry for entry in listed or () if isinstance(entry, dict))


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if 0 <= number < float("inf") else 0.0
