"""States and signatures read from the store."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import text

from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import CollectionRun
from intel_ml.features.catalogue import Role, features_hash, names
from intel_ml.learning.states import (
    current_states,
    read_signatures,
    read_states,
    save_states,
    saved_states,
)
from tests.features.histories import NOW, History, account, in_postgres

MINE = Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId("7"))


def filled(store: Store) -> History:
    history = History().entity(learning_stage="FAIL").entity("8", "ad", adset_id="7")
    history.day(1).look(1)
    with store.connection() as connection:
        in_postgres(connection, history, [NOW])
    return history


def test_states_have_every_column_and_know_their_entities(store: Store) -> None:
    history = filled(store)
    with store.connection() as connection:
        states = read_states(connection, accounts=history.accounts, as_of=NOW)
    assert set(states.columns) == set(names(role=Role.STATE))
    assert {one.id for one in states.entities} == {"7", "8"}
    assert set(states.moments) == {NOW}
    state = states.state(states.entities.index(MINE))
    assert (state["spend"], state["learning_phase"], state["entity_type"]) == (
        60.0,
        "LEARNING_LIMITED",
        "adset",
    )
    assert states.state(1 - states.entities.index(MINE))["spend"] is None


def test_one_entity_of_several_moments(store: Store) -> None:
    history = filled(store)
    moments = [NOW, NOW - timedelta(hours=6)]
    with store.connection() as connection:
        states = read_states(connection, accounts=history.accounts, as_of=moments, entity=MINE)
    assert {one.id for one in states.entities} == {"7"}
    assert dict(zip(states.moments, states.columns["spend"], strict=True)) == {
        NOW: 60.0,
        NOW - timedelta(hours=6): 30.0,
    }


def test_an_account_without_entities_has_no_states(store: Store) -> None:
    with store.connection() as connection:
        states = read_states(connection, accounts=[account("act_9")], as_of=NOW)
        save_states(connection, states)
    assert len(states) == 0


def test_signatures_are_a_frame_of_numbers(store: Store) -> None:
    history = filled(store)
    with store.connection() as connection:
        frame = read_signatures(connection, accounts=history.accounts, as_of=NOW)
    rows = frame.set_index("entity_id")
    assert rows.loc["7", "avg_cpa"] == 15.0
    assert np.isnan(rows.loc["8", "avg_cpa"])
    assert all(frame[name].dtype == np.float64 for name in names(role=Role.SIGNATURE))


def test_the_latest_state_is_kept_and_an_older_one_is_not_put_over_it(store: Store) -> None:
    history = filled(store)
    with store.connection() as connection:
        for moment in (NOW, NOW - timedelta(hours=6)):
            save_states(
                connection, read_states(connection, accounts=history.accounts, as_of=moment)
            )
        rows = connection.execute(
            text("SELECT entity_id, as_of, state, features_hash FROM intel_entity_state ORDER BY 1")
        ).all()
    assert [(row.entity_id, row.as_of) for row in rows] == [("7", NOW), ("8", NOW)]
    assert rows[0].state["spend"] == 60.0
    assert rows[0].state["ctr_zscore"] is None
    assert rows[0].features_hash == features_hash()


def looked(store: Store, moment: datetime) -> None:
    with store.session() as session:
        session.add(
            CollectionRun(
                ad_account_id="act_1",
                as_of=moment,
                started_at=moment,
                took_ms=1,
                status="done",
                calls=1,
                rows=1,
                quarantined=0,
            )
        )


def test_a_kept_state_serves_until_somebody_looks_again(store: Store) -> None:
    history = filled(store)
    mine = history.accounts[0]
    later = NOW + timedelta(hours=2)
    with store.connection() as connection:
        kept = saved_states(connection, mine, entities=[MINE], as_of=later)
        assert kept is None
        states = read_states(connection, accounts=[mine], as_of=NOW)
        save_states(connection, states)
        kept = saved_states(connection, mine, entities=[MINE], as_of=later)
        assert kept is not None
        assert kept.state(0) == states.state(states.entities.index(MINE))
    looked(store, NOW + timedelta(hours=1))
    with store.connection() as connection:
        assert saved_states(connection, mine, entities=[MINE], as_of=later) is None


def test_a_look_that_came_between_is_part_of_the_current_state(store: Store) -> None:
    history = filled(store)
    asked = NOW - timedelta(seconds=1)
    with store.connection() as connection:
        connection.execute(text("UPDATE intel_entity_version SET seen_at = :now"), {"now": NOW})
        states = read_states(connection, accounts=history.accounts, as_of=asked)
    assert states.state(states.entities.index(MINE))["learning_phase"] is None
    looked(store, NOW)
    current = current_states(store, history.accounts[0], now=asked)
    assert current.state(current.entities.index(MINE))["learning_phase"] == "LEARNING_LIMITED"
