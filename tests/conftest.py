"""What tests share: one PostgreSQL for the run, a fresh database for each test."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.schema import upgrade
from intel_ml.data.store.sessions import Store
from tests.databases import fresh_store
from tests.tracking import registry, tracking_url

#: One tracking server for all tests of a process.
__all__ = ["registry", "tracking_url"]

_CONNECT = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(address, tuple) and host not in {"127.0.0.1", "::1", "localhost"}:
        pytest.fail(f"a test tried to reach {host}: only loopback is allowed")
    _CONNECT(self, address)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One cluster for all workers: the first one starts it, a template keeps the schema."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    server = EmbeddedPostgres(shared / "postgres")
    server.start("template_intel")
    template = Store(server.url("template_intel"))
    upgrade(template)
    template.close()
    yield server
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        server.stop()


@pytest.fixture
def store(postgres: EmbeddedPostgres) -> Iterator[Store]:
    """A store on an empty database of its own, with the newest schema."""
    with fresh_store(postgres) as value:
        yield value


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the shared cluster once the last worker is done."""
    if hasattr(session.config, "workerinput"):
        return
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None:
        home = Path(factory.getbasetemp()) / "postgres"
        if home.exists() or os.getuid() == 0:
            EmbeddedPostgres(home).forget()
