"""How much of an allowance is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import ThrottledError
from intel_ml.data.meta.usage import CallBudget, ReadLimits, highest_percent, regain_seconds

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "percent"),
    [
        ({}, 0),
        ({"X-App-Usage": '{"call_count":28,"total_time":31,"total_cputime":25}'}, 31),
        ({"x-ad-account-usage": '{"acc_id_util_pct":9.67,"reset_time_duration":100}'}, 9.67),
        ({"X-FB-Ads-Insights-Throttle": '{"app_id_util_pct":100,"acc_id_util_pct":10}'}, 100),
        (
            {
                "X-Business-Use-Case-Usage": '{"1":[{"type":"ads_management","call_count":5},'
                '{"type":"ads_insights","call_count":95,"total_cputime":20}]}'
            },
            95,  # the second entry of the list
        ),
        ({"X-App-Usage": "not json"}, 0),
        ({"X-App-Usage": "[1]"}, 0),
        ({"X-Business-Use-Case-Usage": '{"1": null, "2": [3], "4": [{"call_count": "NaN"}]}'}, 0),
    ],
)
def test_the_fullest_of_all_limits_counts(headers, percent):
    assert highest_percent(headers) == percent


def test_minutes_of_the_business_limit_become_seconds():
    headers = {"X-Business-Use-Case-Usage": '{"1":[{"estimated_time_to_regain_access":3}]}'}
    assert regain_seconds(headers) == 180


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1800)), max_size=60))
def test_never_more_than_a_full_bucket_and_its_refill(steps):
    budget = CallBudget(ReadLimits(calls_per_hour=200))
    now, made = NOW, 0
    for calls, pause_s in steps:
        now += timedelta(seconds=pause_s)
        try:
            budget.spend("act_1", calls, now=now)
        except ThrottledError:
            continue
        else:
            made += calls
    assert made <= 200 + 200 * (now - NOW).total_seconds() / 3600 + 1e-6


def test_waiting_as_told_is_enough():
    budget = CallBudget(ReadLimits(calls_per_hour=10))
    budget.spend("act_1", 10, now=NOW)
    with pytest.raises(ThrottledError) as caught:
        budget.spend("act_1", 2, now=NOW)
    budget.spend("act_1", 2, now=NOW + timedelta(seconds=caught.value.retry_after_s + 1))


def test_accounts_have_buckets_of_their_own():
    budget = CallBudget(ReadLimits(calls_per_hour=10))
    budget.spend("act_1", 10, now=NOW)
    budget.spend("act_2", 10, now=NOW)


def test_a_nearly_full_limit_of_meta_stops_us_until_it_has_cooled():
    budget = CallBudget(ReadLimits(fullest_percent=95, pause_s=60))
    budget.heed("act_1", {"X-App-Usage": '{"call_count":95}'}, now=NOW)
    with pytest.raises(ThrottledError, match="nearly used up"):
        budget.spend("act_1", 1, now=NOW + timedelta(seconds=59))
    budget.spend("act_1", 1, now=NOW + timedelta(seconds=61))
