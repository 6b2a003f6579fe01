"""The oracle is the Graph's own record of writes, not our tables."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.data.store.tables import AutomationAction, Notification
from intel_ml.operations import switches
from intel_ml.operations.dispatcher import drain
from intel_ml.operations.journal import Entry, move, write
from intel_ml.operations.limits import Limits
from tests.operations.conftest import CUT, PAUSE, TOKEN, Desk


def test_an_approved_change_is_made_once_and_read_back(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    assert desk.drain() == 1
    assert desk.drain() == 0
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
    row = desk.action(action)
    assert row.status == ActionStatus.EXECUTED
    assert row.executed_at is not None
    kinds = [
        event.kind
        for kind in ("intent", "request", "answer", "read_back")
        for event in desk.events(action, kind)
    ]
    assert kinds == ["intent", "request", "answer", "read_back"]
    assert desk.count(Notification) == 2  # one a member


def test_no_token_is_in_the_journal_or_a_notification(desk: Desk) -> None:
    desk.graph.faults.append("token")
    action = desk.propose("11", CUT)
    desk.drain()
    assert desk.graph.tokens == [TOKEN]
    assert TOKEN not in str(
        [e.detail for k in ("request", "answer", "intent") for e in desk.events(action, k)]
    )
    with desk.store.session() as session:
        assert TOKEN not in str([n.message for n in session.query(Notification)])


@pytest.mark.parametrize("fault", ["drop_after_write", "html_after_write"])
def test_a_lost_answer_is_settled_by_reading_and_never_sent_again(desk: Desk, fault: str) -> None:
    desk.graph.faults.append(fault)
    action = desk.propose("11", CUT)
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
    assert desk.action(action).status == ActionStatus.EXECUTED


@pytest.mark.parametrize("fault", ["drop_before_write", "html_before_write"])
def test_what_was_not_applied_is_sent_once_more_under_the_same_key(desk: Desk, fault: str) -> None:
    desk.graph.faults.append(fault)
    action = desk.propose("11", CUT)
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
    assert desk.action(action).status == ActionStatus.EXECUTED
    intents = desk.events(action, "intent")
    assert [one.detail["attempt"] for one in intents] == [1, 2]
    assert len({one.detail["key"] for one in intents}) == 1


def test_two_lost_tries_ask_a_person(desk: Desk) -> None:
    desk.graph.faults.extend(["html_before_write", "html_before_write", "html_before_write"])
    action = desk.propose("11", CUT)
    assert desk.drain() == 1
    assert desk.graph.writes == []
    assert desk.action(action).status == ActionStatus.NEEDS_REVIEW


def test_a_third_value_asks_a_person(desk: Desk) -> None:
    desk.graph.faults.append("someone_else")
    action = desk.propose("11", CUT)
    assert desk.drain() == 1
    assert len(desk.graph.writes) == 1
    assert desk.action(action).status == ActionStatus.NEEDS_REVIEW


def test_a_refused_change_fails_and_a_throttled_one_waits(desk: Desk) -> None:
    desk.graph.faults.extend(["refuse", "throttle"])
    refused, throttled = desk.propose("11", CUT), desk.propose("12", CUT)
    desk.drain()
    assert desk.action(refused).status == ActionStatus.FAILED
    assert desk.action(throttled).status == ActionStatus.APPROVED
    assert "Wait 300 s" in (desk.action(throttled).status_reason or "")
    assert desk.drain() == 0
    assert desk.graph.writes == []
    desk.ready(throttled)
    assert desk.drain() == 1
    assert desk.graph.writes == [("12", {"daily_budget": "4000"})]


def test_an_expired_token_stops_the_account_without_hammering(desk: Desk) -> None:
    desk.graph.faults.append("token")
    actions = [desk.propose(str(n), CUT) for n in (11, 12, 13)]
    assert desk.drain() == 0
    assert desk.drain() == 0
    assert len(desk.graph.tokens) == 1
    assert {desk.action(one).status for one in actions} == {ActionStatus.APPROVED}


def test_the_kill_switch_stops_before_the_next_write(desk: Desk) -> None:
    actions = [desk.propose(str(n), CUT) for n in range(11, 17)]

    def kill_at_third() -> None:
        if len(desk.graph.writes) == 2:
            with desk.store.session() as session:
                switches.kill(session, reason="stop", by="Ana")

    desk.graph.before_write = kill_at_third
    desk.drain()
    assert len(desk.graph.writes) == 3  # the one under way, and none after it
    assert desk.drain() == 0
    assert [desk.action(one).status for one in actions].count(ActionStatus.EXECUTED) == 3


def test_nothing_acts_without_a_switch_or_where_it_is_not_enabled(desk: Desk) -> None:
    desk.propose("11", CUT)
    assert drain(desk.store, desk.access, desk.limits, enabled=False) == 0
    with desk.store.session() as session:
        switches.kill(session, reason="stop", by="Ana")
    assert desk.drain() == 0
    assert desk.graph.writes == []


def test_never_more_than_the_cap_in_an_hour_from_four_workers(desk: Desk) -> None:
    limits = Limits(max_actions_per_hour=5)
    actions = [desk.propose(str(n), CUT) for n in range(11, 23)]
    workers = [threading.Thread(target=desk.drain, args=(limits,)) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    desk.drain(limits)
    assert len(desk.graph.writes) == 5
    assert len({entity for entity, _ in desk.graph.writes}) == 5
    waiting = [row for one in actions if (row := desk.action(one)).status == ActionStatus.APPROVED]
    assert len(waiting) == 7
    assert all("5 changes in the last 60 minutes" in (row.status_reason or "") for row in waiting)


def test_what_a_person_changed_meanwhile_is_left_as_it_is(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.graph.entities["11"]["daily_budget"] = "9000"
    desk.drain()
    assert desk.graph.writes == []
    row = desk.action(action)
    assert row.status == ActionStatus.STALE
    assert (
        row.status_reason == "Someone changed it since: it was 50.00 USD a day, Active, "
        "now it is 90.00 USD a day, Active."
    )


def test_left_behind_before_sending_is_sent_once(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    _left_behind(desk, action)
    assert desk.drain() == 1
    assert desk.graph.writes == [("11", {"daily_budget": "4000"})]
    assert desk.action(action).status == ActionStatus.EXECUTED


def test_left_behind_after_sending_is_not_sent_again(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    _left_behind(desk, action)
    desk.graph.entities["11"]["daily_budget"] = "4000"
    assert desk.drain() == 1
    assert desk.graph.writes == []
    assert desk.action(action).status == ActionStatus.EXECUTED


def test_a_platform_that_is_away_leaves_the_action_approved(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.graph.url = "http://127.0.0.1:9"
    assert desk.drain() == 0
    row = desk.action(action)
    assert row.status == ActionStatus.APPROVED
    assert "does not answer" in (row.status_reason or "")


@pytest.mark.parametrize(
    ("changes", "becomes", "why"),
    [
        ({"expires_at": timedelta(minutes=-1)}, ActionStatus.EXPIRED, "The approval ended"),
        ({"rule_id": 77, "source": "rules"}, ActionStatus.STALE, "rule does not hold"),
        (
            {"requires_approval": False, "approved_by": None},
            ActionStatus.PENDING_APPROVAL,
            "first 30 days",
        ),
    ],
)
def test_guards_decide_what_an_approval_becomes(
    desk: Desk, changes: dict[str, object], becomes: ActionStatus, why: str
) -> None:
    changes = {k: desk.now() + v if isinstance(v, timedelta) else v for k, v in changes.items()}
    action = desk.propose("11", CUT, **changes)
    desk.drain()
    assert desk.graph.writes == []
    assert desk.action(action).status == becomes
    assert why in (desk.action(action).status_reason or "")


def test_old_data_waits_for_a_new_look(desk: Desk) -> None:
    action = desk.propose("11", CUT)
    desk.drain(Limits(stale_after_hours=0))
    assert desk.graph.writes == []
    assert "wait for a new look" in (desk.action(action).status_reason or "")


def test_a_campaign_budget_and_a_learning_ad_set_are_left_alone(desk: Desk) -> None:
    desk.graph.entities["12"]["learning_stage_info"] = {"status": "LEARNING"}
    learning = desk.propose("12", CUT)
    desk.drain()
    assert "learning" in (desk.action(learning).status_reason or "")
    desk.graph.entities["5"]["daily_budget"] = "90000"
    shared = desk.propose("11", CUT)
    desk.drain()
    assert desk.action(shared).status_reason == "Its campaign sets the budget."
    assert desk.graph.writes == []


def test_the_total_of_a_day_stays_under_its_cap(desk: Desk) -> None:
    limits = Limits(cooldown_hours=0, max_budget_changes_per_hour=100, max_daily_change_percent=50)
    raised = Action(ActionType.INCREASE_BUDGET, 20)
    for _ in range(10):
        desk.propose("11", raised)
        desk.drain(limits)
    assert [int(change["daily_budget"]) for _, change in desk.graph.writes] == [6000, 7200]


def test_three_budget_changes_an_hour_and_a_cooldown(desk: Desk) -> None:
    limits = Limits(cooldown_hours=0, max_daily_change_percent=1000)
    for _ in range(5):
        desk.propose("11", CUT) if desk.action_is_free("11") else None
        desk.drain(limits)
    assert len(desk.graph.writes) == 3
    first = desk.propose("12", CUT)
    desk.drain()
    second = desk.propose("12", PAUSE)
    desk.drain()
    assert desk.action(first).status == ActionStatus.EXECUTED
    assert "left alone for 4 hours" in (desk.action(second).status_reason or "")


def _left_behind(desk: Desk, action_id: int) -> None:
    """Leave the action as a process that was killed right after its intent would."""
    with desk.store.session() as session:
        row = session.get_one(AutomationAction, (desk.account.id, action_id))
        move(session, row, ActionStatus.EXECUTING, at=desk.now(), actor="executor")
        write(session, row, Entry(desk.now(), "executor", "intent", {"key": row.key, "attempt": 1}))
