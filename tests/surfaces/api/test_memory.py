"""What the service knows without asking is never older than it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from intel_ml.core.ids import Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode
from intel_ml.data.store.accounts import set_mode
from intel_ml.data.store.sessions import Store
from intel_ml.operations.answers import Asking, consider
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.api.memory import ColdError, Memory
from intel_ml.surfaces.auth import NotLoggedInError
from tests.surfaces.api.tenants import OUR_ADSET, OURS, Tenants

ADSET = Entity(OURS, EntityType.ADSET, EntityId(OUR_ADSET))


@pytest.fixture
def memory(store: Store, tenants: Tenants) -> Memory:
    assert tenants
    return Memory(store, Limits())


def test_what_was_never_read_is_cold_and_read_once_it_may_wait(
    memory: Memory, tenants: Tenants
) -> None:
    header = tenants.auth("viewer")["Authorization"]
    with pytest.raises(ColdError):
        memory.person(header, may_wait=False)
    with pytest.raises(ColdError):
        memory.context(OURS, [ADSET], may_wait=False)
    person, context = (
        memory.person(header, may_wait=True),
        memory.context(OURS, [ADSET], may_wait=True),
    )
    assert memory.person(header, may_wait=False) is person
    assert memory.context(OURS, [ADSET], may_wait=False) is context


def test_an_entity_asked_about_for_the_first_time_is_cold(memory: Memory) -> None:
    memory.context(OURS, [], may_wait=True)
    with pytest.raises(ColdError):
        memory.context(OURS, [ADSET], may_wait=False)
    assert memory.context(OURS, [ADSET], may_wait=True).states[ADSET].state(0)["spend"] == 68.5


def test_a_revoked_token_is_refused_at_the_next_look(
    memory: Memory, tenants: Tenants, store: Store
) -> None:
    header = tenants.auth("viewer")["Authorization"]
    assert memory.person(header, may_wait=True).name == "viewer"
    with store.session() as session:
        session.execute(text("UPDATE intel_api_token SET revoked_at = now()"))
    memory._look()
    with pytest.raises(NotLoggedInError):
        memory.person(header, may_wait=True)


CHANGES: dict[str, Callable[[Store], None]] = {
    "mode": lambda store: _sql(store, "UPDATE intel_ad_account SET mode = 'live'"),
    "rules": lambda store: _sql(store, "UPDATE intel_automation_rule SET priority = 9"),
    "cells": lambda store: _sql(
        store,
        "INSERT INTO intel_policy_cell "
        "(ad_account_id, archetype, arm, mode, since, set_by, reason) "
        "SELECT ad_account_id, 'Steady', 'pause', 'shadow', now(), 'a test', 'a test' "
        "FROM intel_ad_account",
    ),
    "places": lambda store: _sql(store, "UPDATE intel_automation_action SET status = 'expired'"),
    "structure": lambda store: _sql(store, "UPDATE intel_entity SET daily_budget_minor = 70"),
    "states": lambda store: _sql(
        store, "UPDATE intel_entity_state SET state = '{\"spend\": 1}', as_of = intel_now()"
    ),
}


def _sql(store: Store, statement: str) -> None:
    with store.session() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("what", list(CHANGES))
def test_every_change_is_seen_at_the_next_look(memory: Memory, store: Store, what: str) -> None:
    before = memory.context(OURS, [ADSET], may_wait=True)
    consider(before, [ADSET], Asking(now=before.read_at, limits=Limits()))
    memory._look()
    same = memory.context(OURS, [ADSET], may_wait=False)
    assert same.concluded is before.concluded
    assert list(same.concluded) == [ADSET]
    assert same.rules is before.rules
    assert same.places is before.places
    assert same.states[ADSET] is before.states[ADSET]
    CHANGES[what](store)
    memory._look()
    after = memory.context(OURS, [ADSET], may_wait=False)
    seen = {
        "mode": after.account.mode is not before.account.mode,
        "rules": after.rules != before.rules,
        "cells": after.cells != before.cells,
        "places": after.places[ADSET].busy != before.places[ADSET].busy,
        "structure": after.places[ADSET].value != before.places[ADSET].value,
        "states": after.states[ADSET].state(0) != before.states[ADSET].state(0),
    }
    assert [name for name, is_seen in seen.items() if is_seen] == [what]
    assert after.concluded == {}, "what was concluded is forgotten with what it came from"


def test_what_was_concluded_outlives_a_look_that_found_everything_in_its_place(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = memory.context(OURS, [ADSET], may_wait=True)
    monkeypatch.setattr("intel_ml.operations.contexts.PLACES_VALID", timedelta())
    memory._look()
    after = memory.context(OURS, [ADSET], may_wait=False)
    assert after.placed_at > before.placed_at
    assert after.places is before.places
    assert after.concluded is before.concluded


def test_no_moment_is_told_twice_and_none_lies_in_the_future(memory: Memory, store: Store) -> None:
    memory.context(OURS, [], may_wait=True)
    told = [memory.now() for _ in range(2_000)]
    assert told == sorted(set(told))
    assert told[-1] <= store.now() + timedelta(milliseconds=1)


def test_nothing_is_answered_from_what_was_not_looked_at_lately(
    memory: Memory, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.context(OURS, [], may_wait=True)
    monkeypatch.setattr("intel_ml.surfaces.api.memory.FRESH_S", 0.0)
    with pytest.raises(ColdError):
        memory.context(OURS, [], may_wait=False)
    with store.session() as session:
        set_mode(session, OURS, Mode.LIVE)
    assert memory.context(OURS, [], may_wait=True).account.mode is Mode.LIVE
