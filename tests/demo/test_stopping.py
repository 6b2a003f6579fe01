"""Ctrl-C leaves nothing running, and the next start takes up what is there."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from intel_ml.data.store.tables import CollectionRun, Decision
from tests.demo.running import Demo
from tests.demo.sockets import descendants

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("demo"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_ctrl_c_leaves_no_process_and_a_second_start_takes_up_what_is_there(demo: Demo) -> None:
    # A run of the scheduler may be about to log its decisions of this very moment.
    until = demo.store.now() - timedelta(hours=1)
    made = (demo.home / "made.json").read_text()
    counts = _counts(demo, until)
    running = demo.processes()
    assert len(running) > 6

    assert demo.stop() == 0
    assert _alive(running) == []
    assert _about(demo.project) == []
    assert not (demo.postgres.data / "postmaster.pid").exists()
    assert "Traceback" not in demo.output.read_text()

    demo.start()
    assert _counts(demo, until) == counts
    assert (demo.home / "made.json").read_text() == made
    assert "Play" not in demo.output.read_text()
    assert demo.ask("GET", "/api/intelligence/dashboard").status_code == 200

    again = demo.processes()
    assert demo.stop() == 0
    assert _alive(again) == []
    assert _about(demo.project) == []


def _counts(demo: Demo, until: datetime) -> list[int]:
    with demo.store.session() as session:
        return [
            session.scalars(select(func.count()).where(column <= until)).one()
            for column in (Decision.as_of, CollectionRun.as_of)
        ]


def _alive(processes: dict[int, str]) -> list[int]:
    return [pid for pid, at in processes.items() if descendants(pid).get(pid) == at]


def _about(folder: Path) -> list[str]:
    """Return every process that works in a folder, or names it in its command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            works_in = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in command or works_in.startswith(str(folder)):
            found.append(f"{process.name} {command}")
    return found
