"""Days and moments: days are the account's and half-open, moments are UTC.

Reads   UTC moments and IANA time zones.
Gives   the account's day of a moment, its bounds, and windows of days.
Never   reads the clock: "now" is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from intel_ml.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Account-local days from `first` up to, not including, `end`."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.first:
            raise InvalidValueError(path="end", problem=f"{self.end} is before {self.first}")

    def __len__(self) -> int:
        return (self.end - self.first).days

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    @property
    def last(self) -> date:
        """The last day inside the window, as Meta's inclusive `until` wants it."""
        return self.end - timedelta(days=1)


def account_day(moment: datetime, zone: str) -> date:
    """Return the account's calendar day at a UTC moment.

    >>> account_day(datetime(2026, 11, 22, 3, tzinfo=UTC), "America/New_York")
    datetime.date(2026, 11, 21)
    """
    return moment.astimezone(time_zone(zone)).date()


def day_start(day: date, zone: str) -> datetime:
    """Return the UTC moment at which the account's `day` begins."""
    return datetime.combine(day, time(), tzinfo=time_zone(zone)).astimezone(UTC)


def time_zone(name: str) -> ZoneInfo:
    """Return the zone called `name`, or say that there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidValueError(
            path="time_zone",
            problem=f"'{name}' is not an IANA time zone",
            hint="Example: Asia/Tokyo.",
        ) from error
