"""One account, one look, over HTTP and through the official SDK."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow
from intel_ml.core.errors import (
    AmbiguousResultError,
    IntelError,
    PlatformError,
    ThrottledError,
    TokenError,
    TransientPlatformError,
    UnavailableError,
)
from intel_ml.core.ids import AdAccountId, EntityType
from intel_ml.core.recommendations import Mode
from intel_ml.data.meta.connection import asking, connect
from intel_ml.data.meta.reader import MetaReader
from intel_ml.data.meta.usage import ReadLimits
from tests.data.graph_server import TOKEN, Graph, Reply, insights_row, serving, small_account

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT = Account(AdAccountId("act_1"), "One", "USD", "UTC", None, None, Mode.SHADOW, "api", NOW)
WEEK = DayWindow(date(2026, 11, 13), date(2026, 11, 20))
HTML = Reply("<html><body>Sorry, something went wrong.</body></html>")


def reader(graph: Graph, **limits) -> MetaReader:
    return MetaReader(graph.url, TOKEN, limits=ReadLimits(**limits), sleep=lambda _: None)


def ids(facts):
    return [fact.id for fact in facts]


def test_a_look_is_one_request_of_nine_calls():
    with serving(Graph(small_account())) as graph:
        look = reader(graph).look(ACCOUNT, days=WEEK, now=NOW)
    assert len(graph.requests) == 1
    assert look.calls == 9
    assert ids(look.entities) == ["1", "101", "102", "10101", "10102", "10201", "10202"]
    assert ids(look.today) == ids(look.entities)
    assert {fact.day for fact in look.days} == {date(2026, 11, 19)}
    assert not look.refused
    assert not look.problems


def test_without_structure_and_days_it_is_three_calls():
    with serving(Graph(small_account())) as graph:
        look = reader(graph).look(ACCOUNT, with_structure=False, now=NOW)
    assert (look.calls, look.entities, look.days, len(look.today)) == (3, (), (), 7)


def test_meta_is_asked_in_its_own_words():
    with serving(Graph(small_account())) as graph:
        reader(graph).look(ACCOUNT, days=WEEK, now=NOW)
    asked = {(path, p.get("level"), "time_range" in p): p for path, p in graph.asked}
    today = asked["/act_1/insights", "adset", False]
    assert (today["date_preset"], today["time_increment"]) == ("today", "1")
    closed = asked["/act_1/insights", "ad", True]
    # Meta's window includes both ends, ours does not include the last.
    assert json.loads(closed["time_range"]) == {"since": "2026-11-13", "until": "2026-11-19"}
    adsets = asked["/act_1/adsets", None, False]
    assert {"PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED"} <= set(json.loads(adsets["effective_status"]))
    assert "learning_stage_info{status,conversions,last_sig_edit_ts}" in adsets["fields"]
    assert "learning_phase_info" not in str(graph.asked)


def test_pages_are_followed_to_the_last_and_the_cursor_alone_proves_none():
    def answer(path, params):
        if not path.endswith("/ads"):
            return Reply({"data": [], "paging": {"cursors": {"after": "Z"}}})
        page = int(params.get("after", "0"))
        ad = {
            "id": f"{page}",
            "campaign_id": "1",
            "adset_id": "2",
            "status": "ACTIVE",
            "effective_status": "ACTIVE",
        }
        paging = {"cursors": {"after": f"{page + 1}"}}
        if page < 4:
            paging["next"] = (
                f"https://graph.facebook.com/v26.0/act_1/ads?access_token={TOKEN}&after={page + 1}"
            )
        return Reply({"data": [ad], "paging": paging})

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert ids(look.entities) == ["0", "1", "2", "3", "4"]
    assert look.calls == 6 + 4


def test_pages_that_turn_in_a_circle_end_and_what_came_is_kept():
    def answer(path, params):
        if not path.endswith("/campaigns"):
            return Reply({"data": []})
        following = {"0": "1", "1": "2", "2": "1"}[params.get("after", "0")]
        row = {"id": params.get("after", "0"), "status": "ACTIVE", "effective_status": "ACTIVE"}
        return Reply({"data": [row], "paging": {"next": f"http://x/?after={following}"}})

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert len(graph.asked) < 12
    assert ids(look.entities)[:3] == ["0", "1", "2"]
    assert "do not end" in look.problems[0]


def test_too_much_data_is_asked_for_in_smaller_pages():
    normal = small_account()

    def answer(path, params):
        if path.endswith("/ads") and int(params["limit"]) > 100:
            return Reply(
                {
                    "error": {
                        "code": 1,
                        "message": "Please reduce the amount of data you're asking for",
                    }
                },
                500,
            )
        return normal(path, params)

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert len([fact for fact in look.entities if fact.type is EntityType.AD]) == 4
    assert [p["limit"] for path, p in graph.asked if path.endswith("/ads")] == [
        "500",
        "250",
        "125",
        "62",
    ]


@pytest.mark.parametrize(
    "nonsense",
    [
        HTML,
        Reply(""),
        Reply('{"data": [{'),
        Reply({"error": "no"}),
        Reply({"error": {"code": 2}}, 500),
        Reply([]),
        Reply("7"),
        None,
    ],
)
def test_a_passing_fault_is_asked_again(nonsense):
    with serving(Graph(small_account(), whole=[nonsense])) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert len(look.today) == 7
    assert len(graph.requests) == (1 if nonsense is None else 2)


@pytest.mark.parametrize(
    "item", [None, HTML, Reply(""), Reply({"error": {"code": 1, "message": "x"}}, 500), Reply([1])]
)
def test_an_item_that_did_not_come_is_asked_again_alone(item):
    normal, said = small_account(), []

    def answer(path, params):
        if path.endswith("/adsets") and not said:
            said.append(1)
            return item
        return normal(path, params)

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert len(look.entities) == 7
    assert look.calls == 7


def test_a_fault_that_does_not_pass_ends_after_a_few_tries():
    with serving(Graph(small_account(), whole=[HTML] * 20)) as graph:
        with pytest.raises(TransientPlatformError, match="HTML"):
            reader(graph, tries=3).look(ACCOUNT, now=NOW)
        assert len(graph.requests) == 3


@pytest.mark.parametrize(
    ("code", "expected"), [(190, TokenError), (100, PlatformError), (17, ThrottledError)]
)
def test_what_is_permanent_is_asked_once(code, expected):
    refusal = Reply({"error": {"message": "no", "code": code}}, 400)
    with serving(Graph(small_account(), whole=[refusal] * 9)) as graph:
        with pytest.raises(expected):
            reader(graph).look(ACCOUNT, now=NOW)
        assert len(graph.requests) == 1


def test_a_part_that_is_refused_leaves_the_others():
    normal = small_account()

    def answer(path, params):
        if params.get("level") == "ad":
            return Reply({"error": {"message": "not here", "code": 100}}, 400)
        return normal(path, params)

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert (len(look.entities), len(look.today)) == (7, 3)
    assert look.problems == ("insights ad today: Meta answered: not here (code 100).",)


def test_a_row_of_nonsense_is_refused_alone():
    def answer(path, params):
        if not path.endswith("/insights") or params["level"] != "ad":
            return Reply({"data": []})
        rows = [
            insights_row("ad", "1", "2026-11-20"),
            insights_row("ad", "2", "2026-11-20", spend=float("nan")),
        ]
        return Reply({"data": rows})

    with serving(Graph(answer)) as graph:
        look = reader(graph).look(ACCOUNT, now=NOW)
    assert ids(look.today) == ["1"]
    assert look.refused[0].source == "insights/ad"


def test_our_own_ceiling_holds_and_its_hour_passes():
    with serving(Graph(small_account())) as graph:
        ours = reader(graph, calls_per_hour=12)
        ours.look(ACCOUNT, now=NOW)
        ours.look(ACCOUNT, now=NOW)
        with pytest.raises(ThrottledError, match="our own 12 calls"):
            ours.look(ACCOUNT, now=NOW)
        assert len(graph.requests) == 2
        ours.look(ACCOUNT, now=NOW + timedelta(hours=1))


def test_a_usage_header_of_one_item_stops_the_next_look():
    normal = small_account()
    full = {"X-Business-Use-Case-Usage": '{"1":[{"call_count":3},{"call_count":97}]}'}

    def answer(path, params):
        said = normal(path, params)
        return Reply(said.body, headers=full) if path.endswith("/ads") else said

    with serving(Graph(answer)) as graph:
        ours = reader(graph)
        assert len(ours.look(ACCOUNT, now=NOW).today) == 7
        with pytest.raises(ThrottledError, match="nearly used up"):
            ours.look(ACCOUNT, now=NOW)


def test_an_unreachable_host_says_what_to_check():
    with pytest.raises(UnavailableError, match="META_GRAPH_URL") as caught:
        MetaReader("http://127.0.0.1:9", TOKEN).look(ACCOUNT, now=NOW)
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_silent_host_is_left_after_the_timeout():
    with serving(Graph(lambda _path, _params: time.sleep(0.3))) as graph:
        quick = MetaReader(graph.url, TOKEN, timeout_s=0.05, limits=ReadLimits(tries=1))
        with pytest.raises(TransientPlatformError, match="no answer: ReadTimeout"):
            quick.look(ACCOUNT, now=NOW)


def test_a_change_without_an_answer_is_ambiguous():
    with serving(Graph(lambda _path, _params: None)) as graph:
        api = connect(graph.url, TOKEN, timeout_s=0.05)
        graph.reply = lambda *_: time.sleep(0.2) or Reply({})
        with (
            pytest.raises(AmbiguousResultError),
            asking(graph.url, unanswered=AmbiguousResultError),
        ):
            api.call("POST", ("7",), params={"status": "PAUSED"})


def test_calls_are_signed_only_where_there_is_a_secret():
    with serving(Graph(small_account())) as graph:
        reader(graph).look(ACCOUNT, now=NOW)
        signed = MetaReader(graph.url, TOKEN, app_id="1", app_secret="hush")  # noqa: S106
        signed.look(ACCOUNT, now=NOW)
    assert "appsecret_proof" not in graph.requests[0]["query"]
    assert len(graph.requests[1]["query"]["appsecret_proof"]) == 64
    assert "hush" not in str(graph.requests)
    assert "hush" not in repr(signed)


def test_the_token_is_in_no_error_and_no_repr():
    echo = Reply(
        {"error": {"message": f"bad token {TOKEN} at ?access_token={TOKEN}", "code": 190}}, 400
    )
    for said in (echo, Reply({"error": f"access_token={TOKEN}"}), Reply(f"<html>{TOKEN}</html>")):
        with serving(Graph(small_account(), whole=[said] * 9)) as graph:
            ours = reader(graph, tries=2)
            assert TOKEN not in repr(ours)
            with pytest.raises(IntelError) as caught:
                ours.look(ACCOUNT, now=NOW)
        error = caught.value
        while error is not None:
            assert TOKEN not in f"{error} {error!r} {error.args}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_no_request_leaves_for_another_host():
    def answer(_path, params):
        nxt = {"cursors": {"after": "1"}, "next": "https://elsewhere.invalid/?after=1"}
        return Reply({"data": [], "paging": {} if "after" in params else nxt})

    with serving(Graph(answer)) as graph:
        reader(graph).look(ACCOUNT, now=NOW)
        assert urlsplit(graph.url).hostname == "127.0.0.1"
    assert len(graph.asked) == 12


def test_accounts_are_listed_with_their_currency_and_zone():
    rows = [
        {
            "id": "act_1",
            "name": "One",
            "currency": "JPY",
            "timezone_name": "Asia/Tokyo",
            "account_status": 1,
            "min_daily_budget": 100,
        },
        {"id": "act_2", "name": "Two", "currency": "USD", "timezone_name": "UTC"},
    ]
    with serving(Graph(lambda _path, _params: Reply({"data": rows}))) as graph:
        found = reader(graph).accounts(now=NOW)
    assert graph.asked[0][0] == "/me/adaccounts"
    assert [(a.id, a.currency, a.time_zone, a.status) for a in found] == [
        ("act_1", "JPY", "Asia/Tokyo", 1),
        ("act_2", "USD", "UTC", None),
    ]


def test_an_account_that_cannot_be_counted_is_left_out_and_the_others_listed():
    rows = [
        {"id": "act_1", "currency": "XXX", "timezone_name": "UTC"},
        {"id": "act_2", "currency": "USD", "timezone_name": "Mars/Olympus"},
        {"id": "act_3", "currency": "EUR", "timezone_name": "UTC"},
        "text",
    ]
    with serving(Graph(lambda _path, _params: Reply({"data": rows}))) as graph:
        assert ids(reader(graph).accounts(now=NOW)) == ["act_3"]


def pixel_account(path, params):
    if path == "/act_1/adspixels":
        return Reply(
            {"data": [{"id": "900", "name": "Shop", "last_fired_time": "2026-11-20T11:30:00+0000"}]}
        )
    if path == "/900/stats":
        hours = [
            {
                "start_time": "2026-11-19T23:00:00+0000",
                "aggregation": "event",
                "data": [{"value": "PageView", "count": 60}],
            },
            {
                "start_time": "2026-11-20T05:00:00+0000",
                "data": [{"value": "PageView", "count": 40}, {"value": "Purchase", "count": 5}],
            },
        ]
        return Reply({"data": hours})
    if path == "/dataset_quality":
        assert params["dataset_id"] == "900"
        web = [
            {"event_name": "PageView", "event_match_quality": {"composite_score": 4}},
            {"event_name": "Purchase", "event_match_quality": {"composite_score": 6.2}},
        ]
        return Reply({"web": web})
    return Reply({"error": {"code": 2500, "message": path}}, 400)


def test_a_pixel_is_read_with_events_and_match_quality():
    with serving(Graph(pixel_account)) as graph:
        found = reader(graph).pixels(ACCOUNT, now=NOW)
    (pixel,) = found.pixels
    assert (pixel.events_today, pixel.events_7d, pixel.match_quality) == (45, 105, 6.2)
    assert pixel.events_by_name == {"PageView": 100, "Purchase": 5}
    assert pixel.funnel == {"page_view_to_purchase": 5.0}
    assert found.calls == 3


def test_a_pixel_that_may_not_be_read_is_unknown_and_not_silent():
    def answer(path, params):
        if path == "/act_1/adspixels":
            return pixel_account(path, params)
        return Reply({"error": {"message": "Permission Denied", "code": 100}}, 400)

    with serving(Graph(answer)) as graph:
        found = reader(graph).pixels(ACCOUNT, now=NOW)
    (pixel,) = found.pixels
    assert (pixel.events_today, pixel.events_7d, pixel.match_quality, pixel.funnel) == (None,) * 4
    assert len(found.problems) == 2
