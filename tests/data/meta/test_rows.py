"""Meta's rows to facts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import AdAccountId, EntityType
from intel_ml.core.recommendations import Mode
from intel_ml.data.meta.rows import PURCHASES, amount, count, delivered, described, moment, storable
from tests.data.graph_server import insights_row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = DayWindow(date(2026, 11, 1), date(2026, 11, 21))


def account(currency: str = "USD") -> Account:
    return Account(
        AdAccountId("act_1"), "One", currency, "UTC", None, None, Mode.SHADOW, "api", NOW
    )


def parse(*rows, currency="USD"):
    return delivered(rows, account=account(currency), level=EntityType.AD, days=DAYS)


def row(**changed):
    return insights_row("ad", "7", "2026-11-20", **changed)


def adset(**changed):
    given = {
        "id": "1",
        "name": "a",
        "campaign_id": "2",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "daily_budget": "5000",
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


def test_strings_become_numbers_and_major_units_minor_ones():
    (fact,) = parse(row()).facts
    assert (fact.impressions, fact.reach, fact.clicks, fact.link_clicks) == (1850, 1500, 90, 60)
    assert (fact.spend_minor, fact.conversions, fact.conversion_value_minor) == (1435, 3.0, 12050)


def test_a_whole_currency_has_no_hundredths():
    (fact,) = parse(row(spend="5000", action_values=[]), currency="JPY").facts
    assert fact.spend_minor == 5000


@pytest.mark.parametrize(
    "name", ["impressions", "reach", "clicks", "inline_link_clicks", "spend", "actions"]
)
@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-5", "1e309", "x", "", float("nan"), float("inf"), True, {}, -1]
)
def test_a_value_that_cannot_be_is_refused_with_its_name(name, value):
    bad = [{"action_type": "purchase", "value": value}] if name == "actions" else value
    found = parse(row(), row(**{name: bad}))
    assert len(found.facts) == 1
    (refused,) = found.refused
    assert name in refused.reason
    json.dumps(refused.row, allow_nan=False)


def test_json_null_is_not_zero():
    for name in ("impressions", "spend", "actions", "action_values"):
        found = parse({**row(), name: None})
        assert not found.facts
        assert name in found.refused[0].reason


def test_an_omitted_metric_of_a_row_is_zero():
    (fact,) = parse(
        row(
            impressions=None,
            reach=None,
            clicks=None,
            inline_link_clicks=None,
            actions=None,
            action_values=None,
        )
    ).facts
    assert (fact.impressions, fact.reach, fact.clicks, fact.link_clicks) == (0, 0, 0, 0)
    assert (fact.conversions, fact.conversion_value_minor) == (0, 0)


def test_purchases_without_a_value_are_of_unknown_value():
    (fact,) = parse(row(action_values=None)).facts
    assert (fact.conversions, fact.conversion_value_minor) == (3, None)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PURCHASES), unique=True, min_size=1), st.integers(0, 10**6))
def test_one_purchase_under_many_names_is_counted_once(names, purchases):
    actions = [{"action_type": name, "value": str(purchases)} for name in names]
    (fact,) = parse(row(actions=actions, action_values=[])).facts
    assert fact.conversions == purchases


def test_the_first_name_of_the_list_wins():
    actions = [
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "2"},
        {"action_type": "omni_purchase", "value": "5"},
    ]
    (fact,) = parse(row(actions=actions)).facts
    assert fact.conversions == 5


@pytest.mark.parametrize(
    "bad",
    [
        "text",
        None,
        7,
        [],
        row(ad_id=None),
        row(ad_id="../../etc"),
        row(ad_id={"a": 1}),
        row(date_start="yesterday"),
        row(date_start=None),
        row(date_stop="2026-11-21"),  # two days in one row
        insights_row("ad", "7", "2026-10-01"),  # not asked for
        row(actions=[{"value": "3"}]),
        row(actions=["x"]),
        row(spend="9" * 40),
    ],
)
def test_a_row_that_is_none_is_refused_and_the_others_kept(bad):
    found = parse(row(), bad, row())
    assert (len(found.facts), len(found.refused)) == (2, 1)
    json.dumps(found.refused[0].row, allow_nan=False)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5) | st.sampled_from(["ad_id", "spend", "actions", "date_start"]),
        st.none() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_no_row_at_all_raises(garbage):
    found = parse(garbage)
    assert len(found.facts) + len(found.refused) == 1


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_every_whole_number_round_trips(number):
    assert count(str(number), "n") == number


@settings(deadline=None)
@given(st.floats(0, 10**12, allow_nan=False))
def test_every_finite_amount_is_read(number):
    assert amount(str(number), "n") == number


def test_the_structure_is_read_with_the_platforms_own_words():
    learning = {"status": "FAIL", "conversions": 12, "last_sig_edit_ts": 1734947501}
    (fact,) = described(
        [adset(learning_stage_info=learning)], account=account(), level=EntityType.ADSET
    ).facts
    assert (fact.learning_stage, fact.learning_conversions) == ("FAIL", 12)
    assert fact.last_significant_edit_at == datetime(2024, 12, 23, 9, 51, 41, tzinfo=UTC)
    assert (fact.daily_budget_minor, fact.campaign_id, fact.adset_id) == (5000, "2", None)


def test_an_absent_learning_stage_is_unknown():
    (fact,) = described([adset()], account=account(), level=EntityType.ADSET).facts
    assert fact.learning_stage is None


@pytest.mark.parametrize("budget", [None, "0"])
def test_no_budget_is_none(budget):
    (fact,) = described(
        [adset(daily_budget=budget)], account=account(), level=EntityType.ADSET
    ).facts
    assert fact.daily_budget_minor is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("effective_status", "SLEEPING"),
        ("effective_status", "ADSET_PAUSED"),  # a word of ads, not of ad sets
        ("effective_status", None),
        ("status", "active"),
        ("daily_budget", "-1"),
        ("daily_budget", "50.5"),
        ("learning_stage_info", {"status": "CURIOUS"}),
        ("learning_stage_info", "LEARNING"),
        ("bid_strategy", "x" * 65),
        ("created_time", "long ago"),
        ("campaign_id", None),
    ],
)
def test_an_entity_that_cannot_be_is_refused(name, value):
    found = described([adset(**{name: value}), adset()], account=account(), level=EntityType.ADSET)
    assert (len(found.facts), len(found.refused)) == (1, 1)
    assert name in found.refused[0].reason


def test_a_moment_keeps_its_instant():
    assert moment("2026-10-01T00:00:00-0300", "t") == datetime(2026, 10, 1, 3, tzinfo=UTC)
    assert moment(None, "t") is None
    with pytest.raises(InvalidValueError):
        moment("1e400", "t")


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_what_is_kept_can_be_stored(value):
    text = json.dumps(storable(value), allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")


def test_a_half_character_in_a_name_can_be_stored():
    (fact,) = described(
        [adset(name="a\ud800b\x00c")], account=account(), level=EntityType.ADSET
    ).facts
    assert fact.name == "a?bc"
