"""Planned faults: each kind over real HTTP, as often as asked, described strictly."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.graph.faults import FaultPlan, fault_of
from intel_ml.data.sandbox.graph.json_text import dumps
from intel_ml.data.sandbox.graph.spoiling import KINDS, NONSENSE, spoilt, text_of
from intel_ml.data.sandbox.server import create_app

READ, WRITE = "read-token", "write-token"
MOST_LOOKS = 200


@pytest.fixture
def client(demo: World) -> TestClient:
    return TestClient(create_app(demo, read_token=READ, write_token=WRITE))


def plan(client: TestClient, **described: object) -> None:
    answer = client.post("/_sandbox/faults", json=described)
    assert answer.status_code == 200, answer.text


def get(client: TestClient, path: str = "act_101", **params: str) -> Any:
    return client.get(f"/v26.0/{path}", params={"access_token": READ, **params})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_failure_has_metas_code_and_says_so_in_the_usage_headers(
    client: TestClient, kind: str
) -> None:
    plan(client, kind=kind, path="act_101")
    answer = get(client)
    error, header = KINDS[kind]
    assert answer.status_code == error.status
    told = answer.json()["error"]
    assert (told["code"], told.get("error_subcode")) == (error.code, error.subcode)
    name, inner = {
        "app": ("X-App-Usage", "call_count"),
        "account": ("X-Ad-Account-Usage", "acc_id_util_pct"),
        "insights": ("X-FB-Ads-Insights-Throttle", "app_id_util_pct"),
        "business": ("X-Business-Use-Case-Usage", "call_count"),
    }.get(header or "", ("", ""))
    if name:
        usage = json.loads(answer.headers[name])
        usage = usage["101"][0] if header == "business" else usage
        assert usage[inner] == 100
    assert get(client).status_code == 200


def test_a_fault_spares_the_first_calls_and_then_hits_as_often_as_asked(
    client: TestClient,
) -> None:
    plan(client, path="act_1*", method="GET", skip=2, times=2, status=503, body="")
    assert [get(client).status_code for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    assert get(client, "act_102").status_code == 200


@given(seed=st.integers(0, 10**9), probability=st.floats(0.05, 0.95))
def test_chance_is_seeded(seed: int, probability: float) -> None:
    described = {"times": None, "probability": probability, "seed": seed, "status": 500}

    def hits() -> list[bool]:
        faults = FaultPlan()
        faults.add(described)
        return [faults.take(method="GET", path="x") is not None for _ in range(200)]

    first = hits()
    assert first == hits()
    wide = 5 * math.sqrt(probability * (1 - probability) / 200)
    assert abs(sum(first) / 200 - probability) < wide


def test_the_plan_says_what_is_still_due_and_is_cleared(client: TestClient) -> None:
    plan(client, path="act_101", skip=1, status=500)
    get(client)
    body = client.get("/_sandbox/faults").json()
    (told,) = body["data"]
    assert (body["due"], told["number"], told["met"], told["hit"]) == (1, 1, 1, 0)
    assert client.delete("/_sandbox/faults").json() == {"due": 0}
    assert get(client).status_code == 200


@pytest.mark.parametrize(
    ("described", "field", "says"),
    [
        ({"pth": "*"}, "pth", "Did you mean 'path'"),
        ({"method": "GTE"}, "method", "Did you mean 'GET'"),
        ({"kind": "app_throtled"}, "kind", "Did you mean 'app_throttled'"),
        ({"nonsense": "negativ"}, "nonsense", "Did you mean 'negative'"),
        ({"times": 0}, "times", "times: must be a whole number from 1"),
        ({"times": True}, "times", "times: must be a whole number"),
        ({"skip": -1}, "skip", "skip: must be"),
        ({"probability": 1.5}, "probability", "probability: must be a number from 0 to 1"),
        ({"latency_s": "1"}, "latency_s", "latency_s: must be a number from 0 to 600."),
        ({"report": "fail"}, "report", "Did you mean 'failed'"),
        ({"status": 99}, "status", "status: must be"),
        ({"truncate": 1.5}, "truncate", "truncate: must be a whole number"),
        ({"null_items": ["1"]}, "null_items", "null_items: must be a list of int"),
        ({"fields": ["spend"]}, "fields", "fields: needs nonsense"),
        ({"error": {"cod": 1}}, "cod", "Did you mean 'code'"),
        ({"error": {"code": "1"}}, "error.code", "error.code: must be"),
        ({"error": {"code": 1}, "status": 500}, "status", "can't be given beside error"),
        ({"reset": 1}, "reset", "reset: must be true or false"),
        ({"path": None}, "path", "path: must be text"),
    ],
)
def test_a_fault_is_described_strictly(
    client: TestClient, described: dict[str, object], field: str, says: str
) -> None:
    answer = client.post("/_sandbox/faults", json=described)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert says in answer.json()["error"]


@given(
    raw=st.dictionaries(
        st.sampled_from(["path", "times", "error", "fields", "nonsense", "status", "null_items"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["code", "message", "x"]), inner, max_size=2)
            ),
            max_leaves=3,
        ),
        max_size=3,
    )
)
def test_any_description_is_a_fault_or_is_refused_by_name(raw: dict[str, Any]) -> None:
    with contextlib.suppress(UnknownNameError, InvalidValueError):
        assert fault_of(raw).label


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_stands_where_it_was_asked_for_and_nowhere_else(
    client: TestClient, nonsense: str
) -> None:
    params = {"fields": "id,name,daily_budget", "limit": "3"}
    clean = get(client, "act_101/adsets", **params).json()["data"]
    plan(client, path="act_101/adsets", nonsense=nonsense, fields=["daily_budget"])
    text = get(client, "act_101/adsets", **params).content.decode()
    rows = json.loads(text)["data"]
    assert [(one["id"], one["name"]) for one in rows] == [(one["id"], one["name"]) for one in clean]
    if nonsense == "missing":
        assert all("daily_budget" not in one for one in rows)
    else:
        assert all(
            one["daily_budget"] != was["daily_budget"] for one, was in zip(rows, clean, strict=True)
        )
    assert ("NaN" in text) == (nonsense in {"nan_text", "bare_nan"})


def test_nonsense_reaches_into_a_batch_and_every_field_when_none_is_named() -> None:
    inner = {"data": [{"id": "1", "spend": "2"}]}
    item = {"code": 200, "body": dumps(inner).decode()}
    (found, nothing) = spoilt([item, None], nonsense="negative", fields=())
    assert json.loads(found["body"])["data"] == [{"id": "-5", "spend": "-5"}]
    assert nothing is None
    bare = text_of(spoilt([item], nonsense="bare_nan", fields=["spend"])).decode()
    assert math.isnan(json.loads(json.loads(bare)[0]["body"])["data"][0]["spend"])


@pytest.mark.parametrize(
    ("described", "look"),
    [
        ({"empty": True}, lambda a: a.json() == {"data": []}),
        ({"content_type": "text/plain"}, lambda a: a.headers["content-type"][:10] == "text/plain"),
        ({"truncate": 5}, lambda a: a.content == b'{"dat'),
        ({"status": 500, "body": "<html>Sorry</html>"}, lambda a: "html" in a.text),
        ({"status": 503}, lambda a: (a.status_code, a.content) == (503, b"")),
    ],
)
def test_what_else_an_answer_can_be(client: TestClient, described: Any, look: Any) -> None:
    plan(client, path="act_101/adsets", **described)
    assert look(get(client, "act_101/adsets"))


def test_a_page_that_repeats_itself_offers_the_same_rows_for_ever(client: TestClient) -> None:
    plan(client, path="act_101/ads", repeat_page=True, times=None)
    first = get(client, "act_101/ads", limit="5").json()
    following = client.get(first["paging"]["next"].partition("testserver")[2]).json()
    assert following["data"] == first["data"]
    assert following["paging"]["next"]


def write(client: TestClient) -> None:
    adset = client.get("/_sandbox/world?account=act_101").json()["campaigns"][0]["adsets"][0]["id"]
    client.post(f"/v26.0/{adset}", data={"access_token": WRITE, "status": "PAUSED"})


@pytest.mark.parametrize(
    ("described", "is_applied", "fault"),
    [
        ({"status": 502, "body": "<html>"}, False, "status 502"),
        ({"kind": "account_throttled"}, False, "account_throttled"),
        ({"error": {"code": 2}}, False, "error 2"),
        ({"status_after": 504, "body": "<html>late</html>"}, True, "after the work"),
        ({"truncate": 3}, True, "after the work"),
    ],
)
def test_the_record_tells_a_write_that_was_made_from_one_that_was_not(
    client: TestClient, *, described: dict[str, Any], is_applied: bool, fault: str
) -> None:
    plan(client, method="POST", path="1*", **described)
    write(client)
    (told,) = client.get("/_sandbox/writes").json()["data"]
    assert (told["is_applied"], told["fault"]) == (is_applied, fault)
    status = client.get("/_sandbox/world?account=act_101").json()["campaigns"][0]["adsets"][0]
    assert status["status"] == ("PAUSED" if is_applied else "ACTIVE")


def test_writes_of_a_batch_that_failed_as_a_whole_are_recorded_one_by_one(
    client: TestClient, demo: World
) -> None:
    items = [
        {"method": "GET", "relative_url": "me"},
        {"method": "POST", "relative_url": demo.population.adsets[0].id, "body": "status=PAUSED"},
        {"method": "DELETE", "relative_url": demo.population.ads[0].id},
    ]
    plan(client, path="", method="POST", status=500)
    client.post("/v26.0/", data={"access_token": WRITE, "batch": json.dumps(items)})
    told = client.get("/_sandbox/writes").json()["data"]
    assert [(one["method"], one["is_applied"]) for one in told] == [
        ("POST", False),
        ("DELETE", False),
    ]
    assert WRITE not in json.dumps(told)


def test_a_reset_connection_gives_not_a_byte_and_makes_no_write(served: Any) -> None:
    adset = served.world.population.adsets[0]
    requests.post(
        f"{served.url}/_sandbox/faults", json={"reset": True, "path": adset.id}, timeout=5
    )
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{served.url}/v26.0/{adset.id}",
            data={"access_token": WRITE, "status": "PAUSED"},
            timeout=5,
        )
    assert adset.status == "ACTIVE"
    (told,) = requests.get(f"{served.url}/_sandbox/writes", timeout=5).json()["data"]
    assert (told["status"], told["fault"], told["is_applied"]) == (0, "reset", False)
    assert requests.get(f"{served.url}/_sandbox/clock", timeout=5).status_code == 200


def test_a_client_that_gives_up_finds_its_write_made(served: Any) -> None:
    adset = served.world.population.adsets[0]
    late = {"latency_after_s": 0.5, "path": adset.id}
    requests.post(f"{served.url}/_sandbox/faults", json=late, timeout=5)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{served.url}/v26.0/{adset.id}",
            data={"access_token": WRITE, "status": "PAUSED"},
            timeout=0.1,
        )
    for _ in range(MOST_LOOKS):
        if requests.get(f"{served.url}/_sandbox/writes", timeout=5).json()["data"]:
            break
    assert adset.status == "PAUSED"


def batch(client: TestClient, *items: tuple[str, str, str]) -> list[Any]:
    asked = [{"method": method, "relative_url": url, "body": body} for method, url, body in items]
    form = {"access_token": WRITE, "batch": json.dumps(asked), "include_headers": "false"}
    answer = client.post("/v26.0/", data=form)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_a_route_meets_that_item_of_a_batch_and_no_other(
    client: TestClient, kind: str
) -> None:
    plan(client, kind=kind, path="act_101/*", method="GET")
    asked = [("GET", "v26.0/act_102/adsets?limit=1", ""), ("GET", "act_101/adsets?limit=1", "")]
    other, met = batch(client, *asked)
    assert other["code"] == 200
    error, _ = KINDS[kind]
    assert met["code"] == error.status
    assert json.loads(met["body"])["error"]["code"] == error.code
    assert [one["code"] for one in batch(client, *asked)] == [200, 200]


@pytest.mark.parametrize(
    ("fault", "code", "is_made"),
    [
        ({"reset": True}, None, False),
        ({"drop_after_write": True}, None, True),
        ({"status": 502, "body": "<html>"}, 502, False),
        ({"status_after": 504, "body": "<html>"}, 504, True),
        ({"error": {"code": 1}}, 400, False),
        ({"truncate": 4}, 200, True),
    ],
)
def test_a_write_in_a_batch_is_made_or_not_as_the_fault_says_and_recorded(
    client: TestClient, fault: dict[str, object], code: int | None, *, is_made: bool
) -> None:
    adset = get(client, "act_101/adsets", fields="name", limit="1").json()["data"][0]
    plan(client, path=adset["id"], method="POST", **fault)
    met, other = batch(client, ("POST", adset["id"], "name=New"), ("GET", "me", ""))
    assert other["code"] == 200
    assert (None if met is None else met["code"]) == code
    (written,) = client.get("/_sandbox/writes").json()["data"]
    assert (written["is_applied"], written["fault"] is None) == (is_made, False)
    assert (get(client, adset["id"], fields="name").json()["name"] == "New") is is_made
    if met is not None and code != 400:
        assert met["body"] in ("<html>", '{"su')


def test_nonsense_and_emptiness_stand_in_the_items_of_a_route(client: TestClient) -> None:
    asked = [("GET", "act_101/adsets?fields=name,daily_budget&limit=2", "")]
    plan(client, path="act_101/adsets", nonsense="bare_nan", fields=["daily_budget"])
    plan(client, path="act_101/adsets", empty=True)
    spoilt_text, empty = batch(client, *asked)[0]["body"], batch(client, *asked)[0]["body"]
    assert '"daily_budget":NaN' in spoilt_text
    assert json.loads(empty) == {"data": []}
