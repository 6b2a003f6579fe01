"""One real MLflow server for the tests of a process, on the shared PostgreSQL."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.learning.registry import Registry, server_command
from intel_ml.learning.registry.client import mlflow_client

_PATIENCE_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def tracking_url(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where a tracking server with a database and a folder of its own listens."""
    database = f"mlflow_{uuid.uuid4().hex[:8]}"
    postgres.start(database)
    port, folder = free_port(), tmp_path_factory.mktemp("mlflow")
    argv, environment = server_command(
        postgres.url(database),
        artifacts=folder / "artifacts",
        host="127.0.0.1",
        port=port,
        python=sys.executable,
    )
    with Path(folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            argv,
            env={**os.environ, **environment},
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _PATIENCE_S
        while not _answers(url):
            assert server.poll() is None, (folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "MLflow did not start"
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


@pytest.fixture
def registry(tracking_url: str) -> Registry:
    """The registry with no model in it: what other tests registered on this server is gone."""
    client = mlflow_client(tracking_url)
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    return Registry(tracking_url)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=1).is_success
    except httpx.HTTPError:
        return False
