"""Insights: every parameter of the reference, and numbers that add up whatever is asked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.data.sandbox.graph.days import PRESETS, months_before

START = datetime(2026, 10, 20, tzinfo=UTC)
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
FIELDS = "impressions,clicks,spend,inline_link_clicks,actions,action_values"


def test_actions_are_nested_and_windows_divide_them(asker: Any) -> None:
    rows = asker.rows(
        "act_101/insights",
        level="adset",
        date_preset="last_7d",
        fields="actions,clicks",
        action_attribution_windows='["1d_click","7d_click","28d_click","1d_view","7d_view"]',
    )
    for row in rows:
        found = {one["action_type"]: one for one in row["actions"]}
        count = defaultdict(int, {name: int(one["value"]) for name, one in found.items()})
        assert (
            count["link_click"]
            <= count["post_engagement"]
            <= count["page_engagement"]
            <= int(row["clicks"])
        )
        assert count["landing_page_view"] <= count["link_click"]
        for one in found.values():
            parts = {name: int(one.get(name, 0)) for name in one if name != "action_type"}
            assert parts["value"] == parts.get("7d_click", 0) + parts.get("1d_view", 0)
            assert parts.get("1d_click", 0) <= parts.get("7d_click", 0)
            assert "7d_view" not in one, "dropped by Meta"


def test_action_breakdowns_divide_each_action(asker: Any) -> None:
    asked = {"date_preset": "last_7d", "fields": "actions"}
    (plain,) = asker.rows("act_101/insights", **asked)
    (divided,) = asker.rows(
        "act_101/insights", action_breakdowns="action_type,action_device", **asked
    )
    total: Counter[str] = Counter()
    for item in divided["actions"]:
        total[item["action_type"]] += int(item["value"])
    assert total == {one["action_type"]: int(one["value"]) for one in plain["actions"]}
    assert len({one["action_device"] for one in divided["actions"]}) > 1


def test_time_ranges_may_overlap_and_each_has_its_rows(asker: Any) -> None:
    ranges = [
        {"since": "2026-10-22", "until": "2026-10-22"},
        {"since": "2026-10-22", "until": "2026-10-24"},
    ]
    rows = asker.rows("act_101/insights", time_ranges=json.dumps(ranges), fields="spend")
    assert [(one["date_start"], one["date_stop"]) for one in rows] == [
        tuple(one.values()) for one in ranges
    ]
    for asked, row in zip(ranges, rows, strict=True):
        (alone,) = asker.rows("act_101/insights", time_range=json.dumps(asked), fields="spend")
        assert alone == row


@pytest.mark.parametrize("increment", ["1", "2", "3", "7", "90", "monthly", "all_days"])
def test_increments_cut_the_days_without_a_gap(asker: Any, increment: str) -> None:
    rows = asker.rows(
        "act_102/insights",
        time_range='{"since":"2026-10-21","until":"2026-10-29"}',
        time_increment=increment,
        fields="spend",
    )
    ends = [(one["date_start"], one["date_stop"]) for one in rows]
    assert (ends[0][0], ends[-1][1]) == ("2026-10-21", "2026-10-29")
    for (_, stop), (start, _) in pairwise(ends):
        assert (date.fromisoformat(start) - date.fromisoformat(stop)).days == 1


def test_rows_are_sorted_as_asked(asker: Any) -> None:
    asked = {"level": "adset", "date_preset": "last_7d", "fields": "spend,actions,adset_id"}
    down = asker.rows("act_101/insights", sort='["spend_descending"]', **asked)
    spent = [float(one["spend"]) for one in down]
    assert spent == sorted(spent, reverse=True)
    up = asker.rows("act_101/insights", sort="actions:link_click_ascending", **asked)
    links = [
        next((int(i["value"]) for i in one["actions"] if i["action_type"] == "link_click"), 0)
        for one in up
    ]
    assert links == sorted(links)


def test_a_summary_adds_up_what_the_rows_hold_but_counts_people_once(asker: Any) -> None:
    asked = {"level": "ad", "date_preset": "last_7d", "fields": FIELDS + ",reach", "limit": "3"}
    body = asker.get("act_101/insights", summary='["spend","reach","impressions"]', **asked).body
    assert len(body["data"]) == 3
    (whole,) = asker.rows("act_101/insights", date_preset="last_7d", fields=FIELDS + ",reach")
    assert body["summary"]["spend"] == whole["spend"]
    assert body["summary"]["impressions"] == whole["impressions"]
    assert int(body["summary"]["reach"]) == int(whole["reach"])
    default = asker.get("act_101/insights", default_summary="true", **asked).body["summary"]
    assert default["actions"] == whole["actions"]


@pytest.mark.parametrize(
    ("condition", "keeps"),
    [
        (("ad.impressions", "GREATER_THAN", 20000), lambda row: int(row["impressions"]) > 20000),
        (("spend", "IN_RANGE", [100, 300]), lambda row: 100 <= float(row["spend"]) <= 300),
        (("campaign.name", "CONTAIN", "a"), lambda row: "a" in row["campaign_name"].lower()),
        (("adset.name", "NOT_CONTAIN", "a"), lambda row: "a" not in row["adset_name"].lower()),
        (("ctr", "LESS_THAN", 1.5), lambda row: float(row["ctr"]) < 1.5),
    ],
)
def test_filters_choose_rows_by_objects_and_metrics(
    asker: Any, condition: tuple[str, str, object], keeps: Any
) -> None:
    fields = "ad_id,campaign_name,adset_name,impressions,spend,ctr"
    asked = {"level": "ad", "date_preset": "last_7d", "fields": fields}
    every = asker.rows("act_101/insights", **asked)
    named = dict(zip(("field", "operator", "value"), condition, strict=True))
    some = asker.rows("act_101/insights", filtering=json.dumps([named]), **asked)
    assert some == [one for one in every if keeps(one)]
    assert 0 < len(some) < len(every)


def test_a_filter_on_ads_narrows_the_sums_of_their_campaigns(asker: Any) -> None:
    population = asker.platform.world.population
    one = next(ad for ad in population.ads if ad.account == 0)
    named = [{"field": "ad.id", "operator": "IN", "value": [one.id]}]
    asked = {"date_preset": "last_7d", "fields": "impressions"}
    (own,) = asker.rows(f"{one.id}/insights", **asked)
    (campaign,) = asker.rows(
        "act_101/insights", level="campaign", filtering=json.dumps(named), **asked
    )
    assert campaign["impressions"] == own["impressions"]


def test_the_past_of_an_archived_ad_stays_in_its_parents_sums(asker: Any) -> None:
    population = asker.platform.world.population
    adset = population.adsets[0]
    asked = {"date_preset": "last_7d", "fields": "ad_id,impressions"}
    before = asker.rows(f"{adset.id}/insights", **asked)
    ads = asker.rows(f"{adset.id}/insights", level="ad", **asked)
    gone = str(ads[0]["ad_id"])
    asker.post(gone, status="ARCHIVED")
    assert asker.rows(f"{adset.id}/insights", **asked) == before
    left = asker.rows(f"{adset.id}/insights", level="ad", **asked)
    assert [one["ad_id"] for one in left] == [one["ad_id"] for one in ads[1:]]
    status = [{"field": "ad.effective_status", "operator": "IN", "value": ["ARCHIVED"]}]
    found = asker.rows(f"{adset.id}/insights", level="ad", filtering=json.dumps(status), **asked)
    assert found == ads[:1]


def test_ads_are_ranked_within_their_account(asker: Any) -> None:
    asked = {"date_preset": "last_7d", "fields": "ctr,impressions,quality_ranking"}
    rows = asker.rows("act_101/insights", level="ad", **asked)
    assert {"ABOVE_AVERAGE", "AVERAGE"} <= {one["quality_ranking"] for one in rows}
    assert all(
        (one["quality_ranking"] == "UNKNOWN") == (int(one["impressions"]) < 500) for one in rows
    )
    assert "quality_ranking" not in asker.rows("act_101/insights", level="adset", **asked)[0]


def test_reach_by_breakdown_of_long_ago_is_dropped_unless_a_report_asks(asker: Any) -> None:
    asked = {"date_preset": "maximum", "fields": "reach,frequency,spend"}
    assert "reach" in asker.rows("act_101/insights", **asked)[0]
    assert not {"reach", "frequency"} & set(
        asker.rows("act_101/insights", breakdowns="age", **asked)[0]
    )
    answer = asker.get("act_101/insights", breakdowns="age", **asked)
    assert json.loads(answer.headers["X-Fb-Ads-Insights-Reach-Throttle"])["acc_id_util_pct"] == 0
    for n in range(12):
        run = asker.post("act_101/insights", breakdowns="age", **asked).body["report_run_id"]
        for _ in range(6):
            asker.get(run)
        row = asker.get(f"{run}/insights").body["data"][0]
        assert ("reach" in row) == (n < 10)


@pytest.mark.parametrize(
    ("params", "code", "subcode", "text"),
    [
        ({"date_preset": "last_1d"}, 100, None, "must be one of the following values: today"),
        ({"time_increment": "91"}, 100, None, "time_increment"),
        ({"breakdowns": "agee"}, 100, None, "breakdowns[0] must be one of"),
        ({"breakdowns": "age,country"}, 2, 1504041, "invalid"),
        ({"breakdowns": f"{HOURLY},age"}, 2, 1504041, "invalid"),
        ({"breakdowns": HOURLY, "fields": "video_play_actions"}, 2, 1504041, "invalid"),
        ({"fields": "wish_bid"}, 100, None, "not valid for fields param"),
        ({"fields": "total_postbacks"}, 100, None, "not valid for fields param"),
        ({"summary": "ctr", "fields": "spend"}, 100, None, "Cannot include ctr in summary param"),
        ({"sort": "name_ascending"}, 100, None, "sort"),
        ({"action_attribution_windows": "2d_click"}, 100, None, "action_attribution_windows[0]"),
        ({"action_breakdowns": "action_typ"}, 100, None, "action_breakdowns[0]"),
        ({"action_report_time": "never"}, 100, None, "action_report_time"),
        ({"time_ranges": "[]"}, 100, None, "time_ranges"),
        ({"time_range": '{"since":"2023-01-01","until":"2023-02-01"}'}, 3018, None, "37 months"),
        ({"filtering": '[{"field":"ad.colour","operator":"EQUAL","value":"x"}]'}, 100, None, "ad."),
    ],
)
def test_what_meta_refuses_is_refused_with_its_words(
    asker: Any, params: dict[str, str], code: int, subcode: int | None, text: str
) -> None:
    for answer in (
        asker.get("act_101/insights", **params),
        asker.post("act_101/insights", **params),
    ):
        assert answer.status == 400
        error = answer.body["error"]
        assert (error["code"], error.get("error_subcode")) == (code, subcode)
        assert text in error["message"]


def test_parameters_meta_ignores_change_nothing(asker: Any) -> None:
    asked = {"date_preset": "last_3d", "fields": FIELDS}
    plain = asker.rows("act_101/insights", **asked)
    assert plain == asker.rows(
        "act_101/insights",
        use_unified_attribution_setting="true",
        use_account_attribution_setting="false",
        action_report_time="conversion",
        graph_cache="true",
        **asked,
    )


@given(today=st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_the_floor_is_thirty_seven_months_ago(today: date) -> None:
    first = PRESETS["maximum"](today).first
    assert first == months_before(today, 37)
    months = (today.year - first.year) * 12 + today.month - first.month
    assert months == 37
    assert first.day <= today.day
