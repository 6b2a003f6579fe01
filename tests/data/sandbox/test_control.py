"""Time, the record of writes, the truth: what `/_sandbox/...` does and refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import ConflictError
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 20, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"


@pytest.fixture
def client(small_file: Path) -> TestClient:
    return serving(small_file)


def serving(world: Path, journal: Path | None = None, *, seed: int | None = None) -> TestClient:
    loaded = World.load(world, start=START, seed=seed)
    return TestClient(create_app(loaded, read_token=READ, write_token=WRITE, journal=journal))


def control_of(world: World, seconds: list[float], *, speed: float = 0.0) -> Control:
    platform = Platform(world, read_token=READ, write_token=WRITE)
    return Control(platform, journal=None, speed=speed, tick=lambda: seconds[0])


def now(client: TestClient) -> datetime:
    return datetime.fromisoformat(client.get("/_sandbox/clock").json()["now"])


def test_time_is_advanced_by_hours_or_to_a_moment(client: TestClient) -> None:
    client.post("/_sandbox/advance", json={"hours": 5})
    assert now(client) == START + timedelta(hours=5)
    client.post("/_sandbox/advance")
    assert now(client) == START + timedelta(hours=6)
    to = {"to": "2026-10-20T12:00:00-04:00"}
    answer = client.post("/_sandbox/advance", json=to).json()
    assert answer == {"now": "2026-10-20T16:00:00+00:00"}
    assert now(client) == START + timedelta(hours=16)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hours": -1}, "hours"),
        ({"hours": 1.5}, "hours"),
        ({"hours": True}, "hours"),
        ({"hour": 1}, "hour"),
        ({"to": "2026-10-19T00:00:00+00:00"}, "to"),
        ({"to": "2026-10-20T00:30:00+00:00"}, "to"),
        ({"to": "tomorrow"}, "to"),
        ({"to": "2029-10-20T00:00:00+00:00"}, "hours"),
        ({"to": "2026-10-21T00:00:00+00:00", "hours": 3}, "to"),
    ],
)
def test_time_that_cannot_be_is_refused_by_field(
    client: TestClient, body: dict[str, object], field: str
) -> None:
    answer = client.post("/_sandbox/advance", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert now(client) == START


def test_real_time_speed_and_pause_lose_no_part_of_an_hour(small_file: Path) -> None:
    seconds, world = [0.0], World.load(small_file, start=START)
    control = control_of(world, seconds, speed=1.0)
    seconds[0] = 3599.0
    control.catch_up()
    assert world.hour == 0
    seconds[0] = 3600.0
    control.catch_up()
    assert world.hour == 1
    control.set_speed(3600)
    seconds[0] += 1.5
    assert control.pause()["speed"] == 0
    assert world.hour == 2
    seconds[0] += 10_000
    control.catch_up()
    assert world.hour == 2
    assert control.resume()["speed"] == 3600
    seconds[0] += 0.5
    control.catch_up()
    assert world.hour == 3, "the half hour before the pause and the one after it"


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from([0.0, 1.0, 60.0, 600.0])), max_size=8
    )
)
def test_what_has_passed_is_the_sum_of_speed_and_time(
    small_file: Path, steps: list[tuple[float, float]]
) -> None:
    seconds, world = [0.0], World.load(small_file, start=START)
    control, owed, speed = control_of(world, seconds), 0.0, 0.0
    for waits, following in steps:
        seconds[0] += waits
        owed += waits * speed
        control.set_speed(following)
        speed = following
    assert abs(world.hour - owed / 3600) <= 1 + 1e-6


def test_a_pause_over_http(client: TestClient) -> None:
    assert client.post("/_sandbox/speed", json={"speed": 60}).json()["speed"] == 60
    assert client.post("/_sandbox/pause").json()["speed"] == 0
    assert client.post("/_sandbox/resume").json()["speed"] == 60
    for nonsense in (-1, "fast", None, True, 1e9):
        answer = client.post("/_sandbox/speed", json={"speed": nonsense})
        assert (answer.status_code, answer.json()["field"]) == (400, "speed")


def test_a_control_that_does_not_exist_is_named_with_the_nearest(client: TestClient) -> None:
    answer = client.get("/_sandbox/wrtes")
    assert answer.status_code == 404
    assert "Did you mean 'writes'" in answer.json()["error"]


def writes(client: TestClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get("/_sandbox/writes", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def some_writes(client: TestClient) -> list[str]:
    """Send five writes of every outcome over three hours; return two ad sets' ids."""
    tree = client.get("/_sandbox/world", params={"account": "act_7"}).json()["campaigns"]
    one, two = (adset["id"] for adset in tree[0]["adsets"])
    client.post(f"/v26.0/{one}", data={"access_token": WRITE, "status": "PAUSED"})
    client.post(f"/v26.0/{two}", data={"access_token": READ, "status": "PAUSED"})
    client.post("/_sandbox/advance", json={"hours": 2})
    client.post(f"/v26.0/{one}", data={"access_token": "stolen", "status": "ACTIVE"})
    dry = {"access_token": WRITE, "name": "x", "execution_options": '["validate_only"]'}
    client.post(f"/v26.0/{two}", data=dry)
    client.post(f"/v26.0/{two}/copies", data={"access_token": WRITE})
    client.request("DELETE", f"/v26.0/{one}", params={"access_token": WRITE})
    return [one, two]


