"""The first schema: the tables of the loop, the clock, and the database's own guards."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver itself runs it: SQLAlchemy would read the % of RAISE as a placeholder.
    op.get_bind().connection.cursor().execute(script)
