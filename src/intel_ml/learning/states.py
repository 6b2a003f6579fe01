"""States and signatures of entities, read from the history by the one definition of each feature.

Reads   the history in the store, as known at a moment.
Gives   `States` for rules and policies, signatures for clusters; keeps the latest states.
Never   defines a feature: `intel_ml.features` does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, text

from intel_ml.core.accounts import Account
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.catalogue import STATE_FEATURES, features_hash
from intel_ml.features.states import Column, States, states_of

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.data.store.sessions import Store

# One JSON text for all rows: half the price of arrays of JSON.
_SAVE = text(
    "INSERT INTO intel_entity_state "
    "(ad_account_id, entity_type, entity_id, as_of, state, features_hash) "
    "SELECT one.*, CAST(:hash AS text) FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
    "AS one(account text, type text, id text, as_of timestamptz, state jsonb) "
    "ON CONFLICT (ad_account_id, entity_type, entity_id) DO UPDATE "
    "SET as_of = excluded.as_of, state = excluded.state, features_hash = excluded.features_hash "
    "WHERE intel_entity_state.as_of <= excluded.as_of"
)

_LATEST_LOOK = text("SELECT max(as_of) FROM intel_collection_run WHERE ad_account_id = :account")
# A kept state is good while nobody has looked at the account since.
_SAVED = text(
    "SELECT s.entity_type, s.entity_id, s.as_of, s.state FROM intel_entity_state s "
    "JOIN unnest(CAST(:types AS text[]), CAST(:ids AS text[])) AS wanted(type, id) "
    "ON s.entity_type = wanted.type AND s.entity_id = wanted.id "
    "WHERE s.ad_account_id = :account AND s.features_hash = :hash AND s.as_of <= :as_of "
    "AND s.as_of >= coalesce((SELECT max(r.as_of) FROM intel_collection_run r "
    "WHERE r.ad_account_id = :account AND r.status <> 'failed'), s.as_of)"
)


def read_states(
    connection: Connection,
    *,
    accounts: Sequence[Account],
    as_of: datetime | Sequence[datetime],
    entity: Entity | None = None,
) -> States:
    """Return the state of every entity of `accounts` at each moment, or of one `entity`.

    An account's other entities are read even for one: some features compare it with its peers.
    """
    columns = _run(connection, "state", accounts=accounts, as_of=as_of)
    entities = tuple(
        Entity(AdAccountId(account), EntityType(kind), EntityId(key))
        for account, kind, key in zip(
            columns["ad_account_id"], columns["entity_type"], columns["entity_id"], strict=True
        )
    )
    states = States(
        entities=entities,
        moments=tuple(columns["as_of"]),
        columns={
            one.name: _column(columns[one.name], is_word=one.is_word) for one in STATE_FEATURES
        },
    )
    if entity is None:
        return states
    return states.take([row for row, known in enumerate(states.entities) if known == entity])


def current_states(store: Store, account: Account, *, now: datetime) -> States:
    """Return the state of every entity of the account as of `now`, or of a look that came since.

    One snapshot of the database: a look that is being written is seen whole or not at all.
    """
    with store.connection() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        latest: datetime | None = connection.execute(
            _LATEST_LOOK, {"account": account.id}
        ).scalar_one()
        as_of = now if latest is None else max(now, latest)
        return read_states(connection, accounts=[account], as_of=as_of)


def read_signatures(
    connection: Connection, *, accounts: Sequence[Account], as_of: datetime | Sequence[datetime]
) -> pd.DataFrame:
    """Return one row an entity and moment with every signature feature; NaN is unknown."""
    import pandas as pd  # noqa: PLC0415  # slow to load, and the decision path does not need it

    columns = _run(connection, "signature", accounts=accounts, as_of=as_of)
    keys = {
        name: columns.pop(name) for name in ("ad_account_id", "entity_type", "entity_id", "as_of")
    }
    numbers = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return pd.DataFrame({**keys, **numbers})


def save_states(connection: Connection, states: States) -> None:
    """Keep each entity's state as its latest, unless a later one is kept already."""
    rows = [
        {
            "account": entity.account,
            "type": entity.type,
            "id": entity.id,
            "as_of": moment.isoformat(),
            "state": state,
        }
        for entity, moment, state in zip(
            states.entities, states.moments, states.all_states(), strict=True
        )
    ]
    text_of_rows = json.dumps(rows, allow_nan=False)
    connection.execute(_SAVE, {"rows": text_of_rows, "hash": features_hash()})


def saved_states(
    connection: Connection, account: Account, *, entities: Sequence[Entity], as_of: datetime
) -> States | None:
    """Return the states kept by the last cycle; None where one is missing or a look came since.

    What the program computes now and what it kept must be the same features, so another
    `features_hash` counts as missing.
    """
    rows = connection.execute(
        _SAVED,
        {
            "account": account.id,
            "types": [entity.type.value for entity in entities],
            "ids": [entity.id for entity in entities],
            "hash": features_hash(),
            "as_of": as_of,
        },
    ).all()
    found = {(row.entity_type, row.entity_id): row for row in rows}
    kept = [found.get((entity.type.value, entity.id)) for entity in entities]
    if not kept or any(row is None for row in kept):
        return None
    return states_of(
        [row.state for row in kept if row is not None],
        entities=entities,
        moments=[row.as_of for row in kept if row is not None],
    )


def _run(
    connection: Connection,
    which: str,
    *,
    accounts: Sequence[Account],
    as_of: datetime | Sequence[datetime],
) -> dict[str, list[Any]]:
    from intel_ml.data.store.expressions import account_moment, run  # noqa: PLC0415  # loads Ibis

    moments = [as_of] if isinstance(as_of, datetime) else list(as_of)
    asked = [account_moment(account, moment) for account in accounts for moment in moments]
    return run(connection, _expression(which), moments=asked)


@cache
def _expression(which: str) -> Any:
    from intel_ml.data.store.expressions import history_tables  # noqa: PLC0415  # loads Ibis
    from intel_ml.features.history import HistoryTables  # noqa: PLC0415  # loads Ibis
    from intel_ml.features.signature import signature_expression  # noqa: PLC0415  # loads Ibis
    from intel_ml.features.state import state_expression  # noqa: PLC0415  # loads Ibis

    tables = HistoryTables(**history_tables())
    return state_expression(tables) if which == "state" else signature_expression(tables)


def _column(values: list[Any], *, is_word: bool) -> Column:
    return np.array(values, dtype=object) if is_word else np.array(values, dtype=np.float64)