def test_every_write_is_recorded_with_who_when_and_whether_it_was_made(
    client: TestClient,
) -> None:
    one, two = some_writes(client)
    found = writes(client)
    assert [(w["n"], w["token"], w["is_applied"], w["status"]) for w in found] == [
        (1, "write", True, 200),
        (2, "read", False, 403),
        (3, "invalid", False, 400),
        (4, "write", False, 200),
        (5, "write", True, 200),
        (6, "write", True, 200),
    ]
    assert [w["method"] for w in found[-2:]] == ["POST", "DELETE"]
    assert found[2]["at"] == (START + timedelta(hours=2)).isoformat()
    assert all(datetime.fromisoformat(w["received_at"]).tzinfo for w in found)
    assert [w["n"] for w in writes(client, object=one)] == [1, 3, 6]
    assert [w["n"] for w in writes(client, object=two, applied="true")] == [5]
    assert [w["n"] for w in writes(client, since=found[2]["at"], after="3")] == [4, 5, 6]
    for secret in (READ, WRITE, "stolen"):
        assert secret not in json.dumps(found)
    for query in ({"objekt": one}, {"since": "x"}, {"after": "x"}, {"applied": "yes"}):
        assert client.get("/_sandbox/writes", params=query).status_code == 400


def test_reads_and_reports_are_no_writes(client: TestClient) -> None:
    for path in ("act_7/insights", "act_7/adsets"):
        client.get(f"/v26.0/{path}", params={"access_token": READ})
    form = {"access_token": READ, "level": "ad", "date_preset": "today"}
    client.post("/v26.0/act_7/insights", data=form)
    assert writes(client) == []


def test_the_world_tells_its_structure_and_true_traits(client: TestClient) -> None:
    assert "campaigns" not in client.get("/_sandbox/world").json()
    tree = client.get("/_sandbox/world", params={"account": "act_7"}).json()["campaigns"]
    adset = tree[0]["adsets"][0]
    assert [len(one["adsets"]) for one in tree] == [2, 2]
    assert adset["traits"]["kind"] == "good"
    assert 0 < adset["traits"]["rate"] < 1
    assert 0 < adset["ads"][0]["traits"]["ctr"] < 1
    assert client.get("/_sandbox/world", params={"account": "act_9"}).status_code == 404


