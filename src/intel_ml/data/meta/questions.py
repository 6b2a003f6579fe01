"""Which edges and fields are asked for.

Reads   an account, a window of days.
Gives   the questions of a look: structure, today so far, closed days; and of a pixel.
Never   asks for every field (some are refused), nor takes the SDK's date presets (AdSet.DatePreset
        is upper case, and refused).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from intel_ml.core.days import DayWindow
from intel_ml.core.ids import EntityType
from intel_ml.data.meta.pages import Question

LEVELS = tuple(EntityType)

_STATUS_FIELDS = (
    "id,name,status,configured_status,effective_status,issues_info,created_time,updated_time"
)
_BUDGET_FIELDS = "daily_budget,lifetime_budget,bid_strategy"
_STRUCTURE = {
    EntityType.CAMPAIGN: ("campaigns", f"{_STATUS_FIELDS},{_BUDGET_FIELDS},objective"),
    EntityType.ADSET: (
        "adsets",
        f"{_STATUS_FIELDS},{_BUDGET_FIELDS},campaign_id,bid_amount,optimization_goal,"
        "learning_stage_info{status,conversions,last_sig_edit_ts}",
    ),
    EntityType.AD: ("ads", f"{_STATUS_FIELDS},campaign_id,adset_id,bid_amount"),
}
_CAMPAIGN_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES")
_ADSET_STATUSES = (*_CAMPAIGN_STATUSES, "CAMPAIGN_PAUSED")
_AD_STATUSES = (
    *_ADSET_STATUSES,
    "ADSET_PAUSED",
    "DISAPPROVED",
    "PENDING_BILLING_INFO",
    "PENDING_REVIEW",
    "PREAPPROVED",
)
#: Every effective status of a level: unless they are listed, archived and deleted ones are left
#: out.
STATUSES = {
    EntityType.CAMPAIGN: _CAMPAIGN_STATUSES,
    EntityType.ADSET: _ADSET_STATUSES,
    EntityType.AD: _AD_STATUSES,
}
_METRICS = "impressions,reach,clicks,inline_link_clicks,spend,actions,action_values"
_ACCOUNT_FIELDS = "id,name,currency,timezone_name,account_status,min_daily_budget"
_PIXEL_FIELDS = "id,name,last_fired_time,is_unavailable"
_QUALITY_FIELDS = "web{event_name,event_match_quality}"
_PIXEL_DAYS = timedelta(days=7)


def my_accounts(limit: int) -> Question:
    """Ask which accounts the token may read."""
    return Question(("me", "adaccounts"), {"fields": _ACCOUNT_FIELDS, "limit": limit})


def structure(account: str, level: EntityType, limit: int) -> Question:
    """Ask for every campaign, ad set or ad, paused and archived ones included."""
    edge, fields = _STRUCTURE[level]
    return Question(
        (account, edge),
        {"fields": fields, "effective_status": list(STATUSES[level]), "limit": limit},
    )


def today(account: str, level: EntityType, limit: int) -> Question:
    """Ask for the account's day so far."""
    return _insights(account, level, {"date_preset": "today", "limit": limit})


def closed_days(account: str, level: EntityType, days: DayWindow, limit: int) -> Question:
    """Ask for one row a day; Meta's `until` is inclusive, our windows are half-open."""
    window = {"since": days.first.isoformat(), "until": days.last.isoformat()}
    return _insights(account, level, {"time_range": window, "limit": limit})


def pixels(account: str, limit: int) -> Question:
    """Ask which pixels the account has."""
    return Question((account, "adspixels"), {"fields": _PIXEL_FIELDS, "limit": limit})


def pixel_events(pixel: str, now: datetime) -> Question:
    """Ask for the events of the last seven days, which is as far back as Meta goes."""
    span = {"start_time": int((now - _PIXEL_DAYS).timestamp()), "end_time": int(now.timestamp())}
    return Question((pixel, "stats"), {"aggregation": "event", **span})


def pixel_quality(pixel: str) -> Question:
    """Ask for the match quality: a top-level path, with `web` where other answers have `data`."""
    return Question(("dataset_quality",), {"dataset_id": pixel, "fields": _QUALITY_FIELDS})


def _insights(account: str, level: EntityType, params: dict[str, object]) -> Question:
    fields = f"date_start,date_stop,{level.value}_id,{_METRICS}"
    return Question(
        (account, "insights"),
        {"level": level.value, "time_increment": 1, "fields": fields, **params},
    )
