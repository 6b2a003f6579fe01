"""A real server for the official SDK; every case starts from the same moment of the same world."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adspixel import AdsPixel
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.population import pixel_id
from intel_ml.data.sandbox.server import create_app

START = datetime(2026, 10, 20, tzinfo=UTC)
PLAYED_HOURS = 8 * 24 + 15
READ, WRITE = "read-token", "write-token"
CLASSES = {
    "user": User,
    "account": AdAccount,
    "campaign": Campaign,
    "adset": AdSet,
    "ad": Ad,
    "pixel": AdsPixel,
}


@dataclass
class Sandbox:
    """The server's URL, its controls, and the SDK with either token."""

    url: str
    control: Control
    reader: FacebookAdsApi
    writer: FacebookAdsApi

    @property
    def world(self) -> World:
        return self.control.platform.world

    def id_of(self, symbol: str) -> str:
        """Return the id of `adset/Own`, `account/7`, `pixel/7`, or the text itself."""
        kind, _, name = symbol.partition("/")
        if kind not in CLASSES or not name:
            return symbol
        if kind == "user":
            return name
        if kind == "account":
            return f"act_{name}"
        population = self.world.population
        if kind == "pixel":
            return next(pixel_id(one) for one in population.accounts if one.id == name)
        nodes = {"campaign": population.campaigns, "adset": population.adsets, "ad": population.ads}
        return next(one.id for one in nodes[kind] if one.name == name)

    def object(self, symbol: str, *, writes: bool = False) -> Any:
        """Return the SDK's object for a symbol."""
        kind = symbol.partition("/")[0]
        return CLASSES[kind](self.id_of(symbol), api=self.writer if writes else self.reader)


@pytest.fixture(scope="session")
def played() -> World:
    world = World.load(Path(__file__).parent / "world.toml", start=START)
    world.advance(PLAYED_HOURS)
    return world


@pytest.fixture(scope="session")
def server(played: World) -> Iterator[Sandbox]:
    app = create_app(played.fork(), read_token=READ, write_token=WRITE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", ws="none")
    process = uvicorn.Server(config)
    thread = threading.Thread(target=process.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not process.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.started
    url = f"http://127.0.0.1:{port}"
    apis = [_api(url, token) for token in (READ, WRITE)]
    yield Sandbox(url, app.state.control, *apis)
    for api in apis:
        api._session.requests.close()
    process.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def sandbox(server: Sandbox, played: World) -> Sandbox:
    server.control.platform.world = played.fork()
    server.control.platform.writes.clear()
    server.control.faults.clear()
    return server


def _api(url: str, token: str) -> FacebookAdsApi:
    session = FacebookSession(access_token=token)
    session.GRAPH = url
    return FacebookAdsApi(session)
