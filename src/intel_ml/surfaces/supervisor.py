"""Start processes, watch them, start them again when they die, and leave none behind.

Reads   what each process is: a command, an environment, how to tell that it is ready.
Gives   `Supervisor`, a context that ends with every process gone.
Never   ends a process it did not start.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from intel_ml.core.errors import UnavailableError

_READY_WITHIN_S = 90.0
_POLL_S = 0.1
_STOP_WITHIN_S = 12.0
_RESTARTS = 5
_RESTART_PAUSE_S = 1.0
#: Who has run as long as this is well again: its earlier ends no longer count.
_STEADY_AFTER_S = 60.0
_PR_SET_PDEATHSIG = 1
_LOG_TAIL = 400
#: Names the supervisor and the process; all that a process starts inherits it.
_MARK = "INTEL_SUPERVISED_BY"
_GONE_WITHIN_S = 5.0
#: A process may have started the embedded server, which outlives it on purpose.
_DATABASE = "postgres"
_OK_BELOW = 500


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: its command and, when it has one, the address that answers once it is ready."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready_url: str | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """A process that had ended: started again, or given up because it would not stay."""

    name: str
    is_given_up: bool


@dataclass(slots=True)
class _Running:
    spec: ProcessSpec
    popen: subprocess.Popen[bytes]
    restarts: int = 0
    started_at: float = field(default_factory=time.monotonic)
    is_given_up: bool = field(default=False)


class Supervisor:
    """Processes in sessions of their own, their output in one log file each."""

    def __init__(self, *, logs: Path, cwd: Path) -> None:
        self._logs, self._cwd = logs, cwd
        self._running: dict[str, _Running] = {}

    def __enter__(self) -> Supervisor:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process without waiting for it."""
        self._running[spec.name] = _Running(spec, self._spawn(spec))

    def wait_ready(self, *names: str) -> None:
        """Wait until each process answers; say which one did not, with the end of its log."""
        for name in names:
            running = self._running[name]
            deadline = time.monotonic() + _READY_WITHIN_S
            while not _answers(running.spec.ready_url):
                if running.popen.poll() is not None or time.monotonic() > deadline:
                    raise UnavailableError(
                        service=f"The process '{name}'", check=self._last_words(name)
                    )
                time.sleep(_POLL_S)

    def watch(self) -> list[Noticed]:
        """Start what died again, a few times in a row; return what was started or given up."""
        noticed = []
        for running in self._running.values():
            if running.is_given_up or running.popen.poll() is None:
                continue
            if time.monotonic() - running.started_at > _STEADY_AFTER_S:
                running.restarts = 0
            running.is_given_up = running.restarts >= _RESTARTS
            noticed.append(Noticed(running.spec.name, is_given_up=running.is_given_up))
            _signal_group(running.popen, signal.SIGKILL)
            if running.is_given_up:
                continue
            time.sleep(_RESTART_PAUSE_S)
            running.restarts += 1
            running.popen, running.started_at = self._spawn(running.spec), time.monotonic()
        return noticed

    def processes(self) -> dict[str, int]:
        """Return the process id of everything that runs, by name."""
        return {n: r.popen.pid for n, r in self._running.items() if r.popen.poll() is None}

    def stop(self) -> None:
        """Ask every process to end, newest first, and end those that do not."""
        for running in reversed(self._running.values()):
            _signal_group(running.popen, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_WITHIN_S
        for running in self._running.values():
            try:
                running.popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(running.popen, signal.SIGKILL)
                running.popen.wait()
            _signal_group(running.popen, signal.SIGKILL)
            _end_marked(self._mark(running.spec.name))
        self._running.clear()

    def log_file(self, name: str) -> Path:
        """Return where a process writes."""
        return self._logs / f"{name}.log"

    def _mark(self, name: str) -> str:
        """Return what is in the environment of a process and of all that it starts itself."""
        return f"{_MARK}={self._logs.resolve()}:{name}"

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        mark = self._mark(spec.name)
        # What an earlier one started may have outlived it, and may hold its port.
        _end_marked(mark)
        with self.log_file(spec.name).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own commands, no shell
                list(spec.argv),
                env={**spec.env, _MARK: mark.removeprefix(f"{_MARK}=")},
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # one prctl call, no locks
            )

    def _last_words(self, name: str) -> str:
        path = self.log_file(name)
        tail = path.read_text(errors="replace")[-_LOG_TAIL:].strip() if path.exists() else ""
        return f"See {path}. It ends: {tail}" if tail else f"See {path}."


def free_port(preferred: int) -> int:
    """Return `preferred` if nothing listens there, else a free port of the system's choice."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise UnavailableError(service="A free port", check="Close a program that listens on loopback.")


def _answers(url: str | None) -> bool:
    if url is None:
        return True
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # loopback, our own URL
            return bool(answer.status < _OK_BELOW)
    except urllib.error.HTTPError as error:
        return error.code < _OK_BELOW
    except OSError:
        return False


def _signal_group(popen: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(popen.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _end_marked(mark: str) -> None:
    """End what carries the mark, sessions of their own included; the database may stay."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    while (found := _marked(mark)) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _marked(mark: str) -> list[int]:
    """Return the processes that carry the mark, where the system tells."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            names = (folder / "environ").read_bytes().split(b"\0")
            if mark.encode() in names and (folder / "comm").read_text().strip() != _DATABASE:
                found.append(int(folder.name))
    return found


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
