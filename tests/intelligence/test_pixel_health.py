from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intel_ml.intelligence.pixel_health import PixelStatus, judge

EVENTS = {
    "PageView": 1000.0,
    "ViewContent": 600.0,
    "AddToCart": 100.0,
    "InitiateCheckout": 50.0,
    "Purchase": 20.0,
}


def test_the_plans_funnel() -> None:
    rates = judge(EVENTS, match_quality=8.0, hours_since_fired=0.2).funnel_rates
    assert (rates["pageview_to_atc"], rates["atc_to_purchase"]) == (0.1, 0.2)


def test_a_pixel_that_fires_and_matches_is_healthy() -> None:
    assert judge(EVENTS, match_quality=8.0, hours_since_fired=0.2).status is PixelStatus.HEALTHY


def test_silence_for_a_day_is_broken_and_for_a_morning_is_watched() -> None:
    assert judge(EVENTS, match_quality=8.0, hours_since_fired=30).status is PixelStatus.BROKEN
    assert judge(EVENTS, match_quality=8.0, hours_since_fired=7).status is PixelStatus.WATCH


def test_poor_match_quality_is_watched_with_its_number() -> None:
    found = judge(EVENTS, match_quality=4.2, hours_since_fired=1)
    assert (found.status, found.match_quality) == (PixelStatus.WATCH, "poor")
    assert found.issues[0].observed == 4.2


def test_more_purchases_than_checkouts_cannot_be() -> None:
    twice = EVENTS | {"Purchase": 80.0}
    assert judge(twice, match_quality=9, hours_since_fired=1).status is PixelStatus.BROKEN


def test_a_pixel_nobody_knows_is_not_healthy() -> None:
    assert judge({}, match_quality=None, hours_since_fired=None).status is PixelStatus.UNKNOWN


@given(st.dictionaries(st.sampled_from(list(EVENTS)), st.floats(0, 1e9)))
def test_a_step_nobody_reached_has_no_rate(events: dict[str, float]) -> None:
    rates = judge(events, match_quality=None, hours_since_fired=None).funnel_rates
    assert all(value >= 0 for value in rates.values())
