"""Numbers that add up whatever is asked: over levels, days, hours and the parts of breakdowns."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.graph.json_text import dumps

START = datetime(2026, 10, 20, tzinfo=UTC)
HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
AUDIENCE = "hourly_stats_aggregated_by_audience_time_zone"
FIELDS = "impressions,clicks,spend,inline_link_clicks,actions,action_values"
LEVELS = ["account", "campaign", "adset", "ad"]
ACCOUNTS = st.sampled_from(["act_101", "act_102", "act_103"])
PARTS = [
    "age",
    "gender",
    "age,gender",
    "country",
    "publisher_platform",
    "publisher_platform,platform_position,impression_device",
    "device_platform",
    HOURLY,
    AUDIENCE,
]
DAYS = st.tuples(st.integers(20, 29), st.integers(0, 9)).map(
    lambda pair: json.dumps(
        {
            "since": f"2026-10-{pair[0]:02d}",
            "until": f"2026-10-{min(pair[0] + pair[1], 30):02d}",
        }
    )
)


def total_of(rows: list[dict[str, Any]]) -> Counter[str]:
    """Everything additive in some rows; money in hundredths."""
    total: Counter[str] = Counter()
    for row in rows:
        for name in ("impressions", "clicks", "inline_link_clicks"):
            total[name] += int(row.get(name, 0))
        total["spend"] += round(float(row["spend"]) * 100)
        for name in ("actions", "action_values"):
            for item in row.get(name, ()):
                total[f"{name}:{item['action_type']}"] += round(float(item["value"]) * 100)
    return +total


@settings(max_examples=25, deadline=None)
@given(account=ACCOUNTS, days=DAYS, cut=st.tuples(st.sampled_from(LEVELS), st.sampled_from(PARTS)))
def test_levels_days_and_parts_add_up_to_the_same_whole(
    ask_of: Any, played_demo: World, account: str, days: str, cut: tuple[str, str]
) -> None:
    ask, (level, parts) = ask_of(played_demo), cut
    whole = total_of(ask.rows(f"{account}/insights", time_range=days, fields=FIELDS))
    by_level = ask.rows(f"{account}/insights", time_range=days, level=level, fields=FIELDS)
    assert total_of(by_level) == whole
    by_day = ask.rows(
        f"{account}/insights", time_range=days, level=level, fields=FIELDS, time_increment="1"
    )
    assert total_of(by_day) == whole
    by_part = ask.rows(
        f"{account}/insights", time_range=days, level=level, fields=FIELDS, breakdowns=parts
    )
    assert total_of(by_part) == whole
    both = ask.rows(
        f"{account}/insights",
        time_range=days,
        level=level,
        fields=FIELDS,
        breakdowns=parts,
        time_increment="2",
    )
    assert total_of(both) == whole


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**40), hours=st.integers(20, 70))
def test_the_same_seed_gives_byte_identical_rows_on_every_route(
    ask_of: Any, seed: int, hours: int
) -> None:
    routes = [
        ("act_101/insights", {"level": "ad", "breakdowns": "age", "fields": FIELDS}),
        ("act_102/insights", {"breakdowns": HOURLY, "time_increment": "1", "fields": FIELDS}),
        ("act_103/insights", {"default_summary": "true", "sort": "spend_descending"}),
        ("act_101/adsets", {"summary": "total_count", "fields": "name"}),
        ("act_101/activities", {}),
        ("act_101/recommendations", {}),
        ("90101000000001/stats", {"aggregation": "device_os"}),
        ("90101000000001/da_checks", {}),
        ("dataset_quality", {"dataset_id": "90101000000001"}),
    ]
    texts = []
    for _ in range(2):
        world = World.load("demo", start=START, seed=seed)
        world.advance(hours)
        ask = ask_of(world)
        run = ask.post("act_101/insights", level="adset", date_preset="today")
        answers = [run, *(ask.get(run.body["report_run_id"]) for _ in range(5))]
        answers.append(ask.get(f"{run.body['report_run_id']}/insights"))
        answers += [
            ask.get(path, date_preset="maximum", **params)
            if "insights" in path
            else ask.get(path, **params)
            for path, params in routes
        ]
        assert {one.status for one in answers} == {200}
        texts.append([dumps([one.body, dict(one.headers)]) for one in answers])
    assert texts[0] == texts[1]


def test_an_older_moment_sees_fewer_purchases_and_the_same_clicks(ask_of: Any) -> None:
    world = World.load("demo", start=START)
    world.advance(72)
    early = world.fork()
    world.advance(24 * 12)
    asked = {"time_range": json.dumps({"since": "2026-10-20", "until": "2026-10-21"})}
    for parts in ("", "age,gender"):
        rows = [
            ask_of(one).rows("act_101/insights", fields=FIELDS, breakdowns=parts, **asked)
            for one in (early, world)
        ]
        before, after = total_of(rows[0]), total_of(rows[1])
        assert before["clicks"] == after["clicks"]
        assert before["spend"] == after["spend"]
        assert before["actions:purchase"] < after["actions:purchase"]
    parts_before = {(one["age"], one["gender"]): total_of([one]) for one in rows[0]}
    parts_after = {(one["age"], one["gender"]): total_of([one]) for one in rows[1]}
    for part, seen in parts_before.items():
        assert seen["actions:purchase"] <= parts_after[part]["actions:purchase"], (
            "a late purchase never moves an earlier one to another part"
        )


def test_whoever_clicked_saw_the_ad_in_every_part(asker: Any) -> None:
    for parts in PARTS[:7]:
        rows = asker.rows(
            "act_101/insights",
            level="ad",
            time_increment="1",
            date_preset="last_3d",
            breakdowns=parts,
            fields="impressions,clicks",
        )
        assert len(rows) > 50
        assert all(int(one["clicks"]) <= int(one["impressions"]) for one in rows)
        assert all(name in one for one in rows for name in parts.split(","))


def test_hours_may_span_days_and_have_no_reach(asker: Any) -> None:
    rows = asker.rows(
        "act_101/insights",
        date_preset="last_3d",
        breakdowns=HOURLY,
        fields="impressions,reach,frequency",
    )
    assert len(rows) == 24
    assert [one[HOURLY] for one in rows][:2] == ["00:00:00 - 00:59:59", "01:00:00 - 01:59:59"]
    assert {(one["reach"], one["frequency"]) for one in rows} == {("0", "0")}
    assert {(one["date_start"], one["date_stop"]) for one in rows} == {("2026-10-26", "2026-10-28")}


def test_reach_of_the_parts_of_an_audience_is_about_the_whole_and_never_more_than_was_seen(
    asker: Any,
) -> None:
    (whole,) = asker.rows("act_101/insights", date_preset="last_7d", fields="reach")
    rows = asker.rows(
        "act_101/insights", date_preset="last_7d", breakdowns="age", fields="reach,impressions"
    )
    assert sum(int(one["reach"]) for one in rows) == pytest.approx(int(whole["reach"]), rel=0.05)
    assert all(int(one["reach"]) <= int(one["impressions"]) for one in rows)
