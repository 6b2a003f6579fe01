"""States by hand-made histories: each claim carries its sum."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intel_ml.core.money import Money
from intel_ml.features.catalogue import Role, names
from intel_ml.features.history import KEYS
from intel_ml.features.signature import signature_expression
from intel_ml.features.state import state_expression
from tests.features.histories import NOW, TODAY, History, account, ask, expression, in_duckdb


def test_columns_are_those_of_the_catalogue() -> None:
    assert state_expression.__doc__
    assert set(expression("state").columns) == {*KEYS, *names(role=Role.STATE)}
    assert signature_expression.__doc__
    assert tuple(expression("signature").columns) == (*KEYS, *names(role=Role.SIGNATURE))


def test_the_last_three_days_are_the_window_of_plain_names() -> None:
    state = ask(History().entity().look(1, spend_minor=10_00).day(1).day(2).day(3))
    assert state["spend"] == 70.0  # 10 today + 30 + 30, and nothing of the third day before
    assert state["spend_today"] == 10.0
    assert state["spend_7d"] == 100.0


def test_a_closed_day_counts_in_its_latest_revision() -> None:
    day = TODAY - timedelta(days=1)
    history = History().entity().day(1, conversions=1.0, seen_at=NOW - timedelta(hours=9))
    history.day(1, conversions=4.0, seen_at=NOW - timedelta(hours=2))
    assert ask(history)["conversions"] == 4.0
    assert ask(history, as_of=NOW - timedelta(hours=5))["conversions"] == 1.0
    assert history.daily[0]["day"] == day


def test_a_day_without_a_closed_row_falls_back_on_its_last_snapshot() -> None:
    history = History().entity().look(14, spend_minor=5_00).look(20, spend_minor=3_00)
    state = ask(history)
    assert state["spend"] == 5.0
    assert state["spend_today"] is None


def test_no_row_is_unknown_and_a_missing_day_adds_nothing() -> None:
    assert ask(History().entity())["spend_7d"] is None
    assert ask(History().entity().day(6))["spend"] is None
    assert ask(History().entity().day(6))["spend_7d"] == 30.0


def test_an_unknown_day_makes_its_window_unknown() -> None:
    state = ask(History().entity().day(1, conversions=None).day(2))
    assert state["conversions"] is None
    assert state["cpa"] is None
    assert state["spend"] == 60.0


def test_nothing_is_divided_by_zero() -> None:
    nothing = {"impressions": 0, "reach": 0, "clicks": 0, "spend_minor": 0, "conversions": 0.0}
    state = ask(History().entity(daily_budget_minor=0).day(1, **nothing).look(1, **nothing))
    unknown = ("cpa", "cpc", "cpm", "roas", "ctr", "frequency", "cpa_ratio", "budget_utilization")
    assert [state[name] for name in unknown] == [None] * len(unknown)


def test_ratios_carry_their_sums() -> None:
    state = ask(History().entity().day(1).day(2, reach=800))
    assert state["cpa"] == pytest.approx(15.0)  # 60 / 4
    assert state["cpa_ratio"] == pytest.approx(0.75)  # 15 / 20
    assert state["roas"] == pytest.approx(3.0)  # 180 / 60
    assert state["ctr"] == pytest.approx(2.0)  # 40 of 2,000
    assert state["cpc"] == pytest.approx(1.5)
    assert state["cpm"] == pytest.approx(30.0)
    assert state["frequency"] == pytest.approx(2.5)  # 2,000 / 800


def test_trends_compare_three_days_with_those_before_in_percent() -> None:
    history = History().entity()
    for age in (1, 2):
        history.day(age, clicks=17)
    for age in (3, 4, 5, 6):
        history.day(age, clicks=20, conversions=1.0)
    state = ask(history)
    assert state["ctr_trend_7d"] == pytest.approx(-15.0)
    assert state["ctr_trend_3d"] == pytest.approx(-15.0)
    assert state["cpa_trend_7d"] == pytest.approx(-50.0)  # from 30 to 15
    assert state["roas_trend_7d"] == pytest.approx(0.0)


def test_money_is_in_major_units_of_the_currency() -> None:
    yen = account(currency="JPY", target_cpa=Money(2_000, "JPY"))
    state = ask(History(accounts=[yen]).entity(daily_budget_minor=5_000).day(1, spend_minor=3_000))
    assert (state["spend"], state["daily_budget"], state["target_cpa"]) == (3000.0, 5000.0, 2000.0)


def test_totals_without_dates_take_no_part() -> None:
    assert ask(History().entity().day(1, is_total=True))["spend"] is None


@pytest.mark.parametrize(
    ("stage", "phase"),
    [("LEARNING", "LEARNING"), ("SUCCESS", "ACTIVE"), ("FAIL", "LEARNING_LIMITED"), (None, None)],
)
def test_learning_phase_speaks_the_plan_s_words(stage: str | None, phase: str | None) -> None:
    history = History().entity("5", learning_stage=stage).entity("7", "ad", adset_id="5")
    answer = in_duckdb(history, [NOW])
    assert answer["5", NOW]["learning_phase"] == phase
    assert answer["7", NOW]["learning_phase"] == phase


class TestHoursSinceConversion:
    def test_counts_from_the_last_snapshot_that_rose(self) -> None:
        history = History().entity().look(9, conversions=1.0)
        history.look(5, conversions=3.0).look(1, conversions=3.0)
        assert ask(history)["hours_since_conversion"] == pytest.approx(5.0)

    def test_else_from_the_end_of_the_last_day_with_one(self) -> None:
        history = History().entity().look(1, conversions=0.0)
        history.day(1, conversions=0.0).day(2).day(3)
        assert ask(history)["hours_since_conversion"] == pytest.approx(24 + 12)

    def test_else_from_the_first_delivery_known(self) -> None:
        history = History().entity().day(1, conversions=0.0).day(2, conversions=0.0)
        assert ask(history)["hours_since_conversion"] == pytest.approx(2 * 24 + 12)

    def test_is_unknown_where_a_day_does_not_tell(self) -> None:
        history = History().entity().day(1, conversions=None).day(2, conversions=0.0)
        assert ask(history)["hours_since_conversion"] is None
        assert ask(History().entity())["hours_since_conversion"] is None


class TestBudget:
    def test_own_budget_governs(self) -> None:
        state = ask(History().entity(daily_budget_minor=40_00).look(1))
        assert state["daily_budget"] == 40.0
        assert state["budget_utilization"] == pytest.approx(0.75)
        assert state["budget_pacing"] == pytest.approx(1.5)  # half of the day has passed

    def test_campaign_budget_governs_where_there_is_no_own(self) -> None:
        history = History().entity("1", "campaign", daily_budget_minor=300_00)
        state = ask(history.entity("7", campaign_id="1").look(1))
        assert state["daily_budget"] is None
        assert state["budget_utilization"] == pytest.approx(0.1)

    def test_pace_is_unknown_in_the_first_hour(self) -> None:
        midnight = NOW - timedelta(hours=12)
        history = History().entity(daily_budget_minor=40_00, seen_at=NOW - timedelta(days=2))
        history.look(11.75)
        state = ask(history, as_of=midnight + timedelta(minutes=30))
        assert state["budget_utilization"] == pytest.approx(0.75)
        assert state["budget_pacing"] is None


def test_structure_seen_only_later_tells_nothing_of_before() -> None:
    history = History().entity(daily_budget_minor=40_00, last_significant_edit_at=NOW)
    state = ask(history, as_of=NOW - timedelta(hours=3))
    assert (state["effective_status"], state["daily_budget"]) == (None, None)
    assert state["days_since_edit"] is None


def test_ctr_stands_out_only_from_three_peers_of_its_level() -> None:
    history = History()
    for key, clicks in (("7", 10), ("8", 20)):
        history.entity(key).day(1, entity_id=key, clicks=clicks)
    history.entity("9", "ad").day(1, entity_id="9", kind="ad", clicks=90)
    assert ask(history)["ctr_zscore"] is None
    history.entity("10").day(1, entity_id="10", clicks=30)
    assert ask(history, key="8")["ctr_zscore"] == pytest.approx(0.0)
    assert ask(history)["ctr_zscore"] == pytest.approx(-(1.5**0.5))  # 10 of 10, 20, 30


def test_siblings_are_the_other_active_ones_of_the_campaign_and_level() -> None:
    history = History().entity(campaign_id="1").day(1, spend_minor=10_00, conversions=1.0)
    assert ask(history)["siblings_spend_7d"] is None
    for key, campaign, status in (
        ("8", "1", "ACTIVE"),
        ("9", "1", "ACTIVE"),
        ("10", "1", "PAUSED"),
        ("11", "2", "ACTIVE"),
        ("12", "1", "ACTIVE"),  # delivered nothing yet
    ):
        history.entity(key, campaign_id=campaign, effective_status=status)
        if key != "12":
            history.day(2, entity_id=key, spend_minor=20_00, conversions=3.0)
    history.entity("13", "ad", campaign_id="1").day(1, entity_id="13", kind="ad")
    state = ask(history)
    assert state["siblings_spend_7d"] == pytest.approx(40.0)  # 8 and 9, 20 each
    assert state["siblings_conversions_7d"] == pytest.approx(6.0)
    assert ask(history, key="10")["siblings_spend_7d"] == pytest.approx(50.0)  # 7, 8 and 9
    assert ask(history, key="11")["siblings_conversions_7d"] is None


def test_clock_is_the_account_s() -> None:
    tokyo = account(time_zone="Asia/Tokyo")
    state = ask(History(accounts=[tokyo]).entity())
    assert (state["hour_of_day"], state["day_of_week"]) == (21, "Sunday")
