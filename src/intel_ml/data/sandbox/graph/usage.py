"""Usage headers: how much of the quota is used, in Meta's shapes.

    score = reads + 3 writes in the current simulated hour;   percent = 100 score / 9000, at most 75

Reads   every call.
Gives   the headers of the answer.
Never   depends on the wall clock, so that the same calls give the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter

_FULL_ACCESS_SCORE = 9000
_WRITE_POINTS = 3
_HIGHEST = 75.0
_PERCENT = 100
_TIER = "standard_access"
_RESET_S = 300


class Usage:
    """Points by account in the current simulated hour."""

    def __init__(self) -> None:
        self.hour = -1
        self.points: Counter[str] = Counter()

    def count(self, *, account: str, hour: int, is_write: bool) -> None:
        """Add one call."""
        if hour != self.hour:
            self.hour = hour
            self.points.clear()
        self.points[account] += _WRITE_POINTS if is_write else 1

    def headers(self, account: str) -> dict[str, str]:
        """Return the headers for an answer about an account."""
        share = round(min(_PERCENT * self.points[account] / _FULL_ACCESS_SCORE, _HIGHEST), 2)
        total = round(min(_PERCENT * self.points.total() / _FULL_ACCESS_SCORE, _HIGHEST))
        cases = [
            {
                "type": kind,
                "call_count": round(share),
                "total_cputime": round(share / 2),
                "total_time": round(share / 2),
                "estimated_time_to_regain_access": 0,
                "ads_api_access_tier": _TIER,
            }
            for kind in ("ads_management", "ads_insights")
        ]
        return {
            "X-App-Usage": json.dumps(
                {"call_count": total, "total_time": total, "total_cputime": total}
            ),
            "X-Ad-Account-Usage": json.dumps(
                {
                    "acc_id_util_pct": share,
                    "reset_time_duration": _RESET_S,
                    "ads_api_access_tier": _TIER,
                }
            ),
            "X-Business-Use-Case-Usage": json.dumps({account: cases}),
            "X-FB-Ads-Insights-Throttle": json.dumps(
                {"app_id_util_pct": total, "acc_id_util_pct": share, "ads_api_access_tier": _TIER}
            ),
        }
