"""Whatever is asked of the Graph API, it answers in Graph's own JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.graph.json_text import dumps

PATHS = st.sampled_from(
    [
        "",
        "me",
        "me/adaccounts",
        "act_101",
        "act_101/adsets",
        "act_101/ads",
        "act_101/campaigns",
        "act_101/insights",
        "act_101/activities",
        "act_101/copies",
        "act_101/recommendations",
        "act_101/adspixels",
        "act_101/minimum_budgets",
        "act_101/adrules_history",
        "90101000000001/da_checks",
        "12022101000001/activities",
        "12021101000001/adsets",
        "12022101000001/budget_schedules",
        "12022101000001/insights",
        "6023920000001",
        "6023920000001/insights",
        "90101000000001/stats",
        "dataset_quality",
        "12022101000001",
        "12022101000001/copies",
        "12023101000001/insights",
        "a/b/c",
    ]
)
NAMES = st.sampled_from(
    [
        "fields",
        "limit",
        "after",
        "filtering",
        "effective_status",
        "updated_since",
        "level",
        "date_preset",
        "time_range",
        "since",
        "until",
        "time_increment",
        "breakdowns",
        "action_attribution_windows",
        "action_breakdowns",
        "action_report_time",
        "time_ranges",
        "sort",
        "summary",
        "default_summary",
        "before",
        "sort_by",
        "category",
        "is_completed",
        "event_source",
        "event",
        "checks",
        "oid",
        "extra_oids",
        "add_children",
        "uid",
        "time_start",
        "start_time",
        "end_time",
        "aggregation",
        "dataset_id",
        "batch",
        "status",
        "daily_budget",
        "bid_amount",
        "name",
        "execution_options",
        "rename_options",
        "status_option",
        "deep_copy",
    ]
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        [
            "id",
            "web{event_name}",
            "spend{",
            "[]",
            "{}",
            "null",
            '[{"field":"ad.spend","operator":"IN","value":5}]',
            '[{"field":"ad.actions","operator":"GREATER_THAN","value":"x"}]',
            '[{"method":"GET","relative_url":"//["}]',
            '{"since":"0001-01-01","until":"9999-12-31"}',
            '{"since":"2026-10-25","until":"2026-10-26"}',
            '{"rename_suffix":5}',
            "monthly",
            "age,gender",
            '["hourly_stats_aggregated_by_advertiser_time_zone"]',
            "publisher_platform",
            "reach,frequency,quality_ranking,actions,spend,impressions",
            '[{"field":"campaign.effective_status","operator":"NONE","value":["ACTIVE"]}]',
            '[{"field":"spend","operator":"IN_RANGE","value":[1,"x"]}]',
            '[{"field":["x"],"operator":{},"value":null}]',
            '[{"since":"2026-10-25","until":"2026-10-26"}]',
            "[null]",
            "[[1]]",
            '["1d_click","dda"]',
            "action_type,action_device",
            "spend_descending",
            "actions:link_click",
            "STATUS",
            "SERVER_ONLY",
            "device_os",
            "event_total_counts",
            "ad",
            "maximum",
            "true",
            "90101000000001",
        ]
    ),
)


@settings(max_examples=250, deadline=None)
@given(
    method=st.sampled_from(["get", "post"]),
    path=PATHS,
    params=st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_no_request_is_answered_by_anything_but_graph_json(
    ask_of: Any, played_demo: World, method: str, path: str, params: dict[str, str]
) -> None:
    ask = ask_of(played_demo.fork() if method == "post" else played_demo)
    ask.post("act_101/insights", date_preset="today")
    answer = getattr(ask, method)(path, **params)
    assert answer.status in {200, 400, 403}
    assert dumps(answer.body)
    if answer.status != 200:
        assert answer.body["error"]["code"]
