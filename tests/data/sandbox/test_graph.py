"""The Graph API's answers: Meta's shapes and refusals, and numbers that agree."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.graph.days import PRESETS
from intel_ml.data.sandbox.graph.json_text import dumps

START = datetime(2026, 10, 20, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
METRICS = "impressions,clicks,spend,actions,action_values"


def purchases(row: dict[str, Any]) -> int:
    found = {one["action_type"]: one["value"] for one in row.get("actions", [])}
    return int(found.get("omni_purchase", 0))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_the_same_seed_gives_byte_identical_answers(ask_of: Any, seed: int) -> None:
    texts = []
    for _ in range(2):
        world = World.load("demo", start=START, seed=seed)
        world.advance(30)
        ask = ask_of(world)
        answers = [
            ask.get("act_101/insights", level="ad", date_preset="today", fields=METRICS),
            ask.get("act_102/adsets", fields="id,name,daily_budget,learning_stage_info"),
            ask.get("nonsense"),
        ]
        texts.append([dumps([one.status, one.body, dict(one.headers)]) for one in answers])
    assert texts[0] == texts[1]


@pytest.mark.parametrize("account", ["act_101", "act_102", "act_103"])
def test_a_day_is_the_sum_of_its_hours(asker: Any, account: str) -> None:
    days = asker.rows(
        f"{account}/insights",
        level="ad",
        time_increment="1",
        date_preset="last_3d",
        fields=f"ad_id,{METRICS}",
    )
    assert days
    hours: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for day in {str(one["date_start"]) for one in days}:
        for row in asker.rows(
            f"{account}/insights",
            level="ad",
            breakdowns=HOURLY,
            time_range=json.dumps({"since": day, "until": day}),
            fields=f"ad_id,reach,{METRICS}",
        ):
            total = hours[str(row["ad_id"]), day]
            total["impressions"] += int(str(row["impressions"]))
            total["spend"] += float(str(row["spend"]))
            total["purchases"] += purchases(row)
            assert row["reach"] == "0"
            assert (HOURLY in row) == (row["impressions"] != "0")
    for row in days:
        total = hours[str(row["ad_id"]), str(row["date_start"])]
        assert total["impressions"] == int(str(row["impressions"]))
        assert total["spend"] == pytest.approx(float(str(row["spend"])))
        assert total["purchases"] == purchases(row)


@pytest.mark.parametrize("level", ["campaign", "adset", "ad"])
def test_levels_agree_but_reach_is_not_added_up(asker: Any, level: str) -> None:
    fields = f"reach,{METRICS}"
    (account,) = asker.rows("act_101/insights", date_preset="last_7d", fields=fields)
    rows = asker.rows("act_101/insights", level=level, date_preset="last_7d", fields=fields)
    assert sum(int(str(one["impressions"])) for one in rows) == int(str(account["impressions"]))
    assert sum(float(str(one["spend"])) for one in rows) == pytest.approx(
        float(str(account["spend"]))
    )
    assert sum(purchases(one) for one in rows) == purchases(account)
    assert sum(int(str(one["reach"])) for one in rows) > int(str(account["reach"]))


def test_the_same_purchase_appears_under_several_names_with_one_number(asker: Any) -> None:
    rows = asker.rows(
        "act_103/insights", level="adset", date_preset="last_7d", fields="spend,actions"
    )
    row = max(rows, key=purchases)
    found = {one["action_type"]: one["value"] for one in row["actions"]}  # type: ignore[attr-defined]
    names = [
        "purchase",
        "omni_purchase",
        "offsite_conversion.fb_pixel_purchase",
        "onsite_web_purchase",
    ]
    assert len({found[name] for name in names}) == 1
    assert str(row["spend"]).isdigit(), "yen have no minor units"


def test_money_is_minor_in_budgets_and_major_in_insights(asker: Any) -> None:
    (row,) = asker.rows("act_101/insights", date_preset="yesterday", fields="spend")
    assert "." in str(row["spend"])
    adset = asker.rows("act_101/adsets", fields="daily_budget")[0]
    assert str(adset["daily_budget"]).isdigit()
    pooled = asker.rows("act_101/adsets", fields="daily_budget,campaign_id")
    assert any("daily_budget" not in one for one in pooled), (
        "a campaign budget leaves its ad sets without one"
    )


@given(moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_presets_hold_today_only_where_their_name_says_so(moment: datetime) -> None:
    today = moment.astimezone(ZoneInfo("America/New_York")).date()
    for name, make in PRESETS.items():
        window = make(today)
        holds = name.startswith(("today", "this_")) or name.endswith("maximum")
        assert (today in list(window)[-1:]) == holds, name
    assert len(PRESETS["last_28d"](today)) == 28
    assert len(PRESETS) == 20


def test_time_range_is_inclusive_at_both_ends(asker: Any) -> None:
    asked = json.dumps({"since": "2026-10-22", "until": "2026-10-23"})
    rows = asker.rows("act_102/insights", time_range=asked, time_increment="1", fields="spend")
    assert [one["date_start"] for one in rows] == ["2026-10-22", "2026-10-23"]
    (both,) = asker.rows("act_102/insights", time_range=asked, fields="spend")
    assert (both["date_start"], both["date_stop"]) == ("2026-10-22", "2026-10-23")


@pytest.mark.parametrize("zone_account", ["act_101", "act_102"])
def test_the_day_the_clocks_change_has_all_its_hours(ask_of: Any, zone_account: str) -> None:
    world = World.load("demo", start=datetime(2026, 10, 23, tzinfo=UTC))
    world.advance(24 * 11)
    ask = ask_of(world)
    rows = ask.rows(
        f"{zone_account}/insights", date_preset="maximum", time_increment="1", fields="spend"
    )
    (total,) = ask.rows(f"{zone_account}/insights", date_preset="maximum", fields="spend")
    assert sum(float(str(one["spend"])) for one in rows) == pytest.approx(
        float(str(total["spend"]))
    )
    assert len(rows) == len({one["date_start"] for one in rows}) == 12


@pytest.mark.parametrize(
    ("path", "params", "code", "subcode"),
    [
        ("act_101/insights", {"date_preset": "last_1d"}, 100, None),
        ("act_101/insights", {"date_preset": "TODAY"}, 100, None),
        ("act_101/insights", {"time_increment": "0"}, 100, None),
        ("act_101/insights", {"fields": "spent"}, 100, None),
        ("act_101/insights", {"level": "creative"}, 100, None),
        ("act_101/insights", {"time_range": "yesterday"}, 100, None),
        ("act_101/insights", {"nonsense": "1"}, 100, None),
        ("act_101/adsets", {"fields": "learning_phase_info"}, 100, None),
        ("act_101/adsets", {"filtering": "{}"}, 100, None),
        ("act_101/campaigns", {"updated_since": "1"}, 100, None),
        ("act_101/adsets", {"limit": "-1"}, 100, None),
        ("act_101/adsets", {"after": "@@@"}, 100, None),
        ("act_999", {}, 100, 33),
        ("120299999", {}, 100, 33),
        ("nobody", {}, 803, None),
        ("act_101/adstudies", {}, 2500, None),
        ("90101000000001/dataset_quality", {}, 2500, None),
    ],
)
def test_what_meta_refuses_is_refused(
    asker: Any, path: str, params: dict[str, str], code: int, subcode: int | None
) -> None:
    answer = asker.get(path, **params)
    assert answer.status == 400
    assert answer.body["error"]["code"] == code
    assert answer.body["error"].get("error_subcode") == subcode
    assert answer.body["error"]["fbtrace_id"]


def test_tokens_are_asked_for_and_the_read_token_cannot_write(asker: Any) -> None:
    adset = asker.platform.world.population.adsets[0].id
    assert asker.get("me", access_token="").body["error"]["code"] == 104
    assert asker.get("me", access_token=WRITE[1:]).body["error"]["code"] == 190
    assert asker.post(adset, token=READ, status="PAUSED").body["error"]["code"] == 200
    assert asker.get(adset, fields="status").body["status"] == "ACTIVE"
    assert asker.post(adset, status="PAUSED").body == {"success": True}
    assert asker.get(adset, fields="status").body["status"] == "PAUSED"
    assert [one.is_applied for one in asker.platform.writes] == [False, True]
    assert READ not in str(asker.platform.writes)
    assert WRITE not in str(asker.platform.writes)


def test_validation_alone_changes_nothing_and_still_refuses(asker: Any) -> None:
    adset = asker.platform.world.population.adsets[0]
    dry = json.dumps(["validate_only"])
    assert asker.post(adset.id, daily_budget="12345", execution_options=dry).body == {
        "success": True
    }
    assert adset.daily_budget_minor != 12345
    assert (
        asker.post(adset.id, daily_budget="1", execution_options=dry).body["error"]["error_subcode"]
        == 1885272
    )


@pytest.mark.parametrize("value", ["-5", "1e4", "12.5", "", "NaN", "\u0661\u0662"])
def test_a_budget_is_a_whole_number(asker: Any, value: str) -> None:
    adset = asker.platform.world.population.adsets[0].id
    assert asker.post(adset, daily_budget=value).body["error"]["code"] == 100


def test_the_fifth_budget_change_in_an_hour_is_throttled(asker: Any) -> None:
    adset = asker.platform.world.population.adsets[0].id
    answers = [asker.post(adset, daily_budget=str(15000 + n)) for n in range(5)]
    assert [one.status for one in answers] == [200] * 4 + [400]
    assert answers[-1].body["error"]["code"] == 613
    assert answers[-1].body["error"]["error_subcode"] == 1487632


def test_a_batch_answers_in_order_and_refuses_sibling_ad_sets(asker: Any) -> None:
    first, sibling = asker.platform.world.population.adsets[:2]
    items = [
        {"method": "GET", "relative_url": "me?fields=id"},
        {"method": "POST", "relative_url": first.id, "body": "status=PAUSED"},
        {"method": "POST", "relative_url": sibling.id, "body": "status=PAUSED"},
        {"method": "GET", "relative_url": "v26.0/act_101?fields=currency"},
    ]
    answer = asker.post("", token=WRITE, batch=json.dumps(items))
    assert [one["code"] for one in answer.body] == [200, 400, 400, 200]
    assert json.loads(answer.body[3]["body"])["currency"] == "USD"
    assert first.status == "ACTIVE"
    assert asker.post("", batch=json.dumps(items[:1] * 51)).body["error"]["code"] == 100
    names = {one["name"] for one in answer.body[3]["headers"]}
    assert {"X-App-Usage", "X-Business-Use-Case-Usage", "X-Ad-Account-Usage"} <= names


def test_pages_cover_everything_once_and_next_carries_the_token(asker: Any) -> None:
    everything = [one["id"] for one in asker.rows("act_102/ads", fields="id")]
    seen, after = [], ""
    while True:
        params = {"limit": "7", "fields": "id"} | ({"after": after} if after else {})
        body = asker.get("act_102/ads", **params).body
        seen += [one["id"] for one in body["data"]]
        after = body["paging"]["cursors"]["after"]
        if "next" not in body["paging"]:
            break
        assert f"access_token={READ}" in body["paging"]["next"]
    assert seen == everything


def test_archived_things_are_listed_only_when_asked_for(asker: Any) -> None:
    plain = asker.rows("act_101/adsets", fields="effective_status")
    assert "ARCHIVED" not in {one["effective_status"] for one in plain}
    asked = asker.rows("act_101/adsets", fields="name", effective_status='["ARCHIVED"]')
    assert len(asked) == 1
    filters = [{"field": "adset.effective_status", "operator": "IN", "value": ["ARCHIVED"]}]
    assert asker.rows("act_101/adsets", fields="name", filtering=json.dumps(filters)) == asked


def test_the_log_of_changes_names_who_and_what(asker: Any) -> None:
    adset = asker.platform.world.population.adsets[0]
    before = adset.daily_budget_minor
    asker.post(adset.id, daily_budget="16100")
    row = asker.rows(
        "act_101/activities", fields="event_type,object_id,actor_name,extra_data", category="BUDGET"
    )[0]
    assert row["event_type"] == "update_ad_set_budget"
    assert row["object_id"] == adset.id
    assert json.loads(str(row["extra_data"])) == {"old_value": str(before), "new_value": "16100"}


def test_a_copy_says_what_it_made(asker: Any) -> None:
    world = asker.platform.world
    row = next(
        n
        for n in range(len(world.population.adsets))
        if (world.population.ad_traits.adset == n).sum() <= 3
    )
    source = world.population.adsets[row]
    body = asker.post(f"{source.id}/copies", deep_copy="true").body
    copy = asker.get(body["copied_adset_id"], fields="name,status,source_adset_id").body
    assert copy["name"] == f"{source.name} - Copy"
    assert copy["status"] == "PAUSED"
    assert copy["source_adset_id"] == source.id
    assert {one["ad_object_type"] for one in body["ad_object_ids"]} == {"ad_set", "ad"}


def test_pixel_events_go_back_seven_days_by_hour(asker: Any) -> None:
    (pixel,) = asker.rows("act_101/adspixels", fields="id,name,last_fired_time")
    body = asker.get(f"{pixel['id']}/stats", aggregation="event").body
    assert len(body["data"]) <= 168
    assert {"value", "count"} == set(body["data"][0]["data"][0])
    quality = asker.get(
        "dataset_quality",
        dataset_id=str(pixel["id"]),
        fields="web{event_name,event_match_quality{composite_score}}",
    ).body
    purchase = next(one for one in quality["web"] if one["event_name"] == "Purchase")
    assert 0 <= purchase["event_match_quality"]["composite_score"] <= 10


def test_today_is_the_account_s_own(asker: Any) -> None:
    world = asker.platform.world
    world.advance(18)
    days = {
        account: asker.rows(f"{account}/insights", date_preset="today", fields="spend")[0][
            "date_start"
        ]
        for account in ("act_101", "act_103")
    }
    assert days == {"act_101": "2026-10-30", "act_103": "2026-10-31"}
