"""What the pages answer, on a real database: decisions, refusals, and what stays invisible."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from intel_ml.core.actions import ActionStatus
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import (
    AutomationAction,
    AutomationRule,
)
from intel_ml.operations import journal, switches
from intel_ml.reporting.notifications import notify
from intel_ml.surfaces.auth import COOKIE_NAME
from intel_ml.surfaces.ui.pages import Pages
from intel_ml.surfaces.ui.people import NobodyError
from tests.surfaces.ui.scene import (
    EVIL,
    asked,
    cookies_of,
    key_of,
    pages_of,
    person_of,
    row_of,
)


@pytest.fixture
def pages(store: Store) -> Pages:
    return pages_of(store)


@pytest.mark.parametrize("path", ["/", "/dashboard", "/history", "/rules"])
def test_every_page_is_full_at_once_and_no_text_from_outside_is_markup(
    pages: Pages, store: Store, path: str
) -> None:
    html = pages.first(path, {}, cookies_of(store, "anna"))
    assert "Log out" in html
    assert "<script" not in html
    assert "data-page=" in html
    assert "Shop JPY" not in html


@pytest.mark.parametrize("path", ["/", "/dashboard", "/history", "/rules"])
def test_no_page_opens_without_a_login(pages: Pages, path: str) -> None:
    with pytest.raises(NobodyError):
        pages.first(path, {}, {})
    answer = pages.answer({"page": "approvals", "kind": "look"}, {COOKIE_NAME: "1.1.9.x.y"})
    assert set(answer) == {"login"}


def test_while_nothing_is_changed_the_page_and_the_answer_say_so(
    pages: Pages, store: Store
) -> None:
    boris = cookies_of(store, "boris")
    with store.session() as session:
        switches.revive(session, reason="begin", by="anna")
    assert pages.answer({"page": "approvals"}, boris)["halt"] == ""
    with store.session() as session:
        switches.kill(session, reason=EVIL, by="anna")
    html = pages.first("/", {}, boris)
    assert "Nothing is changed at present" in html
    assert "<script" not in html
    answer = pages.answer(asked(store, "approve"), boris)
    assert "Not made yet: anna stopped all changes" in answer["notice"]
    assert (
        "Not made yet"
        in pages.answer({"page": "approvals", "opened": key_of(store)}, boris)["card"]
    )


def test_an_installation_without_executor_says_that_approved_changes_wait(
    pages: Pages, store: Store
) -> None:
    boris, idle = cookies_of(store, "boris"), replace(pages, executes=False)
    with store.session() as session:
        switches.revive(session, reason="begin", by="anna")
    assert "the executor is off" in idle.answer(asked(store, "approve"), boris)["notice"].lower()
    assert (
        "ENABLE_ACTION_EXECUTOR"
        in idle.answer({"page": "approvals", "opened": key_of(store)}, boris)["card"]
    )


def test_an_approval_is_written_and_says_what_happens_next(pages: Pages, store: Store) -> None:
    answer = pages.answer(asked(store, "approve"), cookies_of(store, "boris"))
    assert answer["notice"].startswith("Approved.")
    assert answer["count"] == 0
    row = row_of(store)
    assert (row.status, row.approved_by) == ("approved", person_of(store, "boris").id)


def test_the_second_of_two_learns_who_was_first_and_changes_nothing(
    pages: Pages, store: Store
) -> None:
    pages.answer(asked(store, "reject", reason="too early"), cookies_of(store, "boris"))
    answer = pages.answer(asked(store, "approve"), cookies_of(store, "anna"))
    assert answer["danger"]
    assert "boris" in answer["notice"]
    assert row_of(store).status == "rejected"


def test_a_viewer_and_a_rejection_without_reason_are_refused(pages: Pages, store: Store) -> None:
    for name, kind in (("vera", "approve"), ("boris", "reject"), ("boris", "nonsense")):
        answer = pages.answer(asked(store, kind), cookies_of(store, name))
        assert answer["danger"], (name, kind)
    assert row_of(store).status == "pending_approval"


def test_a_change_beyond_the_limit_is_refused_and_a_pause_is_taken(
    pages: Pages, store: Store
) -> None:
    boris = cookies_of(store, "boris")
    assert pages.answer(asked(store, "modify", change="-60"), boris)["danger"]
    assert pages.answer(asked(store, "modify", change="1e5"), boris)["danger"]
    pages.answer(asked(store, "modify", change="pause"), boris)
    assert (row_of(store).status, row_of(store).action_type) == ("approved", "pause")


def test_another_tenants_action_does_not_exist(pages: Pages, store: Store) -> None:
    foreign = row_of(store, "act_2")
    key = f"act_2:{foreign.id}"
    anna = cookies_of(store, "anna")
    answer = pages.answer({"page": "approvals", "kind": "approve", "key": key}, anna)
    assert "There is no action" in answer["notice"]
    seen = pages.answer({"page": "approvals", "kind": "look", "opened": key}, anna)
    assert seen["opened"] is None
    linked = pages.first("/", {"action": str(foreign.id)}, anna)
    assert f"act_2:{foreign.id}" not in linked
    assert "no account" in pages.answer({"page": "history", "account": "act_2"}, anna)["notice"]
    assert row_of(store, "act_2").status == "pending_approval"


def test_what_the_browser_has_is_not_sent_again(pages: Pages, store: Store) -> None:
    boris = cookies_of(store, "boris")
    first = pages.answer({"page": "approvals", "kind": "look"}, boris)
    again = pages.answer(
        {
            "page": "approvals",
            "kind": "look",
            "opened": first["opened"],
            "queue": first["queue_digest"],
            "card": first["card_digest"],
        },
        boris,
    )
    assert (again["queue"], again["card"]) == (None, None)


def test_an_empty_queue_says_what_was_looked_at(pages: Pages, store: Store) -> None:
    boris = cookies_of(store, "boris")
    nothing = pages.answer({"page": "approvals", "kind": "look", "search": "zzz"}, boris)
    assert "Nothing matches" in nothing["queue"]
    pages.answer(asked(store, "reject", reason="too early"), boris)
    empty = pages.answer({"page": "approvals", "kind": "look"}, boris)
    assert "Nothing waits" in empty["queue"]
    assert "not looked at yet" in empty["queue"]


def test_all_that_is_shown_is_approved_and_what_cannot_be_is_counted(
    pages: Pages, store: Store
) -> None:
    keys = [f"act_1:{row_of(store).id}", f"act_2:{row_of(store, 'act_2').id}"]
    answer = pages.answer(
        {"page": "approvals", "kind": "approve-all", "keys": keys}, cookies_of(store, "boris")
    )
    assert "1 proposal approved" in answer["notice"]
    assert "1 not:" in answer["notice"]
    assert row_of(store, "act_2").status == "pending_approval"


def test_history_undoes_what_was_carried_out(pages: Pages, store: Store) -> None:
    boris = cookies_of(store, "boris")
    pages.answer(asked(store, "approve"), boris)
    with store.session() as session:
        row = session.scalars(
            select(AutomationAction).where(AutomationAction.ad_account_id == "act_1")
        ).one()
        for status in (ActionStatus.EXECUTING, ActionStatus.EXECUTED):
            journal.move(session, row, status, at=platform_now(session), actor="executor", why="")
            session.flush()
    shown = pages.answer({"page": "history"}, boris)["body"]
    assert 'data-send="undo"' in shown
    key = f"act_1:{row.id}"
    answer = pages.answer({"page": "history", "kind": "undo", "key": key}, boris)
    assert "It waits: changes were never switched on" in answer["notice"]
    with store.session() as session:
        undoing = session.scalars(
            select(AutomationAction).where(AutomationAction.undoes_id == row.id)
        ).one()
    assert undoing.status == "approved"


def test_an_operator_switches_a_rule_and_an_approver_does_not(pages: Pages, store: Store) -> None:
    with store.session() as session:
        now = platform_now(session)
        rule = AutomationRule(
            ad_account_id="act_1",
            name=EVIL,
            category="scaling",
            conditions={"operator": "AND", "rules": []},
            action_type="increase_budget",
            action_params={"percentage": 20},
            execution_mode="approval_required",
            applies_to="adset",
            created_at=now,
            updated_at=now,
        )
        session.add(rule)
    ask = {"page": "rules", "kind": "switch", "key": f"act_1:{rule.id}"}
    assert pages.answer(ask, cookies_of(store, "boris"))["danger"]
    answer = pages.answer(ask, cookies_of(store, "anna"))
    assert "is off" in answer["notice"]
    assert "○ Off" in answer["body"]
    with store.session() as session:
        assert session.get_one(AutomationRule, ("act_1", rule.id)).is_active is False


def test_notes_are_counted_and_a_link_to_nothing_says_so(pages: Pages, store: Store) -> None:
    anna = cookies_of(store, "anna")
    assert "No notes" in pages.first("/", {}, anna)
    with store.session() as session:
        notify(
            session,
            account_id="act_1",
            type="alert",
            severity="warning",
            title=EVIL,
            message=EVIL,
        )
    html = pages.first("/", {"action": "999999"}, anna)
    assert "<b>1</b> <span>note</span>" in html
    assert "<script" not in html
    assert "There is no action 999999" in html


@pytest.mark.parametrize(
    "sent",
    [None, {}, {"page": "nowhere"}, {"page": "dashboard", "kind": "approve"}, {"opened": "x"}],
)
def test_nonsense_is_answered_in_words(pages: Pages, store: Store, sent: object) -> None:
    assert pages.answer(sent, cookies_of(store, "anna"))["danger"]
