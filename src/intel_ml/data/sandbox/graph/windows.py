"""The windows of an insights question: which days each row covers, and which hours those are.

Reads   time ranges, presets, increments and hourly breakdowns; an account's zone.
Gives   `Piece`s in the order of the rows.
Never   takes an hour for a day's twenty-fourth part: days have 23, 24 or 25 hours.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from intel_ml.core.days import DayWindow, account_day, day_start, time_zone
from intel_ml.data.sandbox.graph.days import asked_ranges, asked_window, split_window
from intel_ml.data.sandbox.world import World

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_DAY_HOURS = 24
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """One window: its days, half-open spans of hours, and the hour of the day if asked for."""

    days: DayWindow
    spans: tuple[Span, ...]
    hour: str | None = None


def pieces_of(
    world: World, params: Mapping[str, str], *, zone: str, is_hourly: Sequence[str] = ()
) -> list[Piece]:
    """Return the windows asked for; `is_hourly` names the hourly breakdown if there is one."""
    windows = _windows(world, params, zone)
    if is_hourly:
        return [piece for days in windows for piece in _hourly(world, days, zone)]
    return [Piece(days, (hours_of(world, days, zone),)) for days in windows]


def days_of(world: World, params: Mapping[str, str], *, zone: str) -> DayWindow:
    """Return the days asked for, from the first to the last of all ranges."""
    today = account_day(world.now, zone)
    if "time_ranges" in params:
        ranges = asked_ranges(params["time_ranges"], today=today)
        return DayWindow(min(one.first for one in ranges), max(one.end for one in ranges))
    return asked_window(params, today=today)


def hours_of(world: World, days: DayWindow, zone: str) -> Span:
    """Return the half-open hours of a world that begin inside these account days."""
    return _first_hour(world.start, days.first, zone), _first_hour(world.start, days.end, zone)


def _windows(world: World, params: Mapping[str, str], zone: str) -> list[DayWindow]:
    today = account_day(world.now, zone)
    if "time_ranges" in params:
        return asked_ranges(params["time_ranges"], today=today)
    first = account_day(world.start, zone)
    asked = asked_window(params, today=today)
    return split_window(asked, params.get("time_increment"), first=first, end=today + _DAY)


@functools.lru_cache(maxsize=4096)
def _first_hour(start: datetime, day: date, zone: str) -> int:
    return -((start - day_start(day, zone)) // _HOUR)


def _hourly(world: World, days: DayWindow, zone: str) -> list[Piece]:
    """Return a piece for each hour of the day that has happened, over all the days together."""
    first, end = hours_of(world, days, zone)
    spans: dict[int, list[Span]] = {hour: [] for hour in range(_DAY_HOURS)}
    begin, clock = world.start, time_zone(zone)
    for h in range(max(first, 0), min(end, world.hour)):
        own = spans[(begin + h * _HOUR).astimezone(clock).hour]
        if own and own[-1][1] == h:
            own[-1] = (own[-1][0], h + 1)
        else:
            own.append((h, h + 1))
    return [
        Piece(days, tuple(own), f"{hour:02d}:00:00 - {hour:02d}:59:59")
        for hour, own in spans.items()
        if own
    ]
