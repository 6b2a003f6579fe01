"""How far back closed days are read again.

    ordinary days   7 days: most conversions have arrived by then
    Mondays        28 days: Meta restates that far, and no further
    a new account   as many days as its owner asked for
    never           more than 37 months, where Meta's memory ends, less a day for its clocks

Reads   the platform's moment, the account's zone, and when closed days were last read.
Gives   a window of account days that ends before today, or None when today's reading is done.
Never   includes today: the day so far is a snapshot, not a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow, account_day

_MONDAY = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """How many days back each kind of reading goes."""

    ordinary_days: int = 7
    weekly_days: int = 28
    initial_days: int = 30
    most_days: int = 37 * 30


def lookback(
    now: datetime, account: Account, last_daily_read: datetime | None, *, reach: Reach | None = None
) -> DayWindow | None:
    """Return the closed days to read now; None when they were read since the account's midnight."""
    reach = reach or Reach()
    today = account_day(now, account.time_zone)
    if last_daily_read is None:
        days = reach.initial_days
    else:
        read_on = account_day(last_daily_read, account.time_zone)
        if read_on >= today:
            return None
        days = reach.weekly_days if today.weekday() == _MONDAY else reach.ordinary_days
        # After a pause, the days nobody looked at are still to be restated.
        missed = (today - read_on).days - 1
        days = max(days, missed + reach.ordinary_days)
    return DayWindow(today - timedelta(days=min(days, reach.most_days)), today)
