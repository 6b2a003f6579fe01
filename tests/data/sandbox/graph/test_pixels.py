"""Pixels: sixteen ways to count the same events, diagnostics, and the quality of a dataset."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from facebook_business.adobjects.adspixelstatsresult import AdsPixelStatsResult

from intel_ml.data.sandbox.graph.pixels import AGGREGATIONS

PIXEL = "90101000000001"
DIVIDING = [
    "browser_type",
    "device_os",
    "device_type",
    "event_detection_method",
    "event_processing_results",
    "event_source",
    "host",
    "pixel_fire",
    "url",
    "url_by_rule",
]


def counts(asker: Any, **params: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for item in asker.rows(f"{PIXEL}/stats", **params):
        for one in item["data"]:
            total[str(one["value"])] += one["count"]
    return total


def test_there_are_the_sdk_s_sixteen_aggregations_and_each_has_something_to_say(
    asker: Any,
) -> None:
    known = {
        value for name, value in vars(AdsPixelStatsResult.Aggregation).items() if name[0] != "_"
    }
    assert set(AGGREGATIONS) == known
    for name in AGGREGATIONS:
        rows = asker.rows(f"{PIXEL}/stats", aggregation=name)
        assert rows
        assert {one["aggregation"] for one in rows} == {name}
        assert all(type(one["count"]) is int for row in rows for one in row["data"])


@pytest.mark.parametrize("aggregation", DIVIDING)
def test_what_divides_the_events_adds_up_to_all_of_them(asker: Any, aggregation: str) -> None:
    assert counts(asker, aggregation=aggregation).total() == counts(asker).total()


@pytest.mark.parametrize("aggregation", ["match_keys", "had_pii", "custom_data_field"])
def test_what_an_event_may_carry_is_never_more_than_the_events(
    asker: Any, aggregation: str
) -> None:
    assert max(counts(asker, aggregation=aggregation).values()) <= counts(asker).total()


def test_totals_are_one_row_and_the_sum_of_the_hours(asker: Any) -> None:
    rows = asker.rows(f"{PIXEL}/stats", aggregation="event_total_counts")
    assert len(rows) == 1
    assert counts(asker, aggregation="event_total_counts") == counts(asker)


def test_sources_and_events_narrow_the_counts(asker: Any) -> None:
    both = counts(asker)
    web, server = (counts(asker, event_source=one) for one in ("WEB_ONLY", "SERVER_ONLY"))
    assert web + server == both
    assert min(web.total(), server.total()) > 0
    assert counts(asker, event="Purchase") == Counter({"Purchase": both["Purchase"]})


def test_nothing_older_than_seven_days_is_kept(asker: Any) -> None:
    now = asker.platform.world.now
    long_ago = str(int((now - timedelta(days=30)).timestamp()))
    rows = asker.rows(f"{PIXEL}/stats", start_time=long_ago)
    assert len(rows) <= 168
    week = str(int((now - timedelta(days=7)).timestamp()))
    assert asker.get(f"{PIXEL}/stats", start_time=long_ago, end_time=week).body == {"data": []}


def test_pages_of_hours_cover_all_of_them(asker: Any) -> None:
    every, seen, after = asker.rows(f"{PIXEL}/stats"), [], ""
    while True:
        params = {"limit": "50"} | ({"after": after} if after else {})
        body = asker.get(f"{PIXEL}/stats", **params).body
        seen += body["data"]
        after = body["paging"]["cursors"]["after"]
        if "next" not in body["paging"]:
            break
    assert seen == every


def test_checks_fail_when_the_pixel_falls_silent(asker: Any) -> None:
    def results() -> dict[str, str]:
        rows = asker.rows(f"{PIXEL}/da_checks", fields="key,result")
        return {str(one["key"]): str(one["result"]) for one in rows}

    assert results()["pixel_fired_recently"] == "passed"
    events = asker.platform.world.pixel_events
    for hour in range(len(events) - 30, len(events)):
        events[hour] = events[hour] * 0
    assert results()["pixel_fired_recently"] == "failed"
    assert len(asker.rows(f"{PIXEL}/da_checks", checks="match_quality_good")) == 1


def test_a_dataset_shows_the_parts_asked_for_and_refuses_the_misspelt(asker: Any) -> None:
    def web(fields: str) -> Any:
        return asker.get("dataset_quality", dataset_id=PIXEL, fields=fields).body

    one = web("web{event_name,event_match_quality{composite_score},acr{percentage}}")["web"][0]
    assert set(one) == {"event_name", "event_match_quality", "acr"}
    assert set(one["event_match_quality"]) == {"composite_score"}
    for wrong in ("web{dedup_key_feedback}", "web{acr{colour}}", "data{acr}"):
        assert web(wrong)["error"]["code"] == 100
    assert asker.get(f"{PIXEL}/dataset_quality").body["error"]["code"] == 2500
