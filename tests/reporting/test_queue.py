from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import NotFoundError
from intel_ml.data.store.tables import AutomationAction, TrainingRow
from intel_ml.operations import switches
from intel_ml.operations.approvals import approve, reject
from intel_ml.operations.decisions import decide
from intel_ml.operations.limits import Limits
from intel_ml.reporting.cards import Card
from intel_ml.reporting.queue import card, history, pending_cards, stats, waiting
from tests.operations.conftest import CUT, PAUSE, Desk

WAITS = ActionStatus.PENDING_APPROVAL


def _pending(desk: Desk, **more: str) -> Sequence[Card]:
    with desk.store.session() as session:
        return pending_cards(session, person=desk.ana, now=desk.now(), **more)  # type: ignore[arg-type]


def test_a_card_reads_as_an_approver_reads_it(wasting: Desk) -> None:
    decide(wasting.store, wasting.account, now=wasting.now(), limits=Limits(holdout_share=0.0))
    first = next(one for one in _pending(wasting) if one.entity_id == "11")
    assert first.headline == "Pause ad set Ad set 11"
    assert first.why.startswith("Spent 120.00 USD with no purchase")
    assert first.proposer == "Rule Zero Conversions Stop Loss v1"
    assert first.policy_says == "No model had a view."
    assert first.expected == "Not enough evidence to say."
    assert first.similar == "No similar proposal yet."
    assert str(first.stake) == "40.00 USD"
    assert len(first.trend) == 14
    assert [point.spend for point in first.trend][-2:] == [40.0, 40.0]
    assert first.trend[-1].conversions == 0.0
    assert first.trend[-1].cpa is None
    assert first.says in (
        "Waits for an answer; 23 hours left.",
        "Waits for an answer; 24 hours left.",
    )
    assert {reason.field for reason in first.reasons} == {"spend", "conversions", "impressions"}


def test_most_at_stake_comes_first_then_least_time_left(desk: Desk) -> None:
    soon = desk.now() + timedelta(hours=1)
    small = desk.propose("11", CUT, status=WAITS, stake_minor=10)
    large = desk.propose("12", CUT, status=WAITS, stake_minor=900)
    urgent = desk.propose("13", CUT, status=WAITS, stake_minor=10, expires_at=soon)
    assert [one.action_id for one in _pending(desk)] == [large, urgent, small]
    assert [one.action_id for one in _pending(desk, search="set 12")] == [large]
    assert _pending(desk, search="100%") == []


