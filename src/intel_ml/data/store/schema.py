"""Bring the database to the newest schema, and say which it has.

Reads   the migrations beside this file.
Gives   `upgrade`, `current_revision`, `newest_revision`.
Never   drops what it did not archive.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from intel_ml.data.store.sessions import Store

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x1A7E1


def upgrade(store: Store, revision: str = "head") -> None:
    """Apply every missing migration in one transaction; a second process waits."""
    with store.connection() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def current_revision(store: Store) -> str | None:
    """Return the revision the database is at, None when it is empty."""
    with store.connection() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the newest revision this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
