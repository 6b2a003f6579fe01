"""One expression, one answer in PostgreSQL and DuckDB, and nothing of the future."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest

from intel_ml.data.store.sessions import Store
from tests.features.histories import NOW, History, ask, in_duckdb, in_postgres, random_history, same

MOMENTS = (NOW, NOW - timedelta(hours=9), NOW - timedelta(days=5))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("which", ["state", "signature"])
def test_both_engines_give_the_same_answer(store: Store, which: str, seed: int) -> None:
    history = random_history(seed)
    here = in_duckdb(history, MOMENTS, which)
    with store.connection() as connection:
        there = in_postgres(connection, history, MOMENTS, which)
    assert here.keys() == there.keys()
    assert len(here) == 18 * len(MOMENTS)
    different = {
        (key, name): (here[key][name], there[key][name])
        for key in here
        for name in here[key]
        if not same({name: here[key][name]}, {name: there[key][name]})
    }
    assert different == {}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("which", ["state", "signature"])
def test_what_is_seen_later_never_changes_what_was_known(which: str, seed: int) -> None:
    past = NOW - timedelta(days=2)
    history = random_history(seed)
    known = History(
        accounts=history.accounts,
        entities=history.entities,
        versions=[row for row in history.versions if row["seen_at"] <= past],
        daily=[row for row in history.daily if row["seen_at"] <= past],
        snapshots=[row for row in history.snapshots if row["seen_at"] <= past],
    )
    restated = deepcopy(history)
    for row in [row for row in known.daily if not row["is_total"]]:
        later = {"seen_at": past + timedelta(seconds=1), "spend_minor": 10**9, "conversions": 1e6}
        restated.daily.append({**row, **later})
    for row in known.versions:
        later = {"seen_at": past + timedelta(seconds=1), "effective_status": "ARCHIVED"}
        restated.versions.append({**row, **later, "daily_budget_minor": 1})
    before, after = (in_duckdb(one, [past], which) for one in (known, restated))
    assert before.keys() == after.keys()
    assert all(same(before[key], after[key]) for key in before)


def test_structure_is_what_it_was() -> None:
    history = History().entity(daily_budget_minor=80_00, learning_stage="SUCCESS").day(1)
    history.was(30, daily_budget_minor=50_00, learning_stage="LEARNING", effective_status="PAUSED")
    then, now = (ask(history, as_of=NOW - timedelta(hours=h)) for h in (20, 0))
    assert (then["daily_budget"], now["daily_budget"]) == (50.0, 80.0)
    assert (then["learning_phase"], now["learning_phase"]) == ("LEARNING", "ACTIVE")
    assert (then["effective_status"], now["effective_status"]) == ("PAUSED", "ACTIVE")
    before = ask(history, as_of=NOW - timedelta(hours=31))
    assert before["daily_budget"] is before["effective_status"] is None


def test_an_entity_that_did_not_exist_yet_has_no_state() -> None:
    history = History().entity(created_at=NOW - timedelta(days=1)).day(1)
    assert in_duckdb(history, [NOW - timedelta(days=3)]) == {}
