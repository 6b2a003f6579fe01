from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from intel_ml.core.actions import ActionStatus
from intel_ml.operations.approvals import approve
from intel_ml.operations.dispatcher import run
from tests.operations.conftest import CUT, TOKEN, Desk

WAITS = ActionStatus.PENDING_APPROVAL
ENDS_S = 60.0

CHILD = """
import sys
from intel_ml.data.store.sessions import Store
from intel_ml.operations.dispatcher import WriteAccess, drain
from intel_ml.operations.limits import Limits
url, graph, token = sys.argv[1:]
drain(Store(url), WriteAccess(graph, token), Limits(), enabled=True)
"""


def _until(desk: Desk, action: int, status: ActionStatus) -> None:
    deadline = time.monotonic() + ENDS_S
    while desk.action(action).status != status and time.monotonic() < deadline:
        time.sleep(0.02)
    assert desk.action(action).status == status


def test_an_approval_wakes_the_dispatcher_and_stop_ends_it(desk: Desk) -> None:
    stop = threading.Event()
    settings = {"enabled": True, "stop": stop}
    worker = threading.Thread(
        target=run, args=(desk.store, desk.access, desk.limits), kwargs=settings, daemon=True
    )
    worker.start()
    action = desk.propose("11", CUT, status=WAITS)
    with desk.store.session() as session:
        approve(session, account_id="act_1", action_id=action, by=desk.ana, now=desk.now())
    _until(desk, action, ActionStatus.EXECUTED)
    stop.set()
    worker.join(ENDS_S)
    assert not worker.is_alive()
    assert len(desk.graph.writes) == 1


@pytest.mark.server
@pytest.mark.parametrize("point", ["looked", "sent", "applied", "read back"])
def test_a_process_killed_anywhere_leaves_exactly_one_write(desk: Desk, point: str) -> None:
    action = desk.propose("11", CUT)
    started = threading.Event()
    child: list[subprocess.Popen[bytes]] = []

    def kill(reached: str) -> None:
        if reached == point and child and child[0].returncode is None:
            started.wait(ENDS_S)
            os.kill(child[0].pid, signal.SIGKILL)
            child[0].wait(ENDS_S)
            if point == "sent":
                raise ConnectionResetError

    desk.graph.reached = kill
    command = [sys.executable, "-c", CHILD, desk.store.url, desk.graph.url, TOKEN]
    child.append(subprocess.Popen(command))
    started.set()
    child[0].wait(ENDS_S)
    assert child[0].returncode == -signal.SIGKILL
    desk.graph.reached = lambda _: None
    deadline = time.monotonic() + ENDS_S
    while desk.action(action).status in ("approved", "executing") and time.monotonic() < deadline:
        desk.drain()
    assert desk.action(action).status == ActionStatus.EXECUTED
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
