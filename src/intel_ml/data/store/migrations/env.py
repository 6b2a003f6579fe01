"""Alembic's entry: runs on the connection it is handed, never on one of its own."""

from alembic import context

from intel_ml.data.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
context.run_migrations()
