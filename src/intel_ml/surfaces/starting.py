"""Start the whole platform and keep it up until someone says stop.

Reads   `Settings`.
Gives   `run_platform`, and the supervised processes for the demo.
Never   leaves a process behind.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from intel_ml.core.errors import ConflictError, IntelError, UnavailableError
from intel_ml.data.store import schema
from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.platform import embedded_postgres, open_store
from intel_ml.surfaces.processes import process_names, process_spec
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.supervisor import Supervisor

_WATCH_EVERY_S = 2.0
_GONE_WITHIN_S = 3.0
_LOOK_EVERY_S = 0.1
_OTHERS = sql(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def run_platform(settings: Settings, *, env_file: Path | None) -> None:
    """Start what the settings ask for, say where it is, and supervise it until Ctrl-C."""
    names = process_names(settings)
    with (
        sole(settings.intel_home / "up.lock"),
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
def sole(lock: Path) -> Iterator[None]:
    """Be the only one who runs this platform; say who does when it is another."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise ConflictError(
                f"This platform runs already, as process {file.read().strip() or 'unknown'}.",
                hint="`intel-ml status` tells more; end it first to start it anew.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def database(settings: Settings) -> Iterator[None]:
    """Have a database with the newest schema, and keep an embedded one up.

    An embedded server is stopped at the end, whoever started it, unless somebody else uses it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _leave)
    store = open_store(settings)
    stop = threading.Event()
    server = None if settings.intel_database_url is not None else embedded_postgres(settings)
    keeper = threading.Thread(target=_keep_database, args=[server, stop], name="database")
    if server is not None:
        keeper.start()
    try:
        schema.upgrade(store)
        yield
    finally:
        stop.set()
        store.close()
        if server is not None:
            keeper.join()
            if not _is_used(store):
                _stop(server)


def keep_up(supervisor: Supervisor) -> None:
    """Restart what dies, until Ctrl-C or SIGTERM."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while not stop.wait(_WATCH_EVERY_S):
        for noticed in supervisor.watch():
            became = "ends again and again: given up" if noticed.is_given_up else "started again"
            log = supervisor.log_file(noticed.name)
            _note(f"{noticed.name} ended, {became}. See {log}.")
    sys.stdout.write("Stopping.\n")


def _keep_database(server: EmbeddedPostgres, stop: threading.Event) -> None:
    """Start the embedded server again when it is gone, until asked to stop."""
    while not stop.wait(_WATCH_EVERY_S):
        if server.is_running:
            continue
        try:
            server.start()
        except IntelError as error:
            _note(f"The database ended and does not start: {error}")
        else:
            _note("The database ended, started again.")


def _is_used(store: Store) -> bool:
    """Return whether somebody else is connected; who just ended gets a moment to be gone."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    try:
        with store.connection() as connection:
            while connection.execute(_OTHERS).scalar_one() and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
            return bool(connection.execute(_OTHERS).scalar_one())
    except (IntelError, SQLAlchemyError):
        return False
    finally:
        store.close()


def _stop(server: EmbeddedPostgres) -> None:
    """Stop the server; one that was killed a moment ago cannot be stopped, and need not be."""
    try:
        server.stop()
    except UnavailableError:
        if server.is_running:
            raise


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does: every context on the way out is closed."""
    raise KeyboardInterrupt


def _note(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
