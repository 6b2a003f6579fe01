"""The state of every entity as known at one moment, computed in PostgreSQL from the history.

Its peer is the least any answer must do: read the same rows once and add them up.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, text

from benchmarks.installation import DAYS, Installation
from benchmarks.measuring import Row, ratio, row, side_by_side
from intel_ml.learning.states import read_states

_PLAIN = [
    text(
        f"SELECT ad_account_id, entity_type, entity_id, sum(spend_minor), sum(conversions) "  # noqa: S608  # our own names
        f"FROM {table} GROUP BY 1, 2, 3"
    )
    for table in ("intel_performance_daily", "intel_performance_snapshot")
]


def measure(installation: Installation) -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    accounts, now = installation.accounts, installation.now
    with installation.store.connection() as connection:
        connection.execute(text("ANALYZE"))
        every = read_states(connection, accounts=accounts, as_of=now)
        ours, one, plain = side_by_side(
            lambda: read_states(connection, accounts=accounts, as_of=now),
            lambda: read_states(connection, accounts=accounts[:1], as_of=now),
            lambda: _add_up(connection),
            repeats=60,
        )
    count = f"{len(every)} entities, {len(every.columns)} features, {DAYS} days"
    rate = f"{len(every) / float(np.median(ours)):,.0f} states a second"
    yield row(
        f"state of all accounts: {count}",
        ours,
        note=f"{rate}; {ratio(ours, plain)} one plain sum over the same {installation.rows:,} rows",
    )
    yield row("state of one account", one, note=f"{ratio(one, ours)} all of them")
    yield row(f"plain sum over {installation.rows:,} rows", plain, note="the peer")


def _add_up(connection: Connection) -> None:
    for statement in _PLAIN:
        connection.execute(statement).all()
