"""Rows that are safe before they are in the database: a file they are appended to, and its drain.

`append` returns once the row is with the operating system, in a file of this process; a thread
brings what is there into the database, many rows a statement, each committed to disk, and then
begins the file anew. What survives what:

    the process dies at any instant    nothing is lost: who opens the folder next drains the file
    the database dies, or is away      nothing is lost: the file is drained once it is back
    the machine loses power            what was appended in the last moments, `EVERY_S` as a rule

To wait for the disk with each row costs 4 ms where the row itself costs 0.01, to wait for the
database 0.1; the statement must be repeatable (`ON CONFLICT DO NOTHING`), so a row that is drained
twice is there once.

Reads   rows as JSON texts.
Gives   them to one `INSERT`.
Never   forgets a row that `append` returned from: one the database refuses is kept in a file.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
import structlog
from sqlalchemy import make_url

from intel_ml.core.errors import UnavailableError

EVERY_S = 0.1
_INHERIT_EVERY_S = 60.0

_CONNECT_TIMEOUT_S = 3
_PATIENCE_S = 5.0
_MOST_AT_ONCE = 2_000
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)

#: `os.write`, but the interpreter is not let go for the 3 µs a row takes: a background thread that
#: waits for it would take it, and the answer would wait for that thread's turn to end.
_write = ctypes.PyDLL(None, use_errno=True).write
_write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
_write.restype = ctypes.c_ssize_t

log = structlog.get_logger(__name__)


class Spool:
    """The file of one process in a folder that processes share; safe to use from many threads."""

    def __init__(self, folder: Path, url: str, statement: LiteralString) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        plain = make_url(url).set(drivername="postgresql")
        self._url, self._statement = plain.render_as_string(hide_password=False), statement
        self._folder, self._file = folder, folder / f"{uuid.uuid4().hex}.rows"
        # Nobody may see the file before it is locked: they would take it for left behind.
        unnamed = self._file.with_suffix(".new")
        self._descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        unnamed.rename(self._file)
        self._size = self._drained = 0
        self._guard, self._draining = threading.Lock(), threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def append(self, rows: Sequence[str]) -> None:
        """Keep rows, and return once they survive the end of this process.

        Raises
        ------
        UnavailableError
            They cannot be written.
        """
        text = "".join(f"{row}\n" for row in rows).encode()
        with self._guard:
            written = _write(self._descriptor, text, len(text))
            if written < 0:
                raise self._unwritable(os.strerror(ctypes.get_errno()))
            if written != len(text):
                os.ftruncate(self._descriptor, self._size)
                raise self._unwritable("there is no room")
            self._size += written

    def start(self) -> None:
        """Drain in the background, beginning with what ended processes left behind."""
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def flush(self) -> None:
        """Bring everything appended so far into the database.

        Raises
        ------
        UnavailableError
            The database does not answer: the rows stay in the file.
        """
        with self._draining:
            try:
                self._drain()
            except _AWAY as error:
                self._forget()
                raise UnavailableError(
                    service="The database", check="`intel-ml doctor` tells more."
                ) from error

    def close(self) -> None:
        """Drain once more, and give everything back; what cannot be drained stays for the next."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_PATIENCE_S)
        try:
            self.flush()
        except UnavailableError:
            log.warning("decisions stay in a file", file=self._file.name)
        else:
            self._file.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._forget()

    def _run(self) -> None:
        inherit_at = time.monotonic()
        while not self._stop.wait(EVERY_S):
            try:
                if time.monotonic() >= inherit_at:
                    self.inherit()
                    inherit_at = time.monotonic() + _INHERIT_EVERY_S
                if self._size > self._drained:
                    self.flush()
            except (UnavailableError, *_AWAY) as error:
                self._forget()
                log.warning("decisions wait in a file", why=str(error))
                self._stop.wait(1.0)

    def inherit(self) -> None:
        """Drain the files whose process ended: theirs is the lock that nobody holds."""
        for file in sorted(self._folder.glob("*.rows")):
            if file == self._file:
                continue
            with file.open("rb") as left:
                try:
                    fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                with self._draining:
                    for rows in _parts(left.read()):
                        self._insert(rows)
                file.unlink(missing_ok=True)

    def _drain(self) -> None:
        end = self._size
        if end > self._drained:
            for rows in _parts(os.pread(self._descriptor, end - self._drained, self._drained)):
                self._insert(rows)
            self._drained = end
        with self._guard:
            if self._size == self._drained:
                os.ftruncate(self._descriptor, 0)
                self._size = self._drained = 0

    def _insert(self, rows: Sequence[str]) -> None:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S
            )
        try:
            self._connection.execute(self._statement, (f"[{','.join(rows)}]",), prepare=True)
        except _AWAY:
            raise
        except psycopg.Error as error:
            if len(rows) > 1:
                for row in rows:
                    self._insert([row])
                return
            log.exception("a decision was refused by the database", why=str(error))
            with (self._folder / "refused.jsonl").open("a", encoding="utf-8") as refused:
                refused.write(f"{rows[0]}\n")

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _unwritable(self, why: str) -> UnavailableError:
        return UnavailableError(
            service="The decision log",
            check=f"{self._folder} cannot be written: {why}. What is not logged is not answered.",
        )


def _parts(text: bytes) -> Iterator[list[str]]:
    """Yield the rows that were written whole; what was cut off was never answered."""
    whole = text[: text.rfind(b"\n") + 1].decode().splitlines()
    for first in range(0, len(whole), _MOST_AT_ONCE):
        yield whole[first : first + _MOST_AT_ONCE]
