"""Batches through the official SDK and as they are on the wire."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.data.sandbox.conformance.conftest import READ, WRITE, Sandbox


def sent(sandbox: Sandbox, items: list[dict[str, Any]], **more: str) -> Any:
    data = {"access_token": WRITE, "batch": json.dumps(items), **more}
    return requests.post(f"{sandbox.url}/v26.0/", data=data, timeout=10).json()


def update(sandbox: Sandbox, symbol: str, body: str, **more: object) -> dict[str, Any]:
    return {"method": "POST", "relative_url": sandbox.id_of(symbol), "body": body, **more}


def test_the_sdk_reads_and_writes_in_one_batch_and_is_told_of_each_failure(
    sandbox: Sandbox,
) -> None:
    batch, good, bad = sandbox.writer.new_batch(), [], []
    callbacks: dict[str, Any] = {
        "success": lambda answer: good.append(answer.json()),
        "failure": lambda answer: bad.append(answer.error().api_error_subcode()),
    }
    sandbox.object("account/7", writes=True).api_get(fields=["currency"], batch=batch, **callbacks)
    for symbol, amount in [("adset/Own", 21000), ("adset/Pooled One", 5000)]:
        sandbox.object(symbol, writes=True).api_update(
            params={"daily_budget": amount}, batch=batch, **callbacks
        )
    assert batch.execute() is None
    assert good == [{"currency": "USD", "id": "act_7"}, {"success": True}]
    assert bad == [1885621]


def test_ad_sets_of_one_campaign_are_refused_and_the_rest_is_done(sandbox: Sandbox) -> None:
    answers = sent(
        sandbox,
        [
            update(sandbox, "adset/Own", "status=PAUSED"),
            update(sandbox, "adset/Pooled One", "status=PAUSED"),
            update(sandbox, "adset/Sibling", "status=PAUSED"),
        ],
    )
    assert [one["code"] for one in answers] == [400, 200, 400]
    assert "multiple Adsets" in json.loads(answers[0]["body"])["error"]["message"]
    recorded = sandbox.control.platform.writes
    assert [one.is_applied for one in recorded] == [False, True, False]


def test_fifty_are_taken_and_fifty_one_are_not(sandbox: Sandbox) -> None:
    item = {"method": "GET", "relative_url": "me"}
    assert len(sent(sandbox, [item] * 50)) == 50
    assert sent(sandbox, [item] * 51)["error"]["code"] == 100


def test_an_asynchronous_batch_is_refused_by_name(sandbox: Sandbox) -> None:
    data = {"access_token": WRITE, "asyncbatch": "[]"}
    answer = requests.post(f"{sandbox.url}/v26.0/", data=data, timeout=10).json()
    assert "asyncbatch" in answer["error"]["message"]


def test_headers_come_as_a_list_and_can_be_left_out(sandbox: Sandbox) -> None:
    item = {"method": "GET", "relative_url": "act_7?fields=name"}
    (one,) = sent(sandbox, [item])
    assert {"name", "value"} == set(one["headers"][0])
    (bare,) = sent(sandbox, [item], include_headers="false")
    assert set(bare) == {"code", "body"}


def test_an_item_waits_for_the_one_it_depends_on(sandbox: Sandbox) -> None:
    copy = {
        "method": "POST",
        "relative_url": f"{sandbox.id_of('adset/Own')}/copies",
        "name": "made",
    }
    rename = {
        "method": "POST",
        "relative_url": "{result=made:$.copied_adset_id}",
        "body": "name=Second",
    }
    answers = sent(sandbox, [{**copy, "omit_response_on_success": False}, rename])
    made = json.loads(answers[0]["body"])["copied_adset_id"]
    assert sandbox.world.node(made).name == "Second"
    assert sent(sandbox, [copy, rename])[0] is None, "a good answer others build on is left out"


def test_nothing_is_done_after_a_failure_it_depends_on(sandbox: Sandbox) -> None:
    answers = sent(
        sandbox,
        [
            update(sandbox, "adset/Own", "daily_budget=1", name="first"),
            update(sandbox, "adset/Pooled One", "status=PAUSED", depends_on="first"),
        ],
    )
    assert answers[0]["code"] == 400
    assert answers[1] is None
    assert len(sandbox.control.platform.writes) == 1
    unknown = update(sandbox, "adset/Own", "status=PAUSED", depends_on="nobody")
    assert sent(sandbox, [unknown])["error"]["code"] == 100


def test_values_of_a_list_go_into_a_url_joined(sandbox: Sandbox) -> None:
    account = sandbox.id_of("account/7")
    answers = sent(
        sandbox,
        [
            {"method": "GET", "relative_url": f"{account}/campaigns?fields=id", "name": "all"},
            {"method": "GET", "relative_url": "{result=all:$.data.*.id}?fields=name"},
        ],
    )
    assert answers[0] is None
    # Two ids joined by a comma are one path, which this API doesn't have: the list was filled in.
    assert "," in json.loads(answers[1]["body"])["error"]["message"]


def test_the_read_token_writes_in_no_batch(sandbox: Sandbox) -> None:
    items = [update(sandbox, "adset/Own", "status=PAUSED")]
    data = {"access_token": READ, "batch": json.dumps(items)}
    (answer,) = requests.post(f"{sandbox.url}/v26.0/", data=data, timeout=10).json()
    assert json.loads(answer["body"])["error"]["code"] == 200
    assert sandbox.world.node(sandbox.id_of("adset/Own")).status == "ACTIVE"
