"""Usage: which quotas a call counts against, and the headers that say how full they are.

    ads_management an hour = 100,000 + 40 active ads               (development: 300 + ...)
    ads_insights an hour   = 190,000 + 400 active ads - 0.001 errors   (development: 600 + ...)

Reads   every call, the simulated time, how many ads of an account are active.
Gives   the throttling error that is due, and the headers of every answer.
Never   depends on the wall clock, so that the same calls give the same bytes.

Marketing API, "Rate limiting" and "Insights: limits". Codes: 17/2446079 and 613/1487742 an
account's points (reads, writes), 80000 and 80004 its use cases, 4 the app, 613/5044001 mutations a
second. Pages, audiences and catalogues (32, 80003, 80014) have no calls here: faults play them. Of
the header on old reach only the name is documented; its value follows its neighbours.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intel_ml.core.errors import InvalidValueError
from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.quota import TIERS, Bucket, Limits, hourly
from intel_ml.data.sandbox.population import Population

_READ, _WRITE = 1, 3
_HOUR_S, _MINUTE_S = 3600, 60
_ACTIVE_ADS = {"ads_management": 40, "ads_insights": 400}
_ERROR_WEIGHT = 0.001
_CODES = {"ads_management": 80004, "ads_insights": 80000}
#: Whoever asks about no account has only the app to count against.
NOBODY = "me"
_MOST_SECONDS = 366 * 24 * _HOUR_S
_APP, _REACH = "app", "old reach"
_OLD_REACH, _DAY_S = 10, 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of call it is: its account, whether it asks for insights, whether it writes."""

    account: str
    is_insights: bool = False
    is_write: bool = False

    @property
    def case(self) -> str:
        """The business use case that it counts against."""
        return "ads_insights" if self.is_insights else "ads_management"


