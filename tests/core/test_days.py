from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.days import DayWindow, account_day, day_start, time_zone
from intel_ml.core.errors import InvalidValueError

zones = st.sampled_from(
    ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Apia"]
)
moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001  # bounds are naive by contract
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001  # bounds are naive by contract
    timezones=st.just(UTC),  # bounds are naive by contract
)


@given(moments, zones)
def test_a_moment_lies_within_its_account_day(moment: datetime, zone: str):
    day = account_day(moment, zone)
    assert day_start(day, zone) <= moment < day_start(day + timedelta(days=1), zone)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 11, 2), 24)]
)
def test_new_york_days_have_23_24_or_25_hours(day: date, hours: int):
    zone = "America/New_York"
    assert day_start(day + timedelta(days=1), zone) - day_start(day, zone) == timedelta(hours=hours)


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2029, 1, 1)), st.integers(1, 60))
def test_a_window_is_half_open_and_its_last_day_is_inside(first: date, length: int):
    window = DayWindow(first, first + timedelta(days=length))
    assert list(window)[-1] == window.last
    assert len(list(window)) == len(window) == length


def test_a_window_cannot_end_before_it_begins():
    with pytest.raises(InvalidValueError, match="before"):
        DayWindow(date(2026, 2, 2), date(2026, 2, 1))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(name: str):
    with pytest.raises(InvalidValueError, match="time zone"):
        time_zone(name)
