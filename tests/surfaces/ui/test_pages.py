"""What the pages answer, on a real database: decisions, refusals, and what stays invisible."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import ActionStatus
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import (
    AccountScore,
    AutomationAction,
    AutomationRule,
    Decision,
    LearnedPattern,
    PerformanceDaily,
)
from intel_ml.operations import journal, switches
from intel_ml.operations.limits import Limits
from intel_ml.reporting.notifications import notify
from intel_ml.surfaces.auth import COOKIE_NAME, session_cookie
from intel_ml.surfaces.ui.pages import Pages
from intel_ml.surfaces.ui.people import Door, NobodyError

SECRET = secrets.token_urlsafe(32)
EVIL = "<script>window.owned=1</script>"
ACCOUNTS = (("act_1", "USD", "America/New_York"), ("act_2", "JPY", "Asia/Tokyo"))


@pytest.fixture
def pages(store: Store) -> Pages:
    with store.session() as session:
        now = platform_now(session)
        for account_id, currency, zone in ACCOUNTS:
            account_rows.save_account(
                session,
                Account(
                    id=AdAccountId(account_id),
                    name=f"Shop {currency} {EVIL}",
                    currency=currency,
                    time_zone=zone,
                    target_cpa=Money(2000, currency),
                    target_roas=2.0,
                    mode=Mode.SHADOW,
                    source="api",
                    onboarded_at=now - timedelta(days=40),
                ),
            )
        for name, role in (
            ("anna", Role.OPERATOR),
            ("boris", Role.APPROVER),
            ("vera", Role.VIEWER),
        ):
            user_id = account_rows.save_person(session, name=name, password_hash=name, now=now)
            account_rows.grant(session, user_id=user_id, account_id="act_1", role=role)
        for number, (account_id, currency, _) in enumerate(ACCOUNTS):
            session.add(_action(account_id, currency=currency, number=number, now=now))
    return Pages(Door(store, SECRET), Limits())


def _action(account_id: str, *, currency: str, number: int, now: datetime) -> AutomationAction:
    before = {"daily_budget_minor": 5000, "status": "ACTIVE", "currency": currency}
    return AutomationAction(
        ad_account_id=account_id,
        key=f"key-{number}",
        source="rules",
        rule_version=1,
        entity_type="adset",
        entity_id=f"12{number}",
        entity_name=EVIL,
        action_type="decrease_budget",
        action_params={"percentage": 20},
        value_before=before,
        value_after=before | {"daily_budget_minor": 4000},
        status="pending_approval",
        reason=f"too expensive {EVIL}",
        reasons=[{"text": EVIL}],
        triggered_metrics={},
        stake_minor=9000,
        data_as_of=now,
        expires_at=now + timedelta(hours=5),
        created_at=now - timedelta(minutes=5),
        updated_at=now,
    )


def _person(store: Store, name: str) -> Person:
    with store.session() as session:
        found = account_rows.person_named(session, name)
    assert found is not None
    return found[0]


def _cookies(store: Store, name: str) -> dict[str, str]:
    return {COOKIE_NAME: session_cookie(_person(store, name), SECRET, datetime.now(UTC))}


def _row(store: Store, account_id: str = "act_1") -> AutomationAction:
    with store.session() as session:
        return session.scalars(
            select(AutomationAction).where(AutomationAction.ad_account_id == account_id)
        ).one()


def _key(store: Store) -> str:
    return f"act_1:{_row(store).id}"


def _ask(store: Store, kind: str, **more: Any) -> dict[str, Any]:
    row = _row(store)
    return {"page": "approvals", "kind": kind, "key": f"act_1:{row.id}", **more}


@pytest.mark.parametrize("path", ["/", "/dashboard", "/history", "/rules"])
def test_every_page_is_full_at_once_and_no_text_from_outside_is_markup(
    pages: Pages, store: Store, path: str
) -> None:
    html = pages.first(path, {}, _cookies(store, "anna"))
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
    boris = _cookies(store, "boris")
    with store.session() as session:
        switches.revive(session, reason="begin", by="anna")
    assert pages.answer({"page": "approvals"}, boris)["halt"] == ""
    with store.session() as session:
        switches.kill(session, reason=EVIL, by="anna")
    html = pages.first("/", {}, boris)
    assert "Nothing is changed at present" in html
    assert "<script" not in html
    answer = pages.answer(_ask(store, "approve"), boris)
    assert "Not made yet: anna stopped all changes" in answer["notice"]
    assert (
        "Not made yet" in pages.answer({"page": "approvals", "opened": _key(store)}, boris)["card"]
    )


def test_an_installation_without_executor_says_that_approved_changes_wait(
    pages: Pages, store: Store
) -> None:
    boris, idle = _cookies(store, "boris"), replace(pages, executes=False)
    with store.session() as session:
        switches.revive(session, reason="begin", by="anna")
    assert "the executor is off" in idle.answer(_ask(store, "approve"), boris)["notice"].lower()
    assert (
        "ENABLE_ACTION_EXECUTOR"
        in idle.answer({"page": "approvals", "opened": _key(store)}, boris)["card"]
    )


def test_the_dashboard_opens_where_most_is_at_stake(pages: Pages, store: Store) -> None:
    with store.session() as session:
        admin = account_rows.person_named(session, "anna")
        assert admin is not None
        for account_id in ("act_1", "act_2"):
            account_rows.grant(
                session, user_id=admin[0].id, account_id=account_id, role=Role.OPERATOR
            )
        session.scalars(
            select(AutomationAction).where(AutomationAction.ad_account_id == "act_2")
        ).one().stake_minor = 10_000_000
    html = pages.first("/dashboard", {}, _cookies(store, "anna"))
    assert 'value="act_2" selected' in html
    assert "Waiting in all accounts" in html


def test_an_approval_is_written_and_says_what_happens_next(pages: Pages, store: Store) -> None:
    answer = pages.answer(_ask(store, "approve"), _cookies(store, "boris"))
    assert answer["notice"].startswith("Approved.")
    assert answer["count"] == 0
    row = _row(store)
    assert (row.status, row.approved_by) == ("approved", _person(store, "boris").id)


def test_the_second_of_two_learns_who_was_first_and_changes_nothing(
    pages: Pages, store: Store
) -> None:
    pages.answer(_ask(store, "reject", reason="too early"), _cookies(store, "boris"))
    answer = pages.answer(_ask(store, "approve"), _cookies(store, "anna"))
    assert answer["danger"]
    assert "boris" in answer["notice"]
    assert _row(store).status == "rejected"


def test_a_viewer_and_a_rejection_without_reason_are_refused(pages: Pages, store: Store) -> None:
    for name, kind in (("vera", "approve"), ("boris", "reject"), ("boris", "nonsense")):
        answer = pages.answer(_ask(store, kind), _cookies(store, name))
        assert answer["danger"], (name, kind)
    assert _row(store).status == "pending_approval"


def test_a_change_beyond_the_limit_is_refused_and_a_pause_is_taken(
    pages: Pages, store: Store
) -> None:
    boris = _cookies(store, "boris")
    assert pages.answer(_ask(store, "modify", change="-60"), boris)["danger"]
    assert pages.answer(_ask(store, "modify", change="1e5"), boris)["danger"]
    pages.answer(_ask(store, "modify", change="pause"), boris)
    assert (_row(store).status, _row(store).action_type) == ("approved", "pause")


def test_another_tenants_action_does_not_exist(pages: Pages, store: Store) -> None:
    foreign = _row(store, "act_2")
    key = f"act_2:{foreign.id}"
    anna = _cookies(store, "anna")
    answer = pages.answer({"page": "approvals", "kind": "approve", "key": key}, anna)
    assert "There is no action" in answer["notice"]
    seen = pages.answer({"page": "approvals", "kind": "look", "opened": key}, anna)
    assert seen["opened"] is None
    linked = pages.first("/", {"action": str(foreign.id)}, anna)
    assert f"act_2:{foreign.id}" not in linked
    assert "no account" in pages.answer({"page": "history", "account": "act_2"}, anna)["notice"]
    assert _row(store, "act_2").status == "pending_approval"


def test_what_the_browser_has_is_not_sent_again(pages: Pages, store: Store) -> None:
    boris = _cookies(store, "boris")
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
    boris = _cookies(store, "boris")
    nothing = pages.answer({"page": "approvals", "kind": "look", "search": "zzz"}, boris)
    assert "Nothing matches" in nothing["queue"]
    pages.answer(_ask(store, "reject", reason="too early"), boris)
    empty = pages.answer({"page": "approvals", "kind": "look"}, boris)
    assert "Nothing waits" in empty["queue"]
    assert "not looked at yet" in empty["queue"]


def test_all_that_is_shown_is_approved_and_what_cannot_be_is_counted(
    pages: Pages, store: Store
) -> None:
    keys = [f"act_1:{_row(store).id}", f"act_2:{_row(store, 'act_2').id}"]
    answer = pages.answer(
        {"page": "approvals", "kind": "approve-all", "keys": keys}, _cookies(store, "boris")
    )
    assert "1 proposal approved" in answer["notice"]
    assert "1 not:" in answer["notice"]
    assert _row(store, "act_2").status == "pending_approval"


def test_history_undoes_what_was_carried_out(pages: Pages, store: Store) -> None:
    boris = _cookies(store, "boris")
    pages.answer(_ask(store, "approve"), boris)
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
    assert "restored" in answer["notice"]
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
    assert pages.answer(ask, _cookies(store, "boris"))["danger"]
    answer = pages.answer(ask, _cookies(store, "anna"))
    assert "is off" in answer["notice"]
    assert "○ Off" in answer["body"]
    with store.session() as session:
        assert session.get_one(AutomationRule, ("act_1", rule.id)).is_active is False


def test_the_dashboard_shows_what_is_known_and_says_what_is_not(pages: Pages, store: Store) -> None:
    anna = _cookies(store, "anna")
    bare = pages.answer({"page": "dashboard"}, anna)["body"]
    for words in ("Nothing to judge by yet", "No delivery was seen", "No archetypes yet"):
        assert words in bare
    with store.session() as session:
        _add_results(session)
    full = pages.answer({"page": "dashboard", "days": "30"}, anna)["body"]
    for words in ("78", "↑ +5 points", "Cost per result, USD", "10 am", "87%", "High CPA"):
        assert words in full
    assert "<script" not in full


def _add_results(session: Any) -> None:
    now = platform_now(session)
    for days, score in ((8, 73), (0, 78)):
        session.add(
            AccountScore(
                ad_account_id="act_1",
                calculated_at=now - timedelta(days=days),
                overall_score=score,
                score_breakdown={},
                recommendations=[
                    {"priority": "high", "action": "pause", "entity": "adset:1", "reason": EVIL}
                ],
            )
        )
    session.add(
        LearnedPattern(
            ad_account_id="act_1",
            pattern_type="time_performance",
            pattern_data={"best_hours": [10, 11]},
            confidence_score=0.87,
            sample_size=40,
            valid_from=now,
            valid_until=now + timedelta(days=3),
            created_at=now,
        )
    )
    for days in range(30):
        session.add(
            PerformanceDaily(
                ad_account_id="act_1",
                entity_type="campaign",
                entity_id="7",
                day=(now - timedelta(days=days)).date(),
                seen_at=now,
                spend_minor=4000,
                conversions=2.0,
                conversion_value_minor=9000,
                source="api",
            )
        )
    session.add(
        Decision(
            ad_account_id="act_1",
            decision_id="d1",
            entity_type="adset",
            entity_id="120",
            as_of=now,
            decided_at=now,
            mode="shadow",
            state={},
            features_hash="0" * 16,
            allowed=[True] * 6,
            archetype="High CPA Candidates for Pause",
            proposed="maintain",
            proposal_pmf={"maintain": 1.0},
            propensity=1.0,
        )
    )


def test_notes_are_counted_and_a_link_to_nothing_says_so(pages: Pages, store: Store) -> None:
    anna = _cookies(store, "anna")
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
    assert pages.answer(sent, _cookies(store, "anna"))["danger"]