class Usage:
    """Points and calls of an app; `elapsed_s` is time that tests let pass for quotas alone."""

    def __init__(self) -> None:
        self.limits: Limits = TIERS["standard_access"]
        self.hour = 0
        self.second = 0
        self.elapsed_s = 0
        self.buckets: defaultdict[tuple[str, str], Bucket] = defaultdict(Bucket)
        self.errors: Counter[str] = Counter()
        self._active: Counter[str] = Counter()
        self._counted_hour: int | None = None
        self._mutations: tuple[int, int] = (0, 0)

    @property
    def now_s(self) -> int:
        """The simulated second since the world began."""
        return self.hour * _HOUR_S + self.second + self.elapsed_s

    def configure(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Set limits, or let `elapse_s` seconds pass; return what holds now."""
        elapse = raw.get("elapse_s", 0)
        if type(elapse) is not int or not 0 <= elapse <= _MOST_SECONDS:
            raise InvalidValueError(path="elapse_s", problem="must be a whole number of seconds")
        rest = {name: value for name, value in raw.items() if name != "elapse_s"}
        self.limits = self.limits.changed(rest)
        self.elapsed_s += elapse
        return self.described()

    def described(self) -> dict[str, Any]:
        """Return the limits and how full each account's points are, in percent."""
        used = {
            account: round(self._score_percent(account), 2)
            for account, name in self.buckets
            if name == "score"
        }
        return {**self.limits.described(), "second": self.now_s, "used_percent": used}

    def charge(self, kind: Kind, *, population: Population, hour: int) -> None:
        """Count one call, or raise the throttling that it meets."""
        self.hour = hour
        self._count_ads(population)
        if kind.is_write:
            self._mutate()
        cost, account = _WRITE if kind.is_write else _READ, kind.account
        if not self._bucket(NOBODY, _APP).takes(cost, **self._app(), now_s=self.now_s):
            raise _app_limit(kind)
        if account == NOBODY:
            return
        case = hourly(self._case_limit(account, kind.case))
        if not self._bucket(account, kind.case).takes(1, **case, now_s=self.now_s):
            raise _case_limit(kind)
        if not self._bucket(account, "score").takes(
            cost, **self._score(), now_s=self.now_s, closed_s=self.limits.block_s
        ):
            raise _account_limit(kind)

    def allows_old_reach(self, account: str) -> bool:
        """Return whether a report may hold reach by breakdown of long ago, and count it."""
        bucket = self._bucket(account, _REACH)
        return bucket.takes(1, limit=_OLD_REACH, decay_s=_DAY_S, now_s=self.now_s, closed_s=0)

    def failed(self, account: str) -> None:
        """Count an error of the caller; it costs insights quota."""
        self.errors[account] += 1

    def headers(self, kind: Kind) -> dict[str, str]:
        """Return the headers of an answer; those of an account only where there is one."""
        app = round(self._bucket(NOBODY, _APP).percent(**self._app(), now_s=self.now_s))
        found = {
            "X-App-Usage": json.dumps({"call_count": app, "total_time": app, "total_cputime": app})
        }
        if kind.account == NOBODY:
            return found
        tier, bucket = self.limits.tier, self._bucket(kind.account, "score")
        share = round(self._score_percent(kind.account), 2)
        reset = bucket.wait_s(self.now_s) or bucket.empties_in_s(**self._score(), now_s=self.now_s)
        found["X-Ad-Account-Usage"] = json.dumps(
            {"acc_id_util_pct": share, "reset_time_duration": reset, "ads_api_access_tier": tier}
        )
        cases = [self._case(kind.account, case) for case in _ACTIVE_ADS]
        found["X-Business-Use-Case-Usage"] = json.dumps({kind.account: cases})
        if kind.is_insights:
            own = self._case_percent(kind.account, "ads_insights")
            reach = self._bucket(kind.account, _REACH)
            old = reach.percent(limit=_OLD_REACH, decay_s=_DAY_S, now_s=self.now_s)
            for name, share in (("Throttle", own), ("Reach-Throttle", old)):
                used = {"app_id_util_pct": app, "acc_id_util_pct": round(share, 2)}
                prefix = "X-FB-Ads-Insights" if name == "Throttle" else "X-Fb-Ads-Insights"
                found[f"{prefix}-{name}"] = json.dumps({**used, "ads_api_access_tier": tier})
        return found

    def _case(self, account: str, case: str) -> dict[str, Any]:
        share = self._case_percent(account, case)
        wait = self._bucket(account, case).wait_s(self.now_s)
        return {
            "type": case,
            "call_count": round(share),
            "total_cputime": round(share / 2),
            "total_time": round(share / 2),
            "estimated_time_to_regain_access": math.ceil(wait / _MINUTE_S),
            "ads_api_access_tier": self.limits.tier,
        }

    def _mutate(self) -> None:
        most = self.limits.mutations_per_second
        second, count = self._mutations
        count = count + 1 if second == self.now_s else 1
        if most is not None and count > most:
            raise GraphError(
                "(#613) Calls to this api have exceeded the rate limit: too many mutations.",
                code=613,
                subcode=5044001,
                is_transient=True,
            )
        self._mutations = (self.now_s, count)

    def _count_ads(self, population: Population) -> None:
        """Count active ads once an hour: limits grow with them, and counting takes time."""
        if self._counted_hour == self.hour:
            return
        self._counted_hour = self.hour
        rows = Counter(ad.account for ad in population.ads if ad.status == "ACTIVE")
        self._active = Counter({population.accounts[row].id: count for row, count in rows.items()})

    def _case_limit(self, account: str, case: str) -> float:
        base: int = getattr(self.limits, case)
        lost = _ERROR_WEIGHT * self.errors[account] if case == "ads_insights" else 0.0
        return max(base + _ACTIVE_ADS[case] * self._active[account] - lost, 1.0)

    def _case_percent(self, account: str, case: str) -> float:
        limit = hourly(self._case_limit(account, case))
        return self._bucket(account, case).percent(**limit, now_s=self.now_s)

    def _score_percent(self, account: str) -> float:
        return self._bucket(account, "score").percent(**self._score(), now_s=self.now_s)

    def _score(self) -> dict[str, Any]:
        return {"limit": float(self.limits.score), "decay_s": self.limits.decay_s}

    def _app(self) -> dict[str, Any]:
        return {"limit": float(self.limits.app), "decay_s": _HOUR_S}

    def _bucket(self, account: str, name: str) -> Bucket:
        return self.buckets[account, name]


def _app_limit(kind: Kind) -> GraphError:
    return GraphError(
        "(#4) Application request limit reached",
        code=4,
        subcode=1504022 if kind.is_insights else None,
        is_transient=True,
    )


def _case_limit(kind: Kind) -> GraphError:
    code = _CODES[kind.case]
    return GraphError(
        f"(#{code}) There have been too many calls from this ad-account. Wait a bit and try again.",
        code=code,
        subcode=2446079,
        is_transient=True,
    )


def _account_limit(kind: Kind) -> GraphError:
    if kind.is_write:
        return GraphError(
            "(#613) There have been too many calls from this ad-account. Wait a bit and try again.",
            code=613,
            subcode=1487742,
            is_transient=True,
        )
    return GraphError(
        "(#17) User request limit reached",
        code=17,
        subcode=2446079,
        is_transient=True,
        title="Ad Account Has Too Many API Calls",
    )
