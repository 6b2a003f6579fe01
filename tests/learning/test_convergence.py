"""Outcomes that come late, twice and out of order end in the same rows: any history of calls.

The calls are drawn at random: recorded or measured, as if it were now or days ago, as often as it
likes, verdicts arriving between them. What follows is one last look, as the schedule has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from intel_ml.data.store.sessions import Store
from intel_ml.learning import feedback
from intel_ml.learning.readings import read, window
from intel_ml.learning.states import read_states
from tests import history

ONE = history.ACCOUNTS[0]
DAYS = 8
calls = st.lists(
    st.tuples(st.sampled_from(["record", "measure", "verdicts"]), st.integers(0, DAYS)), max_size=6
)


@pytest.fixture
def filled(store: Store) -> Iterator[Store]:
    history.write_history(store, [ONE])
    history.write_decisions(store, ONE, days=DAYS)
    with store.connection() as connection:
        connection.execute(text("CREATE TABLE told AS SELECT * FROM intel_automation_action"))
    yield store
    with store.connection() as connection:
        connection.execute(text("DROP TABLE told"))
        connection.execute(text("DROP TABLE IF EXISTS kept"))


def _begin_anew(store: Store) -> None:
    """Forget all rows; no proposal has come to an end yet."""
    with store.connection() as connection:
        connection.execute(text("DELETE FROM intel_ml_training_data"))
        connection.execute(text("DELETE FROM intel_automation_action"))


def _tell(store: Store, *, every: int) -> None:
    """Let what became of every so manieth proposal arrive."""
    with store.connection() as connection:
        connection.execute(
            text(
                "INSERT INTO intel_automation_action OVERRIDING SYSTEM VALUE "
                "SELECT * FROM told WHERE id % :every = 0 ON CONFLICT DO NOTHING"
            ),
            {"every": every},
        )


def _look(store: Store, *, back: int = 0) -> None:
    now = history.NOW - timedelta(days=back)
    with store.connection() as connection:
        feedback.record(connection, account=ONE, now=now)
    feedback.measure(store, account=ONE, now=now)


def _ends(store: Store) -> list[tuple[object, ...]]:
    """Return what every decision of a rule ended as, and what its action was told."""
    with store.connection() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "SELECT t.decision_id, t.horizon_hours, t.executed, t.verdict, "
                    "t.action_taken_at, t.outcome_measured, t.outcome_details, "
                    "t.reward_before_after, round(t.reward_against_holdout::numeric, 9), "
                    "a.outcome_metrics "
                    "FROM intel_ml_training_data t "
                    "LEFT JOIN intel_automation_action a USING (ad_account_id, decision_id) "
                    "WHERE t.rule_id = 7 ORDER BY t.decision_id, t.horizon_hours"
                )
            )
        ]


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=calls)
def test_every_history_of_late_repeated_and_unordered_calls_ends_in_the_same_rows(
    filled: Store, calls: list[tuple[str, int]]
) -> None:
    _begin_anew(filled)
    _tell(filled, every=1)
    _look(filled)
    once = _ends(filled)
    assert len(once) > 60
    assert sum(row[8] is not None for row in once) > 20
    _begin_anew(filled)
    for what, number in calls:
        now = history.NOW - timedelta(days=number)
        if what == "verdicts":
            _tell(filled, every=number + 1)
        elif what == "record":
            with filled.connection() as connection:
                feedback.record(connection, account=ONE, now=now)
        else:
            feedback.measure(filled, account=ONE, now=now)
    _tell(filled, every=1)
    _look(filled)
    _look(filled)
    assert _ends(filled) == once


def _collect_late(store: Store, hours: int, days: int) -> None:
    """Let the closed days that ended in the last `days` come so many hours later than they did."""
    with store.connection() as connection:
        connection.execute(
            text(
                "UPDATE intel_performance_daily d SET seen_at = k.seen_at "
                "+ CASE WHEN k.day > CAST(:since AS date) THEN make_interval(hours => :hours) "
                "ELSE interval '0' END FROM kept k WHERE (k.ad_account_id, k.entity_type, "
                "k.entity_id, k.day) = (d.ad_account_id, d.entity_type, d.entity_id, d.day)"
            ),
            {"since": (history.NOW - timedelta(days=days)).date(), "hours": hours},
        )


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    hours=st.integers(1, 120),
    looks=st.lists(st.integers(0, 14 * 24), max_size=5),
)
def test_days_that_are_collected_late_end_in_the_outcomes_of_days_in_time(
    filled: Store, hours: int, looks: list[int]
) -> None:
    end = history.NOW + timedelta(days=15)
    with filled.connection() as connection:
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM intel_performance_daily")
        )
    _collect_late(filled, 0, DAYS)
    _begin_anew(filled)
    _tell(filled, every=1)
    _look(filled, back=-15)
    in_time = _ends(filled)
    assert sum(row[8] is not None for row in in_time if row[1] == 72) > 20
    _collect_late(filled, hours, DAYS)
    _begin_anew(filled)
    _tell(filled, every=1)
    with filled.connection() as connection:
        feedback.record(connection, account=ONE, now=end)
    for ago in looks:
        feedback.measure(filled, account=ONE, now=end - timedelta(hours=ago))
    _look(filled, back=-15)
    _look(filled, back=-15)
    assert _ends(filled) == in_time


def test_an_outcome_that_was_lost_to_a_gap_is_found_when_its_days_come(filled: Store) -> None:
    with filled.connection() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT * FROM intel_performance_daily"))
    _collect_late(filled, 40 + 5 * 24, DAYS + 20)
    _begin_anew(filled)
    _tell(filled, every=1)
    _look(filled)
    unknown = [row[:2] for row in _ends(filled) if row[1] == 72 and row[5] and row[7] is None]
    assert unknown
    _look(filled, back=-7)
    found = {row[:2]: row[7] for row in _ends(filled)}
    assert all(found[key] is not None for key in unknown)


def test_a_restated_day_corrects_the_reward_and_not_the_state_that_decided(filled: Store) -> None:
    _begin_anew(filled)
    _tell(filled, every=1)
    _look(filled)
    before = _ends(filled)
    with filled.connection() as connection:
        states = connection.execute(text("SELECT state_vector FROM intel_ml_training_data"))
        decided = sorted(map(str, states.scalars()))
        connection.execute(
            text(
                "INSERT INTO intel_performance_daily (ad_account_id, entity_type, entity_id, day, "
                "seen_at, impressions, reach, clicks, spend_minor, conversions, "
                "conversion_value_minor, source, is_total) "
                "SELECT ad_account_id, entity_type, entity_id, day, seen_at + interval '9 days', "
                "impressions, reach, clicks, spend_minor, conversions + 2, "
                "conversion_value_minor, source, is_total FROM intel_performance_daily"
            )
        )
    _look(filled, back=-14)
    after = _ends(filled)
    _look(filled, back=-14)
    assert _ends(filled) == after
    assert [row[7] for row in after] != [row[7] for row in before]
    with filled.connection() as connection:
        states = connection.execute(text("SELECT state_vector FROM intel_ml_training_data"))
        assert sorted(map(str, states.scalars())) == decided


def test_a_window_says_what_the_state_said_where_nothing_came_later(filled: Store) -> None:
    moments = [history.NOW - timedelta(days=back) for back in (1, 4, 9)]
    with filled.connection() as connection:
        states = read_states(connection, accounts=[ONE], as_of=moments)
        asked = [
            window(ONE, (entity.type.value, entity.id), moment=moment, known_at=moment)
            for entity, moment in zip(states.entities, states.moments, strict=True)
        ]
        found = read(connection, ONE, asked)
    assert len(asked) > 30
    for row, one in enumerate(asked):
        for name in ("spend", "conversions", "conversion_value", "impressions", "clicks", "reach"):
            assert found[one].values[name] == pytest.approx(states.columns[name][row])
