from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from intel_ml.core.accounts import Person
from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.errors import (
    ConflictError,
    IntelError,
    InvalidValueError,
    NotAllowedError,
    NotFoundError,
)
from intel_ml.core.recommendations import Role
from intel_ml.operations.approvals import approve, approve_many, modify, reject
from intel_ml.operations.switches import kill
from tests.operations.conftest import CUT, PAUSE, Desk

WAITS = ActionStatus.PENDING_APPROVAL


def test_an_approval_leads_to_one_write(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    assert desk.drain() == 0
    with desk.store.session() as session:
        told = approve(session, account_id="act_1", action_id=action, by=desk.ana, now=desk.now())
    assert told.says.startswith("Approved.")
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
    assert desk.action(action).approved_by == desk.ana.id


def test_what_is_approved_while_changes_are_stopped_is_told_to_wait_and_why(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    with desk.store.session() as session:
        kill(session, reason="a sale is on.", by="ops")
        told = approve(session, account_id="act_1", action_id=action, by=desk.ana, now=desk.now())
    assert told.says == (
        "Approved. It waits: ops stopped all changes: a sale is on. "
        "It is made once changes are made again."
    )


def test_the_second_is_told_who_was_first(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    with desk.store.session() as session:
        reject(
            session,
            account_id="act_1",
            action_id=action,
            by=desk.ana,
            now=desk.now(),
            reason="too early",
        )
    later = desk.now() + timedelta(minutes=2)
    with (
        pytest.raises(ConflictError, match=r"^Decided by Ana 2 minutes ago: rejected\.$"),
        desk.store.session() as session,
    ):
        approve(session, account_id="act_1", action_id=action, by=desk.bob, now=later)
    assert desk.drain() == 0
    assert desk.action(action).rejection_reason == "too early"


def test_of_two_who_disagree_at_once_one_wins(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    begun, outcomes = threading.Barrier(2), []

    def say(what: str, by: Person) -> None:
        begun.wait()
        try:
            with desk.store.session() as session:
                if what == "approve":
                    approve(session, account_id="act_1", action_id=action, by=by, now=desk.now())
                else:
                    reject(
                        session,
                        account_id="act_1",
                        action_id=action,
                        by=by,
                        now=desk.now(),
                        reason="wrong data",
                    )
            outcomes.append(what)
        except ConflictError as error:
            outcomes.append(str(error))

    threads = [
        threading.Thread(target=say, args=one)
        for one in (("approve", desk.ana), ("reject", desk.bob))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(outcome in ("approve", "reject") for outcome in outcomes) == 1
    assert sum(outcome.startswith("Decided by") for outcome in outcomes) == 1
    assert len(desk.events(action, "transition")) == 1


def test_another_account_s_action_does_not_exist_and_a_viewer_may_not_decide(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    viewer = Person(desk.bob.id, "Bob", ((desk.account.id, Role.VIEWER),))
    for who, refusal in ((desk.stranger, NotFoundError), (viewer, NotAllowedError)):
        with pytest.raises(refusal), desk.store.session() as session:
            approve(session, account_id="act_1", action_id=action, by=who, now=desk.now())
    assert desk.action(action).status == WAITS


def test_another_change_instead_keeps_the_limits(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    refused = [
        Action(ActionType.INCREASE_BUDGET, 31),
        Action(ActionType.DUPLICATE),
        Action(ActionType.ACTIVATE),
    ]
    for one in refused:
        with pytest.raises(InvalidValueError), desk.store.session() as session:
            modify(
                session,
                account_id="act_1",
                action_id=action,
                by=desk.ana,
                now=desk.now(),
                action=one,
                reason="x",
            )
    with desk.store.session() as session:
        modify(
            session,
            account_id="act_1",
            action_id=action,
            by=desk.ana,
            now=desk.now(),
            action=PAUSE,
            reason="not our goal",
        )
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"status": "PAUSED"})]
    assert desk.action(action).human_decision == "modified"


def test_what_nobody_answered_in_time_cannot_be_approved(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    late = desk.now() + timedelta(hours=25)
    with (
        pytest.raises(ConflictError, match=r"Expired 1 hour|Expired 59 minutes|Expired 60 minutes"),
        desk.store.session() as session,
    ):
        approve(session, account_id="act_1", action_id=action, by=desk.ana, now=late)


def test_one_of_many_that_was_decided_leaves_the_others_approved(desk: Desk) -> None:
    actions = [desk.propose(str(n), CUT, status=WAITS) for n in (11, 12, 13)]
    with desk.store.session() as session:
        reject(
            session,
            account_id="act_1",
            action_id=actions[1],
            by=desk.bob,
            now=desk.now(),
            reason="too early",
        )
    with desk.store.session() as session:
        many = approve_many(
            session, actions=[("act_1", one) for one in actions], by=desk.ana, now=desk.now()
        )
    assert [one.action_id for one in many.decided] == [actions[0], actions[2]]
    assert "Decided by Bob" in many.refused[0].why
    assert desk.drain() == 2


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_rejection_needs_a_reason(desk: Desk, reason: str) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    with pytest.raises(IntelError, match="too early"), desk.store.session() as session:
        reject(
            session,
            account_id="act_1",
            action_id=action,
            by=desk.ana,
            now=desk.now(),
            reason=reason,
        )
