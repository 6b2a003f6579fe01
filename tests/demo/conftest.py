"""One short demo for all tests of this folder: a real platform, started once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.running import Demo


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Send a group's tests to one worker: pytest-xdist 3.8 says so in a name 9.2 does not read."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None and not hasattr(item, "_nodeid"):
            item._id = type(item._id).parse(f"{item.nodeid}@{group.args[0]}")


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
