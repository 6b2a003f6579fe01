"""How far back closed days are read again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Mode
from intel_ml.data.collection.plan import Reach, lookback

WEDNESDAY = datetime(2026, 11, 18, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONES = [
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Pacific/Apia",
    "UTC",
    "America/Sao_Paulo",
]


def account(zone: str = "UTC") -> Account:
    return Account(
        AdAccountId("act_1"), "One", "USD", zone, None, None, Mode.SHADOW, "api", WEDNESDAY
    )


@pytest.mark.parametrize(
    ("now", "last_read", "days"),
    [
        (WEDNESDAY, WEDNESDAY - DAY, 7),  # an ordinary day
        (MONDAY, MONDAY - DAY, 28),  # once a week as far back as Meta restates
        (WEDNESDAY, None, 30),  # a new account
        (WEDNESDAY, WEDNESDAY - 10 * DAY, 16),  # nine days nobody looked, and the seven before them
    ],
)
def test_the_window_ends_before_today(now, last_read, days):
    window = lookback(now, account(), last_read)
    assert (window.end, len(window)) == (now.date(), days)


@pytest.mark.parametrize("hours", [0, 1, 11])
def test_once_a_day_is_enough(hours):
    assert lookback(WEDNESDAY + timedelta(hours=hours), account(), WEDNESDAY) is None


def test_the_day_is_the_accounts():
    # 03:30 UTC on the 19th is still the 18th in New York: read on the 18th at noon, nothing is due.
    late = datetime(2026, 11, 19, 3, 30, tzinfo=UTC)
    assert lookback(late, account("America/New_York"), WEDNESDAY + timedelta(hours=6)) is None
    assert lookback(late, account("Asia/Tokyo"), WEDNESDAY).end == date(2026, 11, 19)


def test_a_new_account_gets_what_its_owner_asked_for_and_meta_remembers():
    assert len(lookback(WEDNESDAY, account(), None, reach=Reach(initial_days=90))) == 90
    assert len(lookback(WEDNESDAY, account(), None, reach=Reach(initial_days=3000))) == 37 * 30


@settings(deadline=None)
@given(
    st.integers(0, 5 * 365 * 24).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + hours * HOUR),
    st.none() | st.integers(0, 2000),
    st.sampled_from(ZONES),
)
def test_no_window_includes_today_or_reaches_beyond_memory(now, days_ago, zone):
    last = None if days_ago is None else now - days_ago * DAY
    window = lookback(now, account(zone), last)
    if window is not None:
        assert window.end == account_day(now, zone)
        assert 0 < len(window) <= 37 * 30
