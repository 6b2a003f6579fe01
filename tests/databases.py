"""A database of a test's own, made from a template that has the newest schema."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store


@contextmanager
def fresh_store(postgres: EmbeddedPostgres) -> Iterator[Store]:
    """Give a store on an empty database, which is dropped at the end."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template_intel'))
    value = Store(postgres.url(name))
    yield value
    value.close()
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()
