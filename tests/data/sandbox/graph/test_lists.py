"""List edges: what they show, in which pages; copies, the change log, and edges that are empty."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox import World


@settings(max_examples=25, deadline=None)
@given(
    limit=st.integers(1, 60),
    edge=st.sampled_from(["campaigns", "adsets", "ads", "insights", "activities"]),
)
def test_pages_forward_and_backward_meet_the_same_rows(
    ask_of: Any, played_demo: World, limit: int, edge: str
) -> None:
    ask = ask_of(played_demo)
    asked = {"fields": "id"} if edge in ("campaigns", "adsets", "ads") else {}
    if edge == "insights":
        asked = {"fields": "ad_id,spend", "level": "ad", "date_preset": "last_3d"}
    everything = ask.rows(f"act_101/{edge}", **asked)
    pages, params = [], {"limit": str(limit), **asked}
    body = ask.get(f"act_101/{edge}", **params).body
    pages.append(body["data"])
    while "next" in body.get("paging", {}):
        after = body["paging"]["cursors"]["after"]
        body = ask.get(f"act_101/{edge}", after=after, **params).body
        pages.append(body["data"])
    assert [row for one in pages for row in one] == everything
    back = [body["data"]]
    while "previous" in body.get("paging", {}):
        before = body["paging"]["cursors"]["before"]
        body = ask.get(f"act_101/{edge}", before=before, **params).body
        back.append(body["data"])
    assert [row for one in reversed(back) for row in one] == everything


def test_a_summary_counts_everything_that_the_pages_hold(asker: Any) -> None:
    for edge in ("campaigns", "adsets", "ads"):
        body = asker.get(f"act_101/{edge}", summary="total_count", limit="1").body
        assert body["summary"]["total_count"] == len(asker.rows(f"act_101/{edge}"))
        assert len(body["data"]) == 1
    assert asker.get("me/adaccounts", summary="true").body["summary"] == {"total_count": 3}
    assert asker.get("act_101/ads", summary="spend").body["error"]["code"] == 100


def test_what_is_archived_or_deleted_shows_only_when_asked_for(asker: Any) -> None:
    first, second, third = [one["id"] for one in asker.rows("act_102/adsets")[:3]]
    asker.post(str(first), status="ARCHIVED")
    asker.post(str(second), status="DELETED")
    asker.post(str(third), status="PAUSED")
    shown = {one["id"] for one in asker.rows("act_102/adsets")}
    assert not {first, second} & shown
    assert third in shown
    asked = asker.rows("act_102/adsets", effective_status='["ARCHIVED","DELETED"]')
    assert {first, second} <= {one["id"] for one in asked}
    named = [{"field": "effective_status", "operator": "IN", "value": ["DELETED"]}]
    assert asker.rows("act_102/adsets", filtering=json.dumps(named)) == [{"id": second}]


def test_filters_read_parents_and_refuse_what_they_do_not_know(asker: Any) -> None:
    campaign = asker.rows("act_101/campaigns", fields="id,name")[0]
    named = [{"field": "campaign.name", "operator": "EQUAL", "value": campaign["name"]}]
    for edge in ("adsets", "ads"):
        found = asker.rows(f"act_101/{edge}", fields="campaign_id", filtering=json.dumps(named))
        assert {one["campaign_id"] for one in found} == {campaign["id"]}
    for field in ("ad.name", "colour", "adset.colour", 7):
        wrong = json.dumps([{"field": field, "operator": "EQUAL", "value": "x"}])
        assert asker.get("act_101/adsets", filtering=wrong).body["error"]["code"] == 100


def test_updated_since_is_for_ad_sets_and_ads_only(asker: Any) -> None:
    world = asker.platform.world
    adset = world.population.adsets[0]
    now = str(int(world.now.timestamp()))
    asker.post(adset.id, name="fresh")
    assert asker.rows("act_101/adsets", updated_since=now) == [{"id": adset.id}]
    assert asker.rows("act_101/ads", updated_since=now) == []
    refused = asker.get("act_101/campaigns", updated_since=now).body["error"]
    assert refused["message"] == "(#100) Unknown parameter: updated_since"


def test_copies_are_listed_for_whoever_lost_the_answer(asker: Any) -> None:
    world = asker.platform.world
    source = world.population.adsets[0].id
    assert asker.get(f"{source}/copies").body == {"data": []}
    made = asker.post(f"{source}/copies").body["copied_adset_id"]
    again = asker.post(f"{source}/copies", status_option="ACTIVE").body["copied_adset_id"]
    listed = asker.rows(f"{source}/copies", fields="id,source_adset_id")
    assert listed == [{"id": one, "source_adset_id": source} for one in (made, again)]
    paused = asker.rows(f"{source}/copies", effective_status='["PAUSED"]')
    assert paused == [{"id": made}]


def test_the_change_log_is_read_by_category_and_time_and_names_colleagues(ask_of: Any) -> None:
    world = World.load("demo", start=datetime(2026, 10, 20, tzinfo=UTC))
    world.advance(24 * 12)
    ask = ask_of(world)
    adset = next(one for one in world.population.adsets if one.account == 0)
    ad = next(one for one in world.population.ads if one.account == 0)
    before = world.now
    ask.post(adset.id, name="renamed")
    ask.post(ad.id, status="PAUSED")
    fields = "actor_name,application_id,application_name,event_type,object_id,event_time"

    def log(**params: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = ask.rows("act_101/activities", fields=fields, **params)
        return rows

    outside = [one for one in log(category="BUDGET") if "application_id" not in one]
    assert outside, "a colleague edited a budget in twelve days"
    assert {one["application_name"] for one in outside} == {"Ads Manager"}
    assert {one["object_id"] for one in log(category="STATUS")} == {ad.id}
    assert {one["object_id"] for one in log(category="AD")} == {ad.id}
    ours = log(since=str(int(before.timestamp())))
    assert {one["object_id"] for one in ours} == {adset.id, ad.id}
    assert len(log(until=str(int(before.timestamp()) - 1))) + len(ours) == len(log())
    moments = [datetime.strptime(str(one["event_time"]), "%Y-%m-%dT%H:%M:%S%z") for one in log()]
    assert moments == sorted(moments, reverse=True)
    own = ask.rows(f"{adset.id}/activities", fields="object_id")
    assert {one["object_id"] for one in own} == {adset.id}
    assert ask.get("act_101/activities", category="COLOUR").body["error"]["code"] == 100


@pytest.mark.parametrize(
    "path", ["act_101/recommendations", "act_101/adrules_library", "act_101/adrules_history"]
)
def test_edges_of_what_the_sandbox_lacks_are_empty_lists(asker: Any, path: str) -> None:
    assert asker.get(path).body == {"data": []}
    assert asker.get(path, fields="nonsense").body["error"]["code"] == 100


def test_minimum_budgets_grow_with_the_bid(asker: Any) -> None:
    (row,) = asker.rows("act_103/minimum_budgets")
    assert row["currency"] == "JPY"
    (bid,) = asker.rows("act_103/minimum_budgets", bid_amount="999999")
    assert bid["min_daily_budget_imp"] == 999999 > row["min_daily_budget_imp"]
    (named,) = asker.rows("act_103/minimum_budgets", fields="min_daily_budget_low_freq")
    assert set(named) == {"min_daily_budget_low_freq"}


def test_pixels_are_sorted_only_as_meta_can(asker: Any) -> None:
    for order in ("LAST_FIRED_TIME", "NAME"):
        assert len(asker.rows("act_101/adspixels", sort_by=order)) == 1
    assert asker.get("act_101/adspixels", sort_by="AGE").body["error"]["code"] == 100
