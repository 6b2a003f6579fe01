"""Worlds to test with: a small one, the shipped one, and a real server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.graph.platform import Answer, Platform, Question
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 20, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"
SMALL = """
name = "small"
description = "One account, two campaigns, four ad sets."
seed = 3

[kinds.good]
cpa_ratio = [0.4, 0.6]

[kinds.worn]
cpa_ratio = [0.6, 0.8]
ctr_percent = [2.0, 3.0]
audience = [400, 800]
fatigue = [0.02, 0.03]

[[accounts]]
id = "7"
name = "Small Shop"
currency = "USD"
time_zone = "America/New_York"
target_cpa = 20
target_roas = 2.5
cpm = 12
order_value = 45

[[accounts.campaigns]]
name = "Always On"
adsets = [
  { name = "Lookalike 1%", kind = "good", budget = 200, ads = ["A", "B", "C"] },
  { name = "Retargeting", kind = "worn", budget = 60, ads = ["A", "B"] },
]

[[accounts.campaigns]]
name = "Advantage"
budget = 150
adsets = [
  { name = "Broad", kind = "good", ads = ["A", "B"] },
  { name = "Stacked", kind = "good", ads = ["A"] },
]
"""


@dataclass(frozen=True)
class Asker:
    """Asks a platform without HTTP."""

    platform: Platform

    def get(self, path: str, **params: str) -> Answer:
        return self.platform.answer(
            Question("GET", path, {"access_token": READ, **params}, "http://x/v26.0")
        )

    def post(self, path: str, *, token: str = WRITE, **params: str) -> Answer:
        return self.platform.answer(
            Question("POST", path, {"access_token": token, **params}, "http://x/v26.0")
        )

    def rows(self, path: str, **params: str) -> list[dict[str, object]]:
        answer = self.get(path, limit="5000", **params)
        assert answer.status == 200, answer.body
        data: list[dict[str, object]] = answer.body["data"]
        return data


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worlds") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def played_demo() -> World:
    """The demonstration world ten days in; take a fork of it."""
    world = World.load("demo", start=START)
    world.advance(240)
    return world


@pytest.fixture
def demo(played_demo: World) -> World:
    return played_demo.fork()


@pytest.fixture
def asker(demo: World) -> Asker:
    return Asker(Platform(demo, read_token=READ, write_token=WRITE))


@pytest.fixture(scope="session")
def ask_of() -> Callable[[World], Asker]:
    """Returns an asker for any world."""
    return lambda world: Asker(Platform(world, read_token=READ, write_token=WRITE))


@dataclass(frozen=True)
class Served:
    """A real server: its URL, and the world behind it."""

    url: str
    world: World


@pytest.fixture
def served(demo: World) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(demo, read_token=READ, write_token=WRITE)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield Served(f"http://127.0.0.1:{port}", demo)
    server.should_exit = True
    thread.join(timeout=10)
