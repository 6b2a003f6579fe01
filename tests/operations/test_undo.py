from __future__ import annotations

import pytest

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import ConflictError, NotFoundError
from intel_ml.operations.audit import trail
from intel_ml.operations.undo import undo
from tests.operations.conftest import CUT, PAUSE, Desk


def _undo(desk: Desk, action: int) -> int:
    with desk.store.session() as session:
        return undo(
            session, account_id="act_1", action_id=action, by=desk.ana, now=desk.now()
        ).action_id


def test_undo_restores_the_old_value_within_the_cooldown_as_an_action_of_its_own(
    desk: Desk,
) -> None:
    action = desk.propose("11", CUT)
    desk.drain()
    second = _undo(desk, action)
    assert second != action
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"daily_budget": "4000"}), ("11", {"daily_budget": "5000"})]
    assert desk.action(action).status == ActionStatus.UNDONE
    assert desk.action(second).status == ActionStatus.EXECUTED


def test_undoing_twice_is_one_undo(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.drain()
    assert _undo(desk, action) == _undo(desk, action)
    desk.drain()
    assert _undo(desk, action)
    desk.drain()
    assert len(desk.graph.writes) == 2


def test_undo_leaves_alone_what_someone_changed_since(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.drain()
    desk.graph.entities["11"]["daily_budget"] = "4500"
    second = _undo(desk, action)
    desk.drain()
    assert len(desk.graph.writes) == 1
    assert desk.action(second).status == ActionStatus.STALE
    assert desk.action(action).status == ActionStatus.EXECUTED


@pytest.mark.parametrize(("parent", "writes"), [("ACTIVE", 2), ("PAUSED", 1)])
def test_a_pause_is_undone_only_under_an_active_parent(
    desk: Desk, parent: str, writes: int
) -> None:
    action = desk.propose("11", PAUSE)
    desk.drain()
    desk.graph.entities["5"]["effective_status"] = parent
    _undo(desk, action)
    desk.drain()
    assert len(desk.graph.writes) == writes


def test_only_what_was_carried_out_can_be_undone_and_only_by_its_people(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    with pytest.raises(ConflictError, match="Only what was carried out"):
        _undo(desk, action)
    with pytest.raises(NotFoundError), desk.store.session() as session:
        undo(session, account_id="act_1", action_id=action, by=desk.stranger, now=desk.now())


def test_the_trail_tells_the_whole_story(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.drain()
    with desk.store.session() as session:
        told = [event.says for event in trail(session, account_id="act_1", action_id=action)]
    assert told == [
        "Being carried out",
        "About to change the account",
        "Sent the change to the platform",
        "The platform took the change",
        "Read the platform back: 40.00 USD a day, Active",
        "Carried out",
    ]
