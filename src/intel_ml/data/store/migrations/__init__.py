"""The life of the schema: Alembic's entry and one frozen step a file."""
