"""Start the whole platform and keep it up until someone says stop.

Reads   `Settings`.
Gives   `run_platform`, and the supervised processes for the demo.
Never   leaves a process behind.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from intel_ml.data.store import schema
from intel_ml.surfaces.platform import embedded_postgres, open_store
from intel_ml.surfaces.processes import process_names, process_spec
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.supervisor import Supervisor

_WATCH_EVERY_S = 2.0


def run_platform(settings: Settings, *, env_file: Path | None) -> None:
    """Start what the settings ask for, say where it is, and supervise it until Ctrl-C."""
    names = process_names(settings)
    with (
        database(settings),
        Supervisor(logs=settings.intel_home / "logs", cwd=settings.project) as supervisor,
    ):
        for name in names:
            supervisor.start(process_spec(name, settings, env_file=env_file))
        supervisor.wait_ready(*names)
        sys.stdout.write(
            f"Approvals  {settings.ui_url}\n"
            f"API        {settings.api_url}\n"
            f"Models     {settings.mlflow_url}\n"
        )
        keep_up(supervisor)


@contextmanager
def database(settings: Settings) -> Iterator[None]:
    """Have a database with the newest schema; stop it at the end if it was started here."""
    server = embedded_postgres(settings)
    is_ours = settings.intel_database_url is None and not server.is_running
    store = open_store(settings)
    try:
        schema.upgrade(store)
        yield
    finally:
        store.close()
        if is_ours:
            server.stop()


def keep_up(supervisor: Supervisor) -> None:
    """Restart what dies, until Ctrl-C or SIGTERM."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while not stop.wait(_WATCH_EVERY_S):
        for name in supervisor.watch():
            sys.stderr.write(
                f"{time.strftime('%H:%M:%S')} {name} ended and was started again: "
                f"{supervisor.log_file(name)}\n"
            )
    sys.stdout.write("Stopping.\n")