def test_fifty_cards_take_a_handful_of_queries(desk: Desk) -> None:
    for number in range(11, 23):
        desk.propose(str(number), CUT, status=WAITS)
    seen: list[str] = []
    event.listen(desk.store.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    assert len(_pending(desk)) == 12
    assert len(seen) <= 12


def test_a_foreign_account_does_not_exist(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    with desk.store.session() as session:
        now = desk.now()
        assert pending_cards(session, person=desk.stranger, now=now) == []
        for ask in (
            lambda: card(
                session, person=desk.stranger, account_id="act_1", action_id=action, now=now
            ),
            lambda: pending_cards(session, person=desk.stranger, now=now, account_id="act_1"),
            lambda: history(session, person=desk.stranger, now=now, account_id="act_1"),
        ):
            with pytest.raises(NotFoundError):
                ask()


def test_a_decided_card_says_what_happened(desk: Desk) -> None:
    refused, done, failed = (
        desk.propose(str(n), a, status=WAITS) for n, a in ((11, CUT), (12, CUT), (13, PAUSE))
    )
    with desk.store.session() as session:
        now = desk.now()
        reject(
            session, account_id="act_1", action_id=refused, by=desk.ana, now=now, reason="too early"
        )
        approve(session, account_id="act_1", action_id=done, by=desk.bob, now=now)
        approve(session, account_id="act_1", action_id=failed, by=desk.bob, now=now)

    def says(action: int) -> str:
        with desk.store.session() as session:
            return card(
                session, person=desk.ana, account_id="act_1", action_id=action, now=desk.now()
            ).says

    assert says(refused) == "Rejected by Ana just now: too early."
    assert says(done) == "Approved by Bob just now. The change is made within seconds."
    desk.graph.faults.extend(["", "refuse"])
    desk.drain()
    assert (
        says(done)
        == "Done just now: 50.00 USD → 40.00 USD a day. What came of it is measured 24 hours later."
    )
    assert says(failed).startswith("It failed, nothing was changed: Meta answered: budget too low")
    with desk.store.session() as session:
        row = session.get_one(AutomationAction, ("act_1", done))
        row.outcome_metrics = {
            "horizon_hours": 48,
            "before": {"cpa": 48.0, "roas": 1.0},
            "after": {"cpa": 31.0, "roas": 1.5},
        }
    assert says(done).endswith("48 hours later: CPA 48.00 USD → 31.00 USD, ROAS 1.00 → 1.50.")
    with desk.store.session() as session:
        counted = stats(session, person=desk.ana, now=desk.now())
    assert (counted.proposed, counted.rejected, counted.executed, counted.failed) == (3, 1, 1, 1)


def test_similar_and_expected_speak_once_there_is_evidence(desk: Desk) -> None:
    for number, good in ((11, True), (12, True), (13, False)):
        after = {"cpa": 30.0 if good else 60.0}
        desk.propose(
            str(number),
            CUT,
            status=ActionStatus.EXECUTED,
            rule_id=7,
            human_decision="approved",
            outcome_metrics={"horizon_hours": 72, "before": {"cpa": 50.0}, "after": after},
            outcome_score=0.1,
        )
    desk.propose(
        "15",
        CUT,
        status=ActionStatus.EXECUTED,
        rule_id=7,
        outcome_metrics={"horizon_hours": 24, "before": {"cpa": 50.0}, "after": {"cpa": 30.0}},
        outcome_score=0.1,
    )
    with desk.store.session() as session:
        for number in range(20):
            session.add(_training_row(desk, number, is_held_out=number % 2 == 0))
    desk.propose("14", CUT, status=WAITS, rule_id=7, rule_version=1, source="rules")
    found = _pending(desk)[0]
    assert found.similar == "3 similar approved in 30 days: 2 of 3 measured improved CPA."
    assert found.expected.startswith(
        "Within 72 hours CPA 30% lower than if left alone (95% interval \N{MINUS SIGN}"
    )
    assert found.expected.endswith("from 10 similar changes and 10 left alone.")


def test_an_approved_change_says_that_it_waits_while_nothing_acts(desk: Desk) -> None:
    action = desk.propose("11", CUT, status=WAITS)
    with desk.store.session() as session:
        approve(session, account_id="act_1", action_id=action, by=desk.bob, now=desk.now())
        switches.kill(session, reason="wrong prices.", by="Ana")
    with desk.store.session() as session:
        says = card(
            session, person=desk.ana, account_id="act_1", action_id=action, now=desk.now()
        ).says
    assert "Not made yet: Ana stopped all changes: wrong prices. It waits until" in says
    with desk.store.session() as session:
        switches.revive(session, reason="right again", by="Ana")
        late = card(
            session,
            person=desk.ana,
            account_id="act_1",
            action_id=action,
            now=desk.now() + timedelta(minutes=5),
        ).says
    assert "the executor has not answered" in late


def test_an_undo_and_a_change_never_measured_promise_no_outcome(desk: Desk) -> None:
    long_ago = desk.now() - timedelta(days=6)
    for entity, undone in (("11", 7), ("12", None)):
        desk.propose(
            entity, CUT, status=ActionStatus.EXECUTED, executed_at=long_ago, undoes_id=undone
        )
    with desk.store.session() as session:
        says = {
            one.entity_id: one.says for one in history(session, person=desk.ana, now=desk.now())
        }
    assert says["11"].endswith("The old value is back.")
    assert says["12"].endswith("What came of it could not be measured.")


def test_a_random_try_says_that_it_is_safe_to_reject(desk: Desk) -> None:
    desk.propose("11", CUT, status=WAITS, source="exploration")
    found = _pending(desk)[0]
    assert found.why == "It costs too much. Nothing depends on it: rejecting it is safe."
    assert found.proposer.startswith("Chance")


@pytest.mark.parametrize(
    ("search", "found"),
    [("cut", 1), ("raise", 0), ("Ad set 11", 1), ("ad set 12", 0), ("cut%", 0)],
)
def test_a_proposal_is_found_by_the_words_that_are_shown(
    desk: Desk, search: str, found: int
) -> None:
    desk.propose("11", CUT, status=WAITS)
    assert len(_pending(desk, search=search)) == found
    assert len(_pending(desk, search=f"{desk.account.name} {search}")) == found


def test_what_waits_is_summed_by_account_and_only_for_those_who_may_see_it(desk: Desk) -> None:
    for entity in ("11", "12"):
        desk.propose(entity, CUT, status=WAITS)
    with desk.store.session() as session:
        seen = waiting(session, person=desk.ana, now=desk.now())
        assert waiting(session, person=desk.stranger, now=desk.now()) == []
    assert [(one.account_id, one.proposals, str(one.stake)) for one in seen] == [
        ("act_1", 2, "2.00 USD")
    ]


def _training_row(desk: Desk, number: int, *, is_held_out: bool) -> TrainingRow:
    after = 100.0 + number % 3 if is_held_out else 70.0 + number % 3
    return TrainingRow(
        ad_account_id="act_1",
        decision_id=f"d{number}",
        horizon_hours=72,
        entity_type="adset",
        entity_id="11",
        state_vector={},
        features_hash="x",
        rule_id=7,
        pmf={},
        proposed="maintain" if is_held_out else "reduce_20",
        executed="maintain" if is_held_out else "reduce_20",
        is_held_out=is_held_out,
        action_source="rule",
        p_executed=0.5,
        outcome_measured=True,
        outcome_details={
            "before": {"cpa": 100.0, "spend": 100.0, "conversions": 1.0},
            "after": {"cpa": after, "spend": after, "conversions": 1.0},
        },
        state_captured_at=desk.now(),
        action_taken_at=desk.now(),
    )


def test_every_status_has_a_sentence(desk: Desk) -> None:
    with desk.store.session() as session:
        assert list(session.scalars(select(AutomationAction))) == []
    for number, status in enumerate(ActionStatus, start=11):
        desk.propose(str(number), CUT, status=status, status_reason="Because.")
    with desk.store.session() as session:
        told = history(session, person=desk.ana, now=desk.now())
    assert len(told) == len(ActionStatus)
    assert all(one.says and "None" not in one.says for one in told)


def test_only_what_we_set_last_may_be_undone(desk: Desk) -> None:
    done, now = ActionStatus.EXECUTED, desk.now()
    first, second, pause = (
        desk.propose("11", action, status=done, executed_at=now - timedelta(hours=hours))
        for action, hours in ((CUT, 9), (CUT, 5), (PAUSE, 7))
    )
    later = {"daily_budget_minor": 32_00, "status": "ACTIVE", "currency": "USD"}
    with desk.store.session() as session:
        session.get_one(AutomationAction, ("act_1", second)).value_after = later
    with desk.store.session() as session:
        cards = history(session, person=desk.ana, now=desk.now())
    assert {one.action_id: one.may_undo for one in cards} == {
        first: False,
        second: True,
        pause: True,
    }


def test_where_nothing_was_spent_afterwards_no_cost_is_told(desk: Desk) -> None:
    seen = {
        "horizon_hours": 72,
        "before": {"cpa": 53.78, "roas": 0.4, "spend": 53.78},
        "after": {"cpa": 0.0, "roas": 0.0, "spend": 0.0},
    }
    done = desk.propose(
        "11", PAUSE, status=ActionStatus.EXECUTED, executed_at=desk.now(), outcome_metrics=seen
    )
    with desk.store.session() as session:
        says = card(
            session, person=desk.ana, account_id="act_1", action_id=done, now=desk.now()
        ).says
    assert says.endswith("72 hours later: spend 53.78 USD → 0.00 USD.")
