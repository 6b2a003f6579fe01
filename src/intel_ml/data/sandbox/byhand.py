"""A world served by hand: without the platform, from a command, until it is stopped.

Reads   a world's name or file, and perhaps the journal of an earlier run.
Gives   the world where it is to begin, a port on loopback, and a server that ends cleanly.
Never   listens anywhere but on loopback, and never takes a port that is in use.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from intel_ml.core.errors import InvalidValueError, UnavailableError
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.delivery import whole_hour
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.world import World

LOOPBACK = "127.0.0.1"
_DAY_HOURS = 24
#: Years with room before them and after them for every date that is reckoned.
_EARLIEST, _LATEST = 1990, 2100
_GRACE_S = 2


def world_to_serve(  # noqa: PLR0913  # a command's options, each by its name
    name: str | Path,
    *,
    days: int,
    now: datetime,
    start: datetime | None = None,
    seed: int | None = None,
    journal: Path | None = None,
) -> World:
    """Return a world at its first hour, `days` before now where no start is given.

    What is not said is taken from the journal if it has begun; what is said must agree with it.
    """
    header = None if journal is None else Journal(journal).header()
    if header is not None:
        start = start or header.start
        seed = header.seed if seed is None else seed
    begun = start or now - timedelta(days=days)
    if not _EARLIEST <= begun.year <= _LATEST:
        raise InvalidValueError(path="start", problem=f"must be from {_EARLIEST} to {_LATEST}")
    return World.load(name, start=whole_hour(begun), seed=seed)


def play_days(control: Control, days: int, *, on_day: Callable[[int], None]) -> None:
    """Play the first days of a world that stands at its start; a later one is left where it is."""
    if control.platform.world.hour:
        return
    for day in range(days):
        control.play(_DAY_HOURS)
        on_day(day + 1)


def listening(port: int | None, *, preferred: int) -> socket.socket:
    """Return a socket bound to `port`, or to the preferred one or any free one if none is asked."""
    for number in (preferred, 0) if port is None else (port,):
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, number))
            bound.listen()
        except OSError:
            bound.close()
            continue
        return bound
    if port is not None:
        raise InvalidValueError(path="port", problem=f"{port} is in use", hint="Choose another.")
    raise UnavailableError(service="A free port", check="Close a program that listens on loopback.")


def serve_until_stopped(app: FastAPI, bound: socket.socket) -> None:
    """Serve on a bound socket until SIGINT or SIGTERM, and return."""
    settings = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    # The server sends itself the signal again once it has ended; by then there is nothing to end.
    before = {one: signal.signal(one, _ignored) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        uvicorn.Server(settings).run(sockets=[bound])
    finally:
        bound.close()
        for one, handler in before.items():
            signal.signal(one, handler)


def _ignored(number: int, frame: object) -> None:
    del number, frame
