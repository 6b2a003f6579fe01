"""One turn of the loop: proposal, person, executor, read back, outcome, training row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from intel_ml.data.store.tables import Decision, TrainingRow
from tests.demo.running import Demo

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]

_PATIENCE_S = 30
_OPEN = {"approved", "executing"}
_HORIZON_HOURS = 72


@dataclass(frozen=True)
class CarriedOut:
    """One approved action, and the platform before and after it."""

    action: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    writes: list[dict[str, Any]]


@pytest.fixture(scope="module")
def carried_out(demo: Demo) -> CarriedOut:
    """Approve the newest proposal about an ad set that no guard holds back."""
    told = []
    for proposal in demo.actions("pending_approval"):
        if proposal["entity_type"] != "adset":
            continue
        before, known = demo.on_platform(proposal["entity_id"]), len(demo.writes())
        answer = demo.ask("POST", f"/api/intelligence/actions/{proposal['id']}/approve")
        assert answer.status_code == 200, answer.text
        action = _ended(demo, proposal["id"])
        if action["status"] == "executed":
            after = demo.on_platform(proposal["entity_id"])
            return CarriedOut(action, before, after, demo.writes()[known:])
        told.append((action["id"], action["status"], action["status_reason"]))
    pytest.fail(f"nothing that was approved was carried out: {told}")


@pytest.fixture(scope="module")
def later(demo: Demo, carried_out: CarriedOut) -> TrainingRow:
    """Let four days pass; return the training row of the action."""
    done = demo.cli("sandbox", "advance", "--hours", "96", "--every", "8")
    assert done.returncode == 0, done.stderr
    with demo.store.session() as session:
        return session.scalars(
            select(TrainingRow).where(
                TrainingRow.decision_id == carried_out.action["decision_id"],
                TrainingRow.horizon_hours == _HORIZON_HOURS,
            )
        ).one()


def test_what_is_approved_is_changed_on_the_ad_platform(carried_out: CarriedOut) -> None:
    wanted = carried_out.action["value_after"]
    assert carried_out.before != carried_out.after
    assert carried_out.after["status"] == wanted["status"]
    if wanted["daily_budget_minor"] is not None:
        assert int(carried_out.after["daily_budget"]) == wanted["daily_budget_minor"]


def test_the_platform_received_one_write_and_took_it(carried_out: CarriedOut) -> None:
    (write,) = carried_out.writes
    assert write["path"] == carried_out.action["entity_id"]
    assert write["is_applied"]


def test_the_value_before_was_the_platforms(carried_out: CarriedOut) -> None:
    before = carried_out.action["value_before"]
    assert carried_out.before["status"] == before["status"]
    if before["daily_budget_minor"] is not None:
        assert int(carried_out.before["daily_budget"]) == before["daily_budget_minor"]


def test_the_journal_holds_intent_request_answer_and_what_was_read_back(
    demo: Demo, carried_out: CarriedOut
) -> None:
    events = demo.json("audit", str(carried_out.action["id"]))
    kinds = [e["kind"] for e in events if e["kind"] not in {"transition", "guard", "note"}]
    assert kinds == ["intent", "request", "answer", "read_back"]
    moves = [e["detail"]["to"] for e in events if e["kind"] == "transition"]
    assert moves[-3:] == ["approved", "executing", "executed"]
    assert next(e["actor"] for e in events if e["detail"].get("to") == "approved") == "demo"
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)


def test_approving_twice_says_who_was_first(demo: Demo, carried_out: CarriedOut) -> None:
    answer = demo.ask("POST", f"/api/intelligence/actions/{carried_out.action['id']}/approve")
    assert answer.status_code == 409
    assert "demo" in answer.json()["error"]["message"]


def test_four_days_later_the_outcome_is_a_training_row(
    demo: Demo, carried_out: CarriedOut, later: TrainingRow
) -> None:
    with demo.store.session() as session:
        decision = session.scalars(
            select(Decision).where(Decision.decision_id == carried_out.action["decision_id"])
        ).one()
    assert later.verdict == "approved"
    assert later.executed == decision.proposed
    assert later.state_vector == decision.state
    assert later.pmf == decision.proposal_pmf
    assert 0 < later.p_executed <= 1
    assert later.outcome_measured
    assert later.outcome_measured_at is not None
    assert later.action_taken_at is not None
    waited = later.outcome_measured_at - later.action_taken_at
    assert waited.total_seconds() >= _HORIZON_HOURS * 3600


def test_a_reward_is_a_number_or_its_missing_observation_is_named(later: TrainingRow) -> None:
    details = later.outcome_details or {}
    seen = [*details["before"].values(), *details["after"].values()]
    assert later.reward_before_after is not None or None in seen


def test_the_action_itself_tells_its_outcome(
    demo: Demo, carried_out: CarriedOut, later: TrainingRow
) -> None:
    action = demo.action(carried_out.action["id"])
    assert action["outcome_measured_at"] is not None
    earned = (later.outcome_details or {})["earned"]
    assert (action["outcome_score"] is None) == (
        earned is None and later.reward_against_holdout is None
    )


def _ended(demo: Demo, number: int) -> dict[str, Any]:
    """Wait until the executor has done, refused or put off an approved action."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        action = demo.action(number)
        if action["status"] not in _OPEN or action["status_reason"]:
            return action
        time.sleep(0.1)
    pytest.fail(f"the executor left action {number} alone")
