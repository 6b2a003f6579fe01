"""A world served by hand: where it begins, what a journal decides, and which port it takes."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intel_ml.core.errors import InvalidValueError
from intel_ml.data.sandbox.byhand import LOOPBACK, listening, play_days, world_to_serve
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.world import World

NOW = datetime(2026, 11, 22, 10, 40, tzinfo=UTC)
READ, WRITE = "read-token", "write-token"
BEGUN = datetime(2026, 11, 1, tzinfo=UTC)


def control_of(world: World) -> Control:
    platform = Platform(world, read_token=READ, write_token=WRITE)
    return Control(platform, journal=None, speed=0.0, tick=time.monotonic)


def test_a_world_is_served_with_its_days_played_up_to_the_hour_that_is_now(
    small_file: Path,
) -> None:
    control = control_of(world_to_serve(small_file, days=2, now=NOW))
    told: list[int] = []
    play_days(control, 2, on_day=told.append)
    world = control.platform.world
    assert world.now == NOW.replace(minute=0)
    assert world.start == world.now - timedelta(days=2)
    assert told == [1, 2]
    play_days(control, 2, on_day=told.append)
    assert world.hour == 48


def test_what_is_not_said_is_the_journals(small_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).begin(World.load(small_file, start=BEGUN, seed=41))
    again = world_to_serve(small_file, days=30, now=NOW, journal=path)
    assert (again.start, again.seed) == (BEGUN, 41)
    other = world_to_serve(small_file, days=30, now=NOW, journal=path, seed=0, start=NOW)
    assert (other.start, other.seed) == (NOW.replace(minute=0), 0)


@pytest.mark.parametrize("year", [1, 1989, 2101, 9999])
def test_a_start_that_leaves_no_room_for_dates_is_refused(small_file: Path, year: int) -> None:
    with pytest.raises(InvalidValueError, match=r"start: must be from 1990 to 2100"):
        world_to_serve(small_file, days=1, now=NOW, start=BEGUN.replace(year=year))


def test_a_port_that_is_asked_for_is_taken_or_refused_and_never_another() -> None:
    with listening(None, preferred=0) as bound:
        host, port = bound.getsockname()
        assert host == LOOPBACK
        with pytest.raises(InvalidValueError, match=rf"port: {port} is in use"):
            listening(port, preferred=0)
        with listening(None, preferred=port) as other:
            assert other.getsockname()[1] != port
    with listening(port, preferred=0) as again, socket.create_connection((LOOPBACK, port)):
        assert again.getsockname()[1] == port
