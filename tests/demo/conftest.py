"""One short demo for all tests of this folder: a real platform, started once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.running import Demo


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    # Every user may enter the folder: as root, the database's server runs as `nobody`.
    project = Path(tempfile.mkdtemp(prefix="intel-demo-"))
    project.chmod(0o755)
    value = Demo(project)
    try:
        value.start()
        yield value
    finally:
        value.end()


@pytest.fixture(autouse=True)
def up(request: pytest.FixtureRequest) -> None:
    """Start it again where the test before has stopped it."""
    if "demo" in request.fixturenames:
        running: Demo = request.getfixturevalue("demo")
        if not running.is_up:
            running.start()
