from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from intel_ml.core.errors import UnavailableError
from intel_ml.surfaces import supervisor as supervisor_module
from intel_ml.surfaces.supervisor import Noticed, ProcessSpec, Supervisor, free_port

SERVER = """
import http.server, sys
handler = http.server.SimpleHTTPRequestHandler
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), handler).serve_forever()
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print(child.pid, flush=True)
time.sleep(60)
"""


def spec(name: str, program: str, *arguments: str, url: str | None = None) -> ProcessSpec:
    return ProcessSpec(name, [sys.executable, "-c", program, *arguments], dict(os.environ), url)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def is_gone(pid: int) -> bool:
    """Return whether a process that was killed ends: the system takes a moment to bury it."""
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_a_process_is_ready_once_it_answers_and_gone_afterwards(tmp_path: Path):
    port = free_port(0)
    with Supervisor(logs=tmp_path / "logs", cwd=tmp_path) as supervisor:
        supervisor.start(spec("web", SERVER, str(port), url=f"http://127.0.0.1:{port}/"))
        supervisor.wait_ready("web")
        pid = supervisor.processes()["web"]
        assert is_alive(pid)
    assert not is_alive(pid)


def test_children_of_a_process_go_with_it(tmp_path: Path):
    with Supervisor(logs=tmp_path, cwd=tmp_path) as supervisor:
        supervisor.start(spec("parent", PARENT))
        log = supervisor.log_file("parent")
        while not log.read_text().strip():
            time.sleep(0.05)
        child = int(log.read_text())
        assert is_alive(child)
    assert is_gone(child)


def test_what_died_is_started_again_until_it_is_given_up(tmp_path: Path):
    with Supervisor(logs=tmp_path, cwd=tmp_path) as supervisor:
        supervisor.start(spec("brief", "pass"))
        while supervisor.processes():
            time.sleep(0.02)
        assert supervisor.watch() == [Noticed("brief", is_given_up=False)]


def test_what_never_stays_is_given_up_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor_module, "_RESTART_PAUSE_S", 0.0)
    noticed = []
    with Supervisor(logs=tmp_path, cwd=tmp_path) as supervisor:
        supervisor.start(spec("brief", "pass"))
        while not (noticed and noticed[-1].is_given_up):
            noticed += supervisor.watch()
            time.sleep(0.02)
        assert supervisor.watch() == []
    assert [one.is_given_up for one in noticed] == [False] * 5 + [True]


def test_a_killed_process_leaves_no_child_not_even_one_in_a_session_of_its_own(tmp_path: Path):
    """BentoML's workers are such: they would keep the port from the next one."""
    program = PARENT.replace("time.sleep(60)'])", "time.sleep(60)'], start_new_session=True)")
    with Supervisor(logs=tmp_path, cwd=tmp_path) as supervisor:
        supervisor.start(spec("parent", program))
        log = supervisor.log_file("parent")
        while not log.read_text().strip():
            time.sleep(0.05)
        child = int(log.read_text())
        os.kill(supervisor.processes()["parent"], signal.SIGKILL)
        while supervisor.processes():
            time.sleep(0.02)
        assert is_alive(child)
        assert [one.name for one in supervisor.watch()] == ["parent"]
        assert not is_alive(child)


def test_a_process_that_ends_before_it_is_ready_says_its_last_words(tmp_path: Path):
    with Supervisor(logs=tmp_path, cwd=tmp_path) as supervisor:
        supervisor.start(spec("broken", "raise SystemExit('no disk')", url="http://127.0.0.1:9/"))
        with pytest.raises(UnavailableError, match=r"'broken' does not answer.*no disk"):
            supervisor.wait_ready("broken")


def test_a_taken_port_is_not_given_out():
    import socket  # noqa: PLC0415  # this test alone

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert free_port(number) != number
