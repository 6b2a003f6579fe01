"""One look at each account, stored whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Mode
from intel_ml.data.collection.collect import collect, collect_all
from intel_ml.data.meta.reader import MetaReader
from intel_ml.data.meta.usage import ReadLimits
from tests.data.graph_server import TOKEN, Graph, Reply, serving, small_account

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = Account(AdAccountId("act_1"), "One", "USD", "UTC", None, None, Mode.SHADOW, "api", NOW)
WEEK = DayWindow(date(2026, 11, 13), date(2026, 11, 20))
TABLES = ("entity", "performance_snapshot", "performance_daily", "entity_revision", "quarantine")


def reader(graph: Graph) -> MetaReader:
    return MetaReader(graph.url, TOKEN, limits=ReadLimits(tries=2), sleep=lambda _: None)


def content(store):
    with store.connection() as connection:
        return {
            name: connection.execute(text(f"SELECT * FROM intel_{name} t ORDER BY t::text")).all()  # noqa: S608
            for name in TABLES
        }


def runs(store):
    with store.connection() as connection:
        sql = (
            "SELECT ad_account_id, status, calls, rows, quarantined, message "
            "FROM intel_collection_run ORDER BY as_of, 1"
        )
        return [tuple(row) for row in connection.execute(text(sql))]


def test_a_look_fills_structure_snapshots_and_the_run(store):
    with serving(Graph(small_account())) as graph:
        report = collect(store, reader(graph), ACCOUNT, now=NOW, lookback=None)
    assert (report.status, report.calls, report.rows, report.quarantined) == ("done", 6, 7, 0)
    assert runs(store) == [("act_1", "done", 6, 7, 0, None)]
    assert [len(content(store)[name]) for name in TABLES] == [7, 7, 0, 0, 0]


def test_the_same_hour_collected_twice_leaves_the_same_rows(store):
    with serving(Graph(small_account())) as graph:
        for _ in range(2):
            collect(store, reader(graph), ACCOUNT, now=NOW, lookback=WEEK)
            before = content(store)
        collect(store, reader(graph), ACCOUNT, now=NOW, lookback=WEEK)
    assert content(store) == before
    assert len(runs(store)) == 1


def test_closed_days_and_pixels_are_read_where_there_is_a_window(store):
    with serving(Graph(small_account())) as graph:
        report = collect(store, reader(graph), ACCOUNT, now=NOW, lookback=WEEK)
    assert len(content(store)["performance_daily"]) == 7
    assert report.status == "partial"  # this server knows no pixels
    assert report.message.startswith("pixels: ")


def test_a_look_that_fails_is_a_run_that_failed_and_stores_nothing_else(store):
    refusal = Reply({"error": {"message": "expired", "code": 190}}, 400)
    with serving(Graph(small_account(), whole=[refusal])) as graph:
        report = collect(store, reader(graph), ACCOUNT, now=NOW, lookback=None)
    assert report.status == "failed"
    assert runs(store)[0][1] == "failed"
    assert not any(content(store).values())


def test_an_unreachable_platform_is_a_run_that_says_what_to_check(store):
    report = collect(
        store, MetaReader("http://127.0.0.1:9", TOKEN), ACCOUNT, now=NOW, lookback=None
    )
    assert (report.status, report.calls) == ("failed", 0)
    assert "META_GRAPH_URL" in report.message
    assert TOKEN not in report.message


def test_a_refused_row_is_counted_and_kept_apart(store):
    normal = small_account()

    def answer(path, params):
        said = normal(path, params)
        if params.get("level") == "ad":
            said.body["data"][0]["spend"] = "-5"
        return said

    with serving(Graph(answer)) as graph:
        report = collect(store, reader(graph), ACCOUNT, now=NOW, lookback=None)
    assert (report.rows, report.quarantined, report.status) == (6, 1, "done")
    assert "-5" in str(content(store)["quarantine"])


def test_what_cannot_be_stored_leaves_nothing_behind(store):
    with store.connection() as connection:
        connection.execute(text("ALTER TABLE intel_performance_snapshot ADD CHECK (clicks < 10)"))
    with serving(Graph(small_account())) as graph, pytest.raises(Exception, match="clicks"):
        collect(store, reader(graph), ACCOUNT, now=NOW, lookback=None)
    assert not any(content(store).values())


def test_one_account_that_fails_does_not_stop_the_others(store):
    normal = small_account()

    def answer(path, params):
        if path.startswith("/act_2"):
            return Reply({"error": {"message": "not yours", "code": 200}}, 403)
        return normal(path, params)

    three = [replace(ACCOUNT, id=AdAccountId(f"act_{n}")) for n in (1, 2, 3)]
    with serving(Graph(answer)) as graph:
        reports = collect_all(store, reader(graph), three, now=NOW)
    assert [report.status for report in reports] == ["partial", "failed", "partial"]
    assert len(runs(store)) == 3


def test_closed_days_are_read_once_a_day_of_the_account(store):
    with serving(Graph(small_account())) as graph:
        for hour in range(3):
            collect_all(store, reader(graph), [ACCOUNT], now=NOW + hour * HOUR)
        windows = [
            p["time_range"] for _, p in graph.asked if "time_range" in p and p["level"] == "ad"
        ]
        assert len(windows) == 1
        collect_all(store, reader(graph), [ACCOUNT], now=NOW + 12 * HOUR)
    assert len([p for _, p in graph.asked if "time_range" in p and p["level"] == "ad"]) == 2


def test_late_purchases_and_corrected_spend_are_revisions(store):
    normal = small_account()
    late = []

    def answer(path, params):
        said = normal(path, params)
        if late and "time_range" in params:
            for row in said.body["data"]:
                row["spend"] = "14.00"
                row["actions"] = [{"action_type": "purchase", "value": "9"}]
        return said

    with serving(Graph(answer)) as graph:
        collect(store, reader(graph), ACCOUNT, now=NOW, lookback=WEEK)
        late.append(1)
        collect(store, reader(graph), ACCOUNT, now=NOW + 72 * HOUR, lookback=WEEK)
    with store.connection() as connection:
        sql = (
            "SELECT seen_at, spend_minor, conversions FROM intel_performance_daily "
            "WHERE entity_id = '1' ORDER BY 1"
        )
        found = [tuple(row) for row in connection.execute(text(sql))]
    assert found == [(NOW, 1435, 3.0), (NOW + 72 * HOUR, 1400, 9.0)]
