"""The door to the database: connections, transactions, and the platform's clock.

Reads   a database URL.
Gives   `Store`: sessions that commit or roll back whole, and the one "now" every process agrees on.
Never   is opened twice for one process; never reads the environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from intel_ml.core.errors import UnavailableError

_CHECK = "Start it with `intel-ml up`, or correct INTEL_DATABASE_URL; `intel-ml doctor` tells more."


class Store:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "options": "-c timezone=UTC"},
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a transaction that commits at the end of the block, or rolls back whole."""
        with _reachable(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a plain connection in a transaction, for bulk work."""
        with _reachable(), self.engine.begin() as connection:
            yield connection

    def now(self) -> datetime:
        """Return the platform's moment: the database's clock plus a sandbox's lead."""
        with self.session() as session:
            return platform_now(session)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def platform_now(session: Session | Connection) -> datetime:
    """Return the platform's moment as the database sees it, in UTC."""
    moment: datetime = session.execute(text("SELECT intel_now()")).scalar_one()
    return moment


def set_clock(session: Session | Connection, *, now: datetime) -> None:
    """Make `now` the platform's moment: used with a sandbox only, whose time is simulated."""
    session.execute(
        text(
            "INSERT INTO intel_clock (id, offset_s) "
            "VALUES (1, extract(epoch FROM :now - clock_timestamp())) "
            "ON CONFLICT (id) DO UPDATE SET offset_s = excluded.offset_s"
        ),
        {"now": now},
    )


def clock_offset(session: Session | Connection) -> timedelta:
    """Return how far platform time is ahead of the database's clock."""
    seconds: float | None = session.execute(
        text("SELECT offset_s FROM intel_clock WHERE id = 1")
    ).scalar()
    return timedelta(seconds=seconds or 0.0)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if error.connection_invalidated or not _was_connected(error):
            raise UnavailableError(service="The database", check=_CHECK) from error
        raise


def _was_connected(error: OperationalError) -> bool:
    origin: Any = error.orig
    return getattr(origin, "sqlstate", None) is not None
