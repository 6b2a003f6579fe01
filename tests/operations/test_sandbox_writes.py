"""The executor against the sandbox over HTTP: the platform's own record of writes is the oracle."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from intel_ml.core.actions import ActionStatus
from intel_ml.data.sandbox.server import create_app
from intel_ml.data.sandbox.world import World
from intel_ml.operations.access import WriteAccess
from intel_ml.operations.dispatcher import drain
from intel_ml.operations.limits import Limits
from intel_ml.operations.undo import undo
from tests.operations.conftest import CUT, PAUSE, Desk

READ, WRITE = "read-token", "write-token"

pytestmark = pytest.mark.server


@dataclass
class Sandbox:
    url: str
    adset: dict[str, Any]

    def read(self) -> dict[str, Any]:
        fields = "id,status,effective_status,daily_budget"
        query = {"fields": fields, "access_token": READ}
        found: dict[str, Any] = httpx.get(
            f"{self.url}/v26.0/{self.adset['id']}", params=query
        ).json()
        return found

    def writes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_sandbox/writes").json()["data"]
        return found

    def fault(self, **described: Any) -> None:
        httpx.post(f"{self.url}/_sandbox/faults", json=described).raise_for_status()


@pytest.fixture
def sandbox(desk: Desk) -> Iterator[Sandbox]:
    start = (desk.now() - timedelta(days=10)).replace(minute=0, second=0, microsecond=0)
    app = create_app(World.load("thin", start=start), read_token=READ, write_token=WRITE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    httpx.post(f"{url}/_sandbox/advance", json={"hours": 240}, timeout=60).raise_for_status()
    yield Sandbox(url, _adset(url))
    server.should_exit = True
    thread.join()


def _adset(url: str) -> dict[str, Any]:
    """Return an ad set that delivers on a daily budget of its own and is not learning."""
    fields = "id,status,effective_status,daily_budget,learning_stage_info"
    for account in httpx.get(f"{url}/_sandbox/world").json()["accounts"]:
        query = {"fields": fields, "limit": 100, "access_token": READ}
        for one in httpx.get(f"{url}/v26.0/{account['id']}/adsets", params=query).json()["data"]:
            is_learning = (one.get("learning_stage_info") or {}).get("status") == "LEARNING"
            if (
                one["effective_status"] == "ACTIVE"
                and int(one.get("daily_budget", 0))
                and not is_learning
            ):
                return dict(one)
    pytest.fail("the world has no such ad set")


def _drain(desk: Desk, sandbox: Sandbox) -> int:
    access = WriteAccess(sandbox.url, WRITE)
    return drain(desk.store, access, Limits(stale_after_hours=999), enabled=True)


def _propose(desk: Desk, sandbox: Sandbox, action: Any) -> int:
    desk.graph.entities[sandbox.adset["id"]] = sandbox.read()
    return desk.propose(sandbox.adset["id"], action)


def test_a_cut_changes_the_ad_set_on_the_platform_once(desk: Desk, sandbox: Sandbox) -> None:
    before = int(sandbox.read()["daily_budget"])
    action = _propose(desk, sandbox, CUT)
    assert _drain(desk, sandbox) == 1
    assert desk.action(action).status == ActionStatus.EXECUTED
    assert (
        int(sandbox.read()["daily_budget"])
        == desk.action(action).value_after["daily_budget_minor"]
        < before
    )
    assert len(sandbox.writes()) == 1


def test_a_response_lost_after_the_write_is_found_by_reading(desk: Desk, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", drop_after_write=True)
    action = _propose(desk, sandbox, PAUSE)
    assert _drain(desk, sandbox) == 1
    assert desk.action(action).status == ActionStatus.EXECUTED
    assert sandbox.read()["status"] == "PAUSED"
    assert len(sandbox.writes()) == 1


def test_undo_brings_the_ad_set_back(desk: Desk, sandbox: Sandbox) -> None:
    action = _propose(desk, sandbox, PAUSE)
    _drain(desk, sandbox)
    with desk.store.session() as session:
        undo(session, account_id="act_1", action_id=action, by=desk.ana, now=desk.now())
    assert _drain(desk, sandbox) == 1
    assert sandbox.read()["status"] == "ACTIVE"
    assert desk.action(action).status == ActionStatus.UNDONE
    assert len(sandbox.writes()) == 2


def test_the_read_token_cannot_change_anything(desk: Desk, sandbox: Sandbox) -> None:
    action = _propose(desk, sandbox, CUT)
    access = WriteAccess(sandbox.url, READ)
    assert drain(desk.store, access, Limits(stale_after_hours=999), enabled=True) == 0
    assert desk.action(action).status == ActionStatus.APPROVED
    assert not any(one["is_applied"] for one in sandbox.writes())
