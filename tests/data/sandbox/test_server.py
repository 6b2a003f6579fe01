"""The server: the official SDK reads and writes it, and a restart forgets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from fastapi.testclient import TestClient

from intel_ml.core.errors import ConflictError
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 20, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"


def sdk(served: Any, token: str) -> FacebookAdsApi:
    session = FacebookSession(access_token=token)
    session.GRAPH = served.url
    return FacebookAdsApi(session)


@pytest.fixture
def reader(served: Any) -> Iterator[FacebookAdsApi]:
    api = sdk(served, READ)
    yield api
    api._session.requests.close()


@pytest.fixture
def writer(served: Any) -> Iterator[FacebookAdsApi]:
    api = sdk(served, WRITE)
    yield api
    api._session.requests.close()


def test_the_sdk_reads_accounts_structure_and_insights_page_by_page(reader: FacebookAdsApi) -> None:
    accounts = list(
        User("me", api=reader).get_ad_accounts(fields=["name", "currency", "timezone_name"])
    )
    assert [one["currency"] for one in accounts] == ["USD", "EUR", "JPY"]
    account = AdAccount("act_101", api=reader)
    adsets = list(account.get_ad_sets(fields=["name", "learning_stage_info"], params={"limit": 4}))
    assert len(adsets) == len({one["id"] for one in adsets}) > 8
    params = {"level": "ad", "date_preset": "last_7d", "time_increment": 1, "limit": 50}
    rows = list(account.get_insights(fields=["ad_id", "spend", "actions"], params=params))
    assert len(rows) == len({(one["ad_id"], one["date_start"]) for one in rows}) > 200


def test_the_sdk_batches(reader: FacebookAdsApi) -> None:
    batch, seen = reader.new_batch(), []
    for account in ("act_101", "act_102"):
        AdAccount(account, api=reader).get_campaigns(
            fields=["name"],
            batch=batch,
            success=lambda answer: seen.append(len(answer.json()["data"])),
        )
    assert batch.execute() is None
    assert len(seen) == 2
    assert min(seen) > 2


def test_the_sdk_pauses_and_reads_back(
    served: Any, reader: FacebookAdsApi, writer: FacebookAdsApi
) -> None:
    identifier = served.world.population.adsets[0].id
    AdSet(identifier, api=writer).api_update(params={"status": "PAUSED"})
    assert (
        AdSet(identifier, api=reader).api_get(fields=["effective_status"])["effective_status"]
        == "PAUSED"
    )
    recorded = requests.get(f"{served.url}/_sandbox/writes", timeout=5).json()["data"]
    assert [(one["path"], one["params"]) for one in recorded] == [
        (identifier, {"status": "PAUSED"})
    ]


def test_error_bodies_reach_the_sdk_with_code_and_subcode(
    reader: FacebookAdsApi, writer: FacebookAdsApi
) -> None:
    with pytest.raises(FacebookRequestError) as missing:
        AdAccount("act_404", api=reader).api_get(fields=["name"])
    assert (missing.value.api_error_code(), missing.value.api_error_subcode()) == (100, 33)
    account = AdAccount("act_101", api=reader)
    pooled = next(
        one for one in account.get_ad_sets(fields=["daily_budget"]) if "daily_budget" not in one
    )
    with pytest.raises(FacebookRequestError) as conflict:
        AdSet(pooled["id"], api=writer).api_update(params={"daily_budget": 5000})
    assert (conflict.value.api_error_code(), conflict.value.api_error_subcode()) == (100, 1885621)
    with pytest.raises(FacebookRequestError) as denied:
        AdSet(pooled["id"], api=reader).api_update(params={"status": "PAUSED"})
    assert denied.value.api_error_code() == 200


def fault(served: Any, **what: object) -> None:
    answer = requests.post(f"{served.url}/_sandbox/faults", json=what, timeout=5)
    assert answer.status_code == 200, answer.text


def test_faults_come_as_often_as_asked(served: Any) -> None:
    def get() -> requests.Response:
        return requests.get(f"{served.url}/v26.0/act_101", params={"access_token": READ}, timeout=5)

    fault(served, path="act_101", status=500, body="<html>Sorry</html>")
    assert get().text == "<html>Sorry</html>"
    fault(
        served,
        path="act_*",
        method="GET",
        error={"code": 17, "subcode": 2446079, "is_transient": True},
    )
    assert get().json()["error"]["code"] == 17
    fault(served, path="act_101", truncate=9)
    with pytest.raises(requests.JSONDecodeError):
        get().json()
    fault(served, path="other", status=500)
    assert get().json()["id"] == "act_101"
    requests.delete(f"{served.url}/_sandbox/faults", timeout=5)
    answer = requests.post(f"{served.url}/_sandbox/faults", json={"pth": "*"}, timeout=5)
    assert answer.status_code == 400
    assert "Did you mean 'path'" in answer.json()["error"]


def test_a_dropped_connection_leaves_the_write_made_and_recorded(served: Any) -> None:
    adset = served.world.population.adsets[0]
    fault(served, path=adset.id, method="POST", drop_after_write=True)
    with pytest.raises(requests.RequestException):
        requests.post(
            f"{served.url}/v26.0/{adset.id}",
            data={"access_token": WRITE, "status": "PAUSED"},
            timeout=5,
        )
    assert adset.status == "PAUSED"
    assert requests.get(f"{served.url}/_sandbox/writes", timeout=5).json()["data"][0]["is_applied"]


def test_items_of_a_batch_can_be_null(served: Any) -> None:
    fault(served, path="", method="POST", null_items=[1])
    items = [{"method": "GET", "relative_url": "me"}] * 3
    answer = requests.post(
        f"{served.url}/v26.0/", data={"access_token": READ, "batch": json.dumps(items)}, timeout=5
    ).json()
    assert [one is None for one in answer] == [False, True, False]


def test_a_restart_replays_the_journal_to_the_same_answers(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    def start() -> TestClient:
        world = World.load("demo", start=START)
        return TestClient(create_app(world, read_token=READ, write_token=WRITE, journal=path))

    def look(client: TestClient) -> list[object]:
        params = {
            "access_token": READ,
            "fields": "spend,actions,reach",
            "level": "ad",
            "limit": "500",
        }
        return [
            client.get(
                "/v26.0/act_101/insights", params={**params, "date_preset": "maximum"}
            ).content,
            client.get("/_sandbox/clock").json(),
            client.get("/_sandbox/writes").json(),
        ]

    first = start()
    adsets = World.load("demo", start=START).population.adsets
    first.post("/_sandbox/advance", json={"hours": 30})
    first.post(f"/v26.0/{adsets[0].id}", data={"access_token": WRITE, "daily_budget": "20000"})
    first.post(f"/v26.0/{adsets[1].id}", data={"access_token": WRITE, "daily_budget": "1"})
    first.post(
        f"/v26.0/{adsets[6].id}/copies", data={"access_token": WRITE, "status_option": "ACTIVE"}
    )
    first.post("/_sandbox/advance", json={"hours": 20})
    seen = look(first)
    with path.open("a", encoding="utf-8") as journal:
        journal.write('{"kind": "adv')
    again = start()
    assert look(again) == seen
    again.post("/_sandbox/advance", json={"hours": 5})
    assert look(start()) == look(again)
    assert READ not in path.read_text(encoding="utf-8")
    assert WRITE not in path.read_text(encoding="utf-8")


def test_the_journal_of_another_world_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    create_app(World.load("demo", start=START), read_token=READ, write_token=WRITE, journal=path)
    with pytest.raises(ConflictError, match=r"journal\.jsonl"):
        create_app(
            World.load("null", start=START), read_token=READ, write_token=WRITE, journal=path
        )


def test_time_goes_on_by_itself_in_whole_hours_at_a_speed(tmp_path: Path) -> None:
    seconds = [0.0]
    world = World.load("demo", start=START)
    platform = Platform(world, read_token=READ, write_token=WRITE)
    control = Control(
        platform, journal=Journal(tmp_path / "j.jsonl"), speed=3600.0, tick=lambda: seconds[0]
    )
    for now, hours in [(0.9, 0), (2.5, 2), (2.6, 2), (3.1, 3)]:
        seconds[0] = now
        control.catch_up()
        assert world.hour == hours
    control.set_speed(0)
    seconds[0] = 99.0
    control.catch_up()
    assert world.hour == 3


def test_text_that_was_not_percent_encoded_is_utf_8_as_is_what_was(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    client = TestClient(create_app(world, read_token=READ, write_token=WRITE))
    path = f"/v26.0/{world.population.adsets[0].id}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    raw = f"access_token={WRITE}&name=茶+é".encode()
    for sent, name in (
        ({"content": raw, "headers": form}, "茶 é"),
        ({"data": {"access_token": WRITE, "name": "Ő&="}}, "Ő&="),
        ({"json": {"access_token": WRITE, "name": "ü ☕"}}, "ü ☕"),
        ({"data": {"access_token": WRITE, "name": "ñ"}, "files": {"x": b""}}, "ñ"),
    ):
        answer = client.post(path, **sent)
        assert answer.json() == {"success": True}
        assert world.population.adsets[0].name == name
    assert client.post(path, content=b"name=\xff&access_token=w", headers=form).status_code == 400


def test_a_control_asked_in_the_wrong_way_says_the_right_one(small_file: Path) -> None:
    world = World.load(small_file, start=START)
    client = TestClient(create_app(world, read_token=READ, write_token=WRITE))
    wrong = client.get("/_sandbox/advance")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "'advance' is asked with POST.")
    wrong = client.post("/_sandbox/clock")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "'clock' is asked with GET.")
    assert "Did you mean 'clock'" in client.get("/_sandbox/clok").json()["error"]


def test_the_world_says_its_targets_and_nonsense_is_refused() -> None:
    client = TestClient(
        create_app(World.load("demo", start=START), read_token=READ, write_token=WRITE)
    )
    body = client.get("/_sandbox/world").json()
    targets = {one["id"]: (one["currency"], one["target_cpa_minor"]) for one in body["accounts"]}
    assert targets == {"act_101": ("USD", 2000), "act_102": ("EUR", 2500), "act_103": ("JPY", 3000)}
    assert body["counts"]["ads"] >= 120
    for path, nonsense in [
        ("advance", {"hours": -1}),
        ("advance", {"hours": "x"}),
        ("speed", {"speed": True}),
    ]:
        assert client.post(f"/_sandbox/{path}", json=nonsense).status_code == 400
    assert client.post("/_sandbox/advance", content=b"{").status_code == 400
    assert datetime.fromisoformat(client.get("/_sandbox/clock").json()["now"]) == START.astimezone(
        UTC
    )
