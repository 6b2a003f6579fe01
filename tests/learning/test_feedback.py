"""What became of decisions: late, repeated and out-of-order calls end in the same rows."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from intel_ml.core.actions import ARMS, ActionStatus, Arm
from intel_ml.core.errors import NotFoundError
from intel_ml.data.store.sessions import Store
from intel_ml.learning import feedback
from intel_ml.learning.outcomes import full_hour
from intel_ml.learning.propensity import executed_probability, transition
from intel_ml.learning.rewards import (
    Unit,
    adjusted_against_holdout,
    against_holdout,
    standing,
)
from intel_ml.learning.training import training_log
from tests import history

ONE = history.ACCOUNTS[0]
ARM_NAMES = st.sampled_from([arm.value for arm in ARMS])
PAIRS = st.lists(st.tuples(ARM_NAMES, ARM_NAMES), max_size=60)
PMFS = st.lists(st.floats(0.01, 1), min_size=len(ARMS), max_size=len(ARMS)).map(
    lambda values: {arm.value: v / sum(values) for arm, v in zip(ARMS, values, strict=True)}
)


@given(pairs=PAIRS, pmf=PMFS)
def test_the_executed_arms_probabilities_sum_to_one(
    pairs: list[tuple[str, str]], pmf: dict[str, float]
) -> None:
    approval = transition(pairs)
    total = sum(executed_probability(pmf, arm, transition=approval) for arm in ARMS)
    assert total == pytest.approx(1)


@given(pmf=PMFS, approved=st.integers(0, 50), refused=st.integers(0, 50))
def test_more_refusals_move_probability_to_maintain(
    pmf: dict[str, float], approved: int, refused: int
) -> None:
    pairs = [("pause", "pause")] * approved + [("pause", "maintain")] * refused
    more = [*pairs, ("pause", "maintain")]
    before = executed_probability(pmf, Arm.PAUSE, transition=transition(pairs))
    after = executed_probability(pmf, Arm.PAUSE, transition=transition(more))
    assert after < before <= pmf["pause"]
    assert executed_probability(pmf, Arm.MAINTAIN, transition=transition(more)) > pmf["maintain"]


def test_without_people_the_proposals_probability_is_halved_and_with_many_approvals_it_stands() -> (
    None
):
    pmf = {"pause": 0.8, "maintain": 0.2}
    assert executed_probability(pmf, "pause", transition=transition([])) == pytest.approx(0.4)
    always = transition([("pause", "pause")] * 998)
    assert executed_probability(pmf, "pause", transition=always) == pytest.approx(0.8 * 999 / 1000)


@given(minutes=st.integers(0, 10_000))
def test_an_outcome_is_never_read_before_its_horizon(minutes: int) -> None:
    moment = history.NOW + timedelta(minutes=minutes)
    assert timedelta(0) <= full_hour(moment) - moment < timedelta(hours=1)


@pytest.fixture
def filled(store: Store) -> Store:
    history.write_history(store, [ONE])
    history.write_decisions(store, ONE, days=8)
    return store


def _rows(store: Store) -> list[dict[str, object]]:
    with store.connection() as connection:
        log = training_log(connection, account=ONE.id, now=history.NOW)
    records: list[dict[str, object]] = (
        log.sort_values("decision_id").drop(columns=["as_of"]).to_dict("records")
    )
    return [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in r.items()}
        for r in records
    ]


def test_any_number_and_order_of_calls_ends_in_the_same_rows(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    once = _rows(filled)
    assert len(once) > 30
    assert sum(row["reward_before_after"] is not None for row in once) > 10
    for back in (3, 0, 5, 0):
        now = history.NOW - timedelta(days=back)
        with filled.connection() as connection:
            feedback.record(connection, account=ONE, now=now)
        feedback.measure(filled, account=ONE, now=now)
    assert _rows(filled) == once
    with filled.connection() as connection:
        connection.execute(text("DELETE FROM intel_ml_training_data"))
        feedback.record(connection, account=ONE, now=history.NOW)
    feedback.measure(filled, account=ONE, now=history.NOW)
    late = {row["decision_id"]: row for row in _rows(filled)}
    shared = [row for row in once if row["decision_id"] in late and row["rule_id"] == 7]
    assert len(shared) > 20
    for row in shared:
        assert late[row["decision_id"]]["reward_before_after"] == row["reward_before_after"]
        assert late[row["decision_id"]]["reward_against_holdout"] == row["reward_against_holdout"]
        assert late[row["decision_id"]]["executed"] == row["executed"]


def test_a_rejection_executes_maintain_and_is_kept_as_a_label(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    rows = _rows(filled)
    rejected = [row for row in rows if row["verdict"] == "rejected"]
    assert rejected
    assert {row["executed"] for row in rejected} == {"maintain"}
    assert "maintain" not in {row["proposed"] for row in rejected}
    approved = [row for row in rows if row["verdict"] == "approved"]
    assert approved
    assert all(row["executed"] == row["proposed"] for row in approved)


def test_what_waits_for_a_person_has_no_row_until_it_is_over(filled: Store) -> None:
    moment = history.NOW - timedelta(days=1)
    with filled.connection() as connection:
        decision, entity = connection.execute(
            text(
                "SELECT decision_id, entity_id FROM intel_decision "
                "WHERE proposed = 'maintain' AND rule_id IS NULL ORDER BY as_of DESC LIMIT 1"
            )
        ).one()
        connection.execute(
            text(
                "UPDATE intel_decision SET proposed = 'pause', rule_id = 7 WHERE decision_id = :d"
            ),
            {"d": decision},
        )
        fate = history.FATES[-1]
        row = history.action_row(ONE, (decision, entity, Arm.PAUSE), fate=fate, moment=moment)
        connection.execute(history.insert(history.AutomationAction), [row])
        feedback.record(connection, account=ONE, now=history.NOW)
    assert decision not in {row["decision_id"] for row in _rows(filled)}
    with filled.connection() as connection:
        connection.execute(
            text(
                "UPDATE intel_automation_action "
                "SET status = 'rejected', human_decision = 'rejected', "
                "human_feedback_reason = 'too early' WHERE decision_id = :d"
            ),
            {"d": decision},
        )
        assert feedback.record(connection, account=ONE, now=history.NOW) == 1
    [found] = [row for row in _rows(filled) if row["decision_id"] == decision]
    assert (found["executed"], found["verdict"], found["verdict_reason"]) == (
        "maintain",
        "rejected",
        "too early",
    )


def test_an_undone_action_counts_as_maintain_and_is_measured_again(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    before = next(
        r
        for r in _rows(filled)
        if r["executed"] == "pause" and r["reward_before_after"] is not None
    )
    with filled.connection() as connection:
        connection.execute(
            text("UPDATE intel_automation_action SET status = :undone WHERE decision_id = :d"),
            {"undone": ActionStatus.UNDONE.value, "d": before["decision_id"]},
        )
        assert feedback.record(connection, account=ONE, now=history.NOW) == 1
    assert feedback.measure(filled, account=ONE, now=history.NOW) == 1
    after = next(r for r in _rows(filled) if r["decision_id"] == before["decision_id"])
    assert after["executed"] == "maintain"
    assert after["reward_before_after"] is not None


def test_the_contrast_is_with_units_of_the_same_trigger_that_were_left_alone(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    rows = _rows(filled)
    ruled = [r for r in rows if r["rule_id"] == 7 and r["reward_earned"] is not None]
    held = [r for r in ruled if r["is_held_out"]]
    assert len(held) >= 3
    assert all(r["reward_against_holdout"] is not None for r in ruled)
    quiet = [r for r in rows if r["rule_id"] is None and r["reward_earned"] is not None]
    assert quiet
    assert all(r["reward_against_holdout"] is not None for r in quiet)
    assert all(r["reward"] == r["reward_against_holdout"] for r in ruled)


def test_the_contrast_is_adjusted_for_where_units_stood_before(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    with filled.connection() as connection:
        rows = connection.execute(
            text(
                "SELECT id, reward_against_holdout AS reward, action_taken_at AS at, "
                "(outcome_details ->> 'earned')::float8 AS earned, "
                "outcome_details -> 'before' AS before "
                "FROM intel_ml_training_data WHERE rule_id IS NULL AND proposed = 'maintain' "
                "AND outcome_details ->> 'earned' IS NOT NULL"
            )
        ).all()
    units = {row.id: Unit(row.earned, standing(row.before)) for row in rows}
    differ = 0
    for row in rows:
        others = [o for o in rows if o.id != row.id and abs(o.at - row.at) <= timedelta(days=7)]
        near = [units[other.id] for other in others]
        assert row.reward == pytest.approx(adjusted_against_holdout(units[row.id], near))
        plain = against_holdout(row.earned, [unit.reward for unit in near])
        differ += row.reward != pytest.approx(plain)
    assert differ


def test_an_outcome_reaches_the_action_it_came_from(filled: Store) -> None:
    history.learn_from(filled, ONE, days=8)
    with filled.connection() as connection:
        rows = connection.execute(
            text(
                "SELECT a.status, a.outcome_score, "
                "100 * coalesce(t.reward_against_holdout, "
                "(t.outcome_details ->> 'earned')::float8) AS reward "
                "FROM intel_automation_action a "
                "JOIN intel_ml_training_data t USING (ad_account_id, decision_id) "
                "WHERE a.outcome_measured_at IS NOT NULL"
            )
        ).all()
    assert rows
    assert {row.status for row in rows} == {"executed"}
    assert any(row.reward is not None for row in rows)
    assert any(row.outcome_score == row.reward is not None for row in rows)


def test_what_was_done_elsewhere_is_recorded_once(filled: Store) -> None:
    with filled.connection() as connection:
        decision = connection.execute(
            text("SELECT decision_id FROM intel_decision LIMIT 1")
        ).scalar_one()
        done = feedback.Reported(decision, Arm.PAUSE)
        for _ in range(2):
            feedback.report(connection, done, account=ONE, now=history.NOW)
        unknown = feedback.Reported("none", Arm.PAUSE)
        with pytest.raises(NotFoundError):
            feedback.report(connection, unknown, account=ONE, now=history.NOW)
    [row] = [r for r in _rows(filled) if r["decision_id"] == decision]
    assert row["executed"] == "pause"


def test_what_was_reported_stays_though_we_saw_nothing_happen(filled: Store) -> None:
    with filled.connection() as connection:
        feedback.record(connection, account=ONE, now=history.NOW)
        decision = connection.execute(
            text(
                "SELECT decision_id FROM intel_ml_training_data "
                "WHERE executed = 'maintain' AND NOT is_held_out LIMIT 1"
            )
        ).scalar_one()
        done = feedback.Reported(decision, Arm.PAUSE)
        feedback.report(connection, done, account=ONE, now=history.NOW)
        feedback.record(connection, account=ONE, now=history.NOW)
    [row] = [r for r in _rows(filled) if r["decision_id"] == decision]
    assert row["executed"] == "pause"