def test_the_oracle_says_what_is_missing_or_refused(client: TestClient) -> None:
    tree = client.get("/_sandbox/world", params={"account": "act_7"}).json()["campaigns"]
    own, pooled = tree[0]["adsets"][0]["id"], tree[1]["adsets"][0]["id"]

    def ask(**query: str) -> Any:
        return client.get("/_sandbox/oracle", params=query)

    told = ask(entity=own, action="decrease_budget", percent="-50", hours="24").json()
    assert told["effect"]["spend_minor"] < 0
    assert ask(entity=own, action="do_nothing").json()["effect"]["profit_minor"] == 0
    assert ask(entity=own).json()["field"] == "action"
    misspelt = ask(entity=own, action="pose").json()
    assert "Did you mean 'pause'" in misspelt["error"]
    assert misspelt["field"] == "action"
    assert ask(entity=own, action="pause", hours="1000").json()["field"] == "hours"
    assert ask(entity="404", action="pause").status_code == 404
    refused = ask(entity=pooled, action="increase_budget", percent="20")
    assert refused.status_code == 400
    assert writes(client) == []


def look(client: TestClient) -> list[bytes]:
    """Return what anyone can see of a world, as bytes."""
    asked = {"access_token": READ, "fields": "spend,actions,reach", "level": "ad", "limit": "500"}
    paths = [
        ("act_7/insights", {**asked, "date_preset": "maximum", "time_increment": "1"}),
        ("act_7/campaigns", {"access_token": READ, "fields": "name,status,daily_budget,spend_cap"}),
        (
            "act_7/adsets",
            {"access_token": READ, "fields": "name,status,daily_budget,learning_stage_info"},
        ),
        ("act_7/activities", {"access_token": READ}),
    ]
    graph = [client.get(f"/v26.0/{path}", params=params).content for path, params in paths]
    own = [client.get(f"/_sandbox/{path}").content for path in ("clock", "writes")]
    return [*graph, *own]


def test_a_restart_gives_byte_identical_answers_after_every_kind_of_write(
    small_file: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    first = serving(small_file, journal)
    some_writes(first)
    tree = first.get("/_sandbox/world", params={"account": "act_7"}).json()["campaigns"]
    own, pooled = tree[0]["id"], tree[1]
    split = [{"adset_id": one["id"], "daily_budget": 5000} for one in pooled["adsets"]]
    for path, form in [
        (own, {"spend_cap": "20000"}),
        (f"{own}/copies", {"deep_copy": "false", "status_option": "ACTIVE"}),
        (pooled["id"], {"adset_budgets": json.dumps(split)}),
    ]:
        answer = first.post(f"/v26.0/{path}", data={"access_token": WRITE, **form})
        assert answer.status_code == 200, answer.text
    first.post("/_sandbox/faults", json={"method": "POST", "status": 500})
    first.post(f"/v26.0/{own}", data={"access_token": WRITE, "status": "PAUSED"})
    first.post("/_sandbox/advance", json={"to": "2026-10-23T00:00:00+00:00"})
    again = serving(small_file, journal)
    assert look(again) == look(first)
    for one in (first, again):
        assert one.post("/_sandbox/advance", json={"hours": 9}).status_code == 200
    assert look(again)[0] == look(first)[0]


def test_a_journal_says_why_it_does_not_fit_and_what_to_do(
    small_file: Path, tmp_path: Path
) -> None:
    journal, edited = tmp_path / "journal.jsonl", tmp_path / "edited.toml"
    serving(small_file, journal)
    edited.write_text(
        small_file.read_text(encoding="utf-8").replace("budget = 60", "budget = 61"),
        encoding="utf-8",
    )
    with pytest.raises(ConflictError, match=r"changed.*Remove the journal.*or restore the file"):
        serving(edited, journal)
    with pytest.raises(ConflictError, match=r"seed 3.*Remove the journal.*or use these"):
        serving(small_file, journal, seed=4)
    with pytest.raises(ConflictError, match=r"world 'small'.*or start that world"):
        create_app(
            World.load("thin", start=START), read_token=READ, write_token=WRITE, journal=journal
        )
    journal.write_text('{"kind": "advance", "hours": 3}\n', encoding="utf-8")
    with pytest.raises(ConflictError, match="begin with a header"):
        serving(small_file, journal)
