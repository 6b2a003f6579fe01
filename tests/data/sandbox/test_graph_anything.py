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
    answer = getattr(ask, method)(path, **params)
    assert answer.status in {200, 400, 403}
    assert dumps(answer.body)
    if answer.status != 200:
        assert answer.body["error"]["code"]
