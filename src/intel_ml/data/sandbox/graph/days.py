"""Which days an insights question means: presets, ranges, increments; days are the account's.

Reads   `date_preset`, `time_range`, `time_ranges`, `time_increment`, and the account's today.
Gives   half-open windows of days, in order.
Never   accepts `last_1d`: it does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from intel_ml.core.days import DayWindow
from intel_ml.data.sandbox.graph.errors import GraphError, bad_parameter

_DAY = timedelta(days=1)
_WEEK = 7
_QUARTER = 3
_MOST_INCREMENT = 90
_OLDEST_MONTHS = 37
_MOST_RANGES = 100
_FARTHEST = timedelta(days=366)


def _this_week(today: date, first_weekday: int) -> date:
    return today - timedelta(days=(today.weekday() - first_weekday) % _WEEK)


def _month(day: date) -> date:
    return day.replace(day=1)


def _quarter(day: date) -> date:
    return day.replace(month=(day.month - 1) // _QUARTER * _QUARTER + 1, day=1)


def _month_before(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


def months_before(day: date, months: int) -> date:
    """Return the same day some months earlier, or the last one of a shorter month.

    >>> months_before(date(2026, 3, 31), 37)
    datetime.date(2023, 2, 28)
    """
    month = _month_before(day, months)
    last = _month_before(month, -1) - _DAY
    return month.replace(day=min(day.day, last.day))


def _last(days: int) -> Callable[[date], DayWindow]:
    return lambda today: DayWindow(today - timedelta(days=days), today)


PRESETS: dict[str, Callable[[date], DayWindow]] = {
    "today": lambda t: DayWindow(t, t + _DAY),
    "yesterday": _last(1),
    "this_month": lambda t: DayWindow(_month(t), t + _DAY),
    "last_month": lambda t: DayWindow(_month_before(t, 1), _month(t)),
    "this_quarter": lambda t: DayWindow(_quarter(t), t + _DAY),
    "maximum": lambda t: DayWindow(months_before(t, _OLDEST_MONTHS), t + _DAY),
    "data_maximum": lambda t: DayWindow(months_before(t, _OLDEST_MONTHS), t + _DAY),
    "last_3d": _last(3),
    "last_7d": _last(7),
    "last_14d": _last(14),
    "last_28d": _last(28),
    "last_30d": _last(30),
    "last_90d": _last(90),
    "last_week_mon_sun": lambda t: DayWindow(_this_week(t, 0) - 7 * _DAY, _this_week(t, 0)),
    "last_week_sun_sat": lambda t: DayWindow(_this_week(t, 6) - 7 * _DAY, _this_week(t, 6)),
    "last_quarter": lambda t: DayWindow(_month_before(_quarter(t), _QUARTER), _quarter(t)),
    "last_year": lambda t: DayWindow(date(t.year - 1, 1, 1), date(t.year, 1, 1)),
    "this_week_mon_today": lambda t: DayWindow(_this_week(t, 0), t + _DAY),
    "this_week_sun_today": lambda t: DayWindow(_this_week(t, 6), t + _DAY),
    "this_year": lambda t: DayWindow(date(t.year, 1, 1), t + _DAY),
}


def asked_window(params: Mapping[str, str], *, today: date) -> DayWindow:
    """Return the days asked for; `time_range` wins, the last 30 days are the default.

    >>> asked_window(
    ...     {"time_range": '{"since":"2026-11-01","until":"2026-11-02"}'}, today=date(2026, 11, 9)
    ... )
    DayWindow(first=datetime.date(2026, 11, 1), end=datetime.date(2026, 11, 3))
    """
    if "time_range" in params:
        return _range(params["time_range"], today)
    preset = params.get("date_preset", "last_30d")
    if preset not in PRESETS:
        raise bad_parameter(
            f"date_preset must be one of the following values: {', '.join(PRESETS)}"
        )
    return PRESETS[preset](today)


def asked_ranges(text: str, *, today: date) -> list[DayWindow]:
    """Return the windows of `time_ranges`: one set of rows each; they may overlap."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise bad_parameter("time_ranges must be an array of time ranges") from error
    if not isinstance(raw, list) or not 1 <= len(raw) <= _MOST_RANGES:
        raise bad_parameter("time_ranges must be an array of time ranges")
    return [_range(json.dumps(one), today) for one in raw]


def split_window(
    window: DayWindow, increment: str | None, *, first: date, end: date
) -> list[DayWindow]:
    """Return the windows that an increment cuts out of one, from `first` to `end`."""
    if increment in (None, "all_days"):
        return [window]
    if increment == "monthly":
        return _months(window, first, end)
    if not str(increment).isdigit() or not 1 <= int(str(increment)) <= _MOST_INCREMENT:
        raise bad_parameter(
            "time_increment must be an integer between 1 and 90, monthly or all_days"
        )
    step = int(str(increment))
    # Steps are counted from the beginning of what was asked, so a window keeps its place when
    # nothing came before it.
    skip = max((first - window.first).days // step, 0)
    start = window.first + timedelta(days=skip * step)
    pieces = []
    while start < min(window.end, end):
        pieces.append(DayWindow(start, min(start + timedelta(days=step), window.end)))
        start += timedelta(days=step)
    return pieces


def _months(window: DayWindow, first: date, end: date) -> list[DayWindow]:
    pieces, start = [], max(window.first, _month(first))
    while start < min(window.end, end):
        after = _month_before(start, -1)
        pieces.append(DayWindow(start, min(after, window.end)))
        start = after
    return pieces


def _range(text: str, today: date) -> DayWindow:
    try:
        raw = json.loads(text)
        since, until = date.fromisoformat(raw["since"]), date.fromisoformat(raw["until"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_parameter(
            "time_range must be an object with since and until as YYYY-MM-DD"
        ) from error
    if until < since:
        raise bad_parameter("time_range: since must not be after until")
    if since < months_before(today, _OLDEST_MONTHS):
        raise GraphError(
            "(#3018) The start date of the time range cannot be beyond 37 months "
            "from the current date",
            code=3018,
        )
    if until > today + _FARTHEST:
        raise bad_parameter("time_range: until is too far in the future")
    return DayWindow(since, until + _DAY)
