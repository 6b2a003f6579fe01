"""Nothing speaks to the world: the whole demo is listened to, from its first line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from intel_ml.surfaces.processes import QUIET
from tests.demo.running import Demo

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("demo"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_no_python_of_the_demo_asks_for_a_name_or_address_beyond_loopback(demo: Demo) -> None:
    assert demo.heard.read_text() == ""


def test_no_socket_of_the_demo_reaches_or_is_reached_from_beyond_loopback(demo: Demo) -> None:
    assert sum(watch.looks for watch in demo.watched) > 10
    assert set().union(*(watch.seen for watch in demo.watched)) == set()


#: A notebook draws into its page; everything else of the list is about telemetry and threads.
_TOLD = {name: value for name, value in QUIET.items() if name != "MPLBACKEND"}


def test_every_process_of_the_platform_has_the_vendors_telemetry_off(demo: Demo) -> None:
    checked = 0
    for pid in demo.processes():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"-m" not in command:
            continue
        raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        environment = dict(line.decode().partition("=")[::2] for line in raw if line)
        assert {name: environment.get(name) for name in _TOLD} == _TOLD, command
        checked += 1
    assert checked >= 6
