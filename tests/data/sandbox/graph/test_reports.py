"""Asynchronous insights: ordered, run, read; by the official SDK, with every way it can go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from fastapi.testclient import TestClient

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 20, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"
ASKED = {"level": "ad", "date_preset": "last_3d", "fields": "ad_id,spend,actions"}


def order(asker: Any, path: str = "act_101/insights", **params: str) -> str:
    answer = asker.post(path, token=READ, **(ASKED | params))
    assert answer.status == 200, answer.body
    return str(answer.body["report_run_id"])


def states(asker: Any, run: str, polls: int) -> list[tuple[str, int]]:
    bodies = [asker.get(run).body for _ in range(polls)]
    return [(one["async_status"], one["async_percent_completion"]) for one in bodies]


def test_a_run_goes_through_its_states_poll_by_poll(asker: Any) -> None:
    run = order(asker)
    refused = asker.get(f"{run}/insights")
    assert refused.body["error"]["code"] == 2601
    assert states(asker, run, 6) == [
        ("Job Not Started", 0),
        ("Job Started", 0),
        ("Job Running", 50),
        ("Job Running", 100),
        ("Job Completed", 100),
        ("Job Completed", 100),
    ]
    body = asker.get(run).body
    assert body["account_id"] == "101"
    assert body["time_ref"] == int(asker.platform.world.now.timestamp())
    assert (body["date_start"], body["date_stop"]) == ("2026-10-26", "2026-10-28")


def test_a_report_holds_what_asking_directly_would_give(asker: Any) -> None:
    for path in (
        "act_101/insights",
        *(
            f"{nodes[0].id}/insights"
            for nodes in (
                asker.platform.world.population.campaigns,
                asker.platform.world.population.adsets,
                asker.platform.world.population.ads,
            )
        ),
    ):
        run = order(asker, path)
        asker.platform.world.advance(0)
        for _ in range(7):
            asker.get(run)
        assert asker.rows(f"{run}/insights") == asker.rows(path, **ASKED)
        page = asker.get(f"{run}/insights", limit="1").body
        assert len(page["data"]) == 1


def test_it_holds_the_numbers_of_the_moment_it_was_ordered(asker: Any) -> None:
    asked = {"date_preset": "today", "fields": "impressions"}
    before = asker.rows("act_101/insights", level="ad", **asked)
    run = order(asker, **asked)
    asker.platform.world.advance(2)
    assert asker.rows("act_101/insights", level="ad", **asked) != before
    assert states(asker, run, 1) == [("Job Completed", 100)], "an hour is enough for any run"
    assert asker.rows(f"{run}/insights") == before


def test_ordering_is_no_write_and_needs_no_more_than_the_read_token(asker: Any) -> None:
    order(asker)
    assert asker.platform.writes == []


def test_every_fourth_run_is_not_there_at_first(asker: Any) -> None:
    runs = [order(asker) for _ in range(8)]
    first = [asker.get(run) for run in runs]
    assert [one.status for one in first] == [200, 200, 200, 400, 200, 200, 200, 400]
    assert first[3].body["error"]["error_subcode"] == 33
    assert asker.get(runs[3]).body["async_status"] == "Job Not Started"


@pytest.mark.parametrize(
    ("outcome", "last", "code"),
    [
        ("failed", "Job Failed", -2),
        ("too_large", "Job Failed", -3),
        ("skipped", "Job Skipped", None),
        ("stalled", "Job Running", None),
        ("slow", "Job Running", None),
    ],
)
def test_a_fault_makes_a_run_go_wrong(
    served: Any, outcome: str, last: str, code: int | None
) -> None:
    planned = {"path": "act_*/insights", "method": "POST", "skip": 1, "report": outcome}
    assert requests.post(f"{served.url}/_sandbox/faults", json=planned, timeout=5).ok
    asked = {"access_token": READ, **ASKED}
    url = f"{served.url}/v26.0"
    runs = [
        requests.post(f"{url}/act_101/insights", data=asked, timeout=5).json()["report_run_id"]
        for _ in range(3)
    ]
    ends = []
    for run in runs:
        for _ in range(6):
            body = requests.get(f"{url}/{run}", params={"access_token": READ}, timeout=5).json()
        ends.append(body)
    assert [one["async_status"] for one in ends] == ["Job Completed", last, "Job Completed"]
    assert ends[1].get("error_code") == code
    rows = requests.get(f"{url}/{runs[1]}/insights", params={"access_token": READ}, timeout=5)
    assert rows.json()["error"]["code"] == 2601


def test_a_run_can_be_missing_for_a_while(served: Any) -> None:
    planned = {"path": "act_*/insights", "method": "POST", "report": "missing"}
    requests.post(f"{served.url}/_sandbox/faults", json=planned, timeout=5)
    asked = {"access_token": READ, **ASKED}
    url = f"{served.url}/v26.0"
    run = requests.post(f"{url}/act_101/insights", data=asked, timeout=5).json()["report_run_id"]
    seen = [
        requests.get(f"{url}/{run}", params={"access_token": READ}, timeout=5).status_code
        for _ in range(4)
    ]
    assert seen == [400, 400, 400, 200]


def test_a_run_expires_after_thirty_days(asker: Any) -> None:
    run = order(asker)
    asker.platform.world.advance(30 * 24 - 1)
    assert states(asker, run, 1) == [("Job Completed", 100)]
    asker.platform.world.advance(1)
    assert states(asker, run, 1) == [("Job Skipped", 0)]
    assert asker.get(f"{run}/insights").body["error"]["code"] == 2601


def test_wrong_questions_are_refused_when_they_are_asked(asker: Any) -> None:
    for path, code in [
        ("act_999/insights", 100),
        ("nobody/insights", 803),
        ("90101000000001/insights", 2500),
        ("6023920000009/insights", 100),
    ]:
        assert asker.post(path, token=READ, **ASKED).body["error"]["code"] == code
    assert asker.post("act_101/insights", access_token=READ[1:]).body["error"]["code"] == 190
    assert asker.post("act_101/insights", nonsense="1").body["error"]["code"] == 100
    run = order(asker)
    assert asker.get(run, fields="nonsense").body["error"]["code"] == 100
    assert asker.get(f"{run}/ads").body["error"]["code"] == 2500
    assert asker.get("6023920000999").body["error"]["error_subcode"] == 33


def test_reports_can_be_ordered_and_polled_in_a_batch(asker: Any) -> None:
    items = [
        {"method": "POST", "relative_url": f"{one}/insights", "body": "date_preset=yesterday"}
        for one in ("act_101", "act_102")
    ]
    answer = asker.post("", token=READ, batch=json.dumps(items))
    runs = [json.loads(one["body"])["report_run_id"] for one in answer.body]
    polls = json.dumps([{"method": "GET", "relative_url": run} for run in runs])
    for _ in range(5):
        answer = asker.post("", token=READ, batch=polls)
    assert {json.loads(one["body"])["async_status"] for one in answer.body} == {"Job Completed"}


def test_a_restart_forgets_no_report(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    def start() -> TestClient:
        world = World.load("demo", start=START)
        return TestClient(create_app(world, read_token=READ, write_token=WRITE, journal=path))

    first = start()
    first.post("/_sandbox/advance", json={"hours": 30})
    asked = {"access_token": READ, **ASKED, "date_preset": "today"}
    first.post("/_sandbox/faults", json={"method": "POST", "path": "act_102/*", "report": "failed"})
    runs = [
        first.post(f"/v26.0/{one}/insights", data=asked).json()["report_run_id"]
        for one in ("act_101", "act_102")
    ]
    first.post("/_sandbox/advance", json={"hours": 1})

    def look(client: TestClient) -> list[object]:
        secret = {"access_token": READ}
        return [
            client.get(f"/v26.0/{run}", params=secret).json()["async_status"] for run in runs
        ] + [client.get(f"/v26.0/{runs[0]}/insights", params={**secret, "limit": "500"}).content]

    seen = look(first)
    assert seen[:2] == ["Job Completed", "Job Failed"]
    assert look(start()) == seen
    assert READ not in path.read_text(encoding="utf-8")


def test_the_sdk_orders_polls_and_reads(served: Any) -> None:
    session = FacebookSession(access_token=READ)
    session.GRAPH = served.url
    api = FacebookAdsApi(session)
    try:
        account = AdAccount("act_101", api=api)
        params = {"level": "adset", "date_preset": "last_7d", "time_increment": 1, "limit": 20}
        run = account.get_insights_async(fields=["adset_id", "spend"], params=dict(params))
        for _ in range(5):
            run = run.api_get()
        assert run[AdReportRun.Field.async_status] == "Job Completed"
        rows = list(run.get_insights(params={"limit": 50}))
        direct = list(account.get_insights(fields=["adset_id", "spend"], params=dict(params)))
        assert [dict(one) for one in rows] == [dict(one) for one in direct]
        assert len(rows) > 50
        with pytest.raises(FacebookRequestError):
            AdReportRun("6023920000999", api=api).api_get()
    finally:
        session.requests.close()
