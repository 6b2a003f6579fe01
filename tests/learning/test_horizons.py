"""Three horizons of every decision; however outcomes come in, the same training set comes out."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from intel_ml.core.actions import Arm
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import EntityId, EntityType
from intel_ml.data.facts import Delivered
from intel_ml.data.store.performance import write_snapshots
from intel_ml.data.store.sessions import Store
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.evidence import with_pauses
from intel_ml.learning import feedback
from intel_ml.learning.horizons import HORIZONS, Span, delivered
from intel_ml.learning.rewards import earned
from intel_ml.learning.training import mark_used, training_log
from tests import history

ONE, NOW = history.ACCOUNTS[0], history.NOW
DAYS = 9
_EVERY_H, ZONE = 6, ZoneInfo(ONE.time_zone)


def _snapshots(store: Store) -> None:
    """Look at every ad set each six hours: each hour it spends 2.00 and every fourth one sells."""
    with store.connection() as connection:
        for back in range(DAYS * 24, -1, -_EVERY_H):
            seen = NOW - timedelta(hours=back)
            local = seen.astimezone(ZONE)
            rows = [
                _so_far(f"101{number}", local, hour=local.hour, number=number)
                for number in range(8)
            ]
            write_snapshots(connection, rows, seen_at=seen)


def _so_far(entity: str, local: datetime, *, hour: int, number: int) -> Delivered:
    return Delivered(
        account=ONE.id,
        type=EntityType.ADSET,
        id=EntityId(entity),
        day=local.date(),
        impressions=100 * hour,
        reach=90 * hour,
        clicks=3 * hour,
        link_clicks=3 * hour,
        spend_minor=(200 + 10 * number) * hour,
        conversions=float(hour // 4),
        conversion_value_minor=2000 * (hour // 4),
    )


@pytest.fixture
def filled(store: Store) -> Store:
    history.write_history(store, [ONE])
    history.write_decisions(store, ONE, days=DAYS - 1)
    _snapshots(store)
    return store


def _learn(store: Store, ago: int) -> None:
    now = NOW - timedelta(hours=ago)
    with store.connection() as connection:
        feedback.record(connection, account=ONE, now=now)
    feedback.measure(store, account=ONE, now=now)


def _set(store: Store) -> list[pd.DataFrame]:
    with store.connection() as connection:
        return [
            training_log(connection, horizon_hours=horizon, now=NOW).sort_values(
                "decision_id", ignore_index=True
            )
            for horizon in HORIZONS
        ]


def _forget(store: Store) -> None:
    with store.connection() as connection:
        connection.execute(text("DELETE FROM intel_ml_training_data"))


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moments=st.lists(st.integers(0, DAYS * 24), max_size=6))
def test_late_repeated_and_disordered_outcomes_end_in_the_same_set_for_every_horizon(
    filled: Store, moments: list[int]
) -> None:
    _forget(filled)
    _learn(filled, 0)
    at_once = _set(filled)
    _forget(filled)
    for ago in [*moments, 0, *moments[:2], 0]:
        _learn(filled, ago)
    for one, other in zip(at_once, _set(filled), strict=True):
        assert one["reward_earned"].notna().any()
        # When something came to be known is not what it is.
        whole = [name for name in one if name != "measured_at"]
        pd.testing.assert_frame_equal(one[whole], other[whole])


def test_every_decision_that_is_over_has_a_row_a_horizon_measured_when_it_is_due(
    filled: Store,
) -> None:
    _learn(filled, 0)
    logs = dict(zip(HORIZONS, _set(filled), strict=True))
    assert len({tuple(log["decision_id"]) for log in logs.values()}) == 1
    for horizon, log in logs.items():
        assert (log["horizon_hours"] == horizon).all()
        known = log["reward_before_after"].notna() | log["reward_earned"].notna()
        young = log["as_of"] > NOW - timedelta(hours=horizon)
        assert not known[young].any()
        assert known[~young].any()
    same = ["executed", "verdict", "p_executed", "proposed", "action_source"]
    for log in logs.values():
        pd.testing.assert_frame_equal(log[same], logs[72][same])


def test_rewards_are_compared_within_their_horizon_only(filled: Store) -> None:
    _learn(filled, 0)
    before = _set(filled)
    with filled.connection() as connection:
        connection.execute(
            text(
                "UPDATE intel_ml_training_data SET outcome_details = "
                "jsonb_set(outcome_details, '{earned}', '1000') "
                "WHERE horizon_hours = 24 AND is_held_out AND outcome_measured"
            )
        )
        connection.execute(
            text(
                "UPDATE intel_ml_training_data SET outcome_measured = false "
                "WHERE id = (SELECT min(id) FROM intel_ml_training_data WHERE outcome_measured)"
            )
        )
    feedback.measure(filled, account=ONE, now=NOW)
    after = _set(filled)
    contrasts = [
        (one["reward_against_holdout"], other["reward_against_holdout"])
        for one, other in zip(before, after, strict=True)
    ]
    assert not contrasts[0][0].equals(contrasts[0][1])
    for one, other in contrasts[1:]:
        pd.testing.assert_series_equal(one, other)


def test_a_short_horizon_counts_the_hours_after_the_action_and_as_many_before(
    filled: Store,
) -> None:
    end = NOW - timedelta(hours=24)
    spans = {
        hours: Span("adset", "1011", end - timedelta(hours=hours), end) for hours in (6, 24, 48)
    }
    with filled.connection() as connection:
        found = delivered(connection, ONE, list(spans.values()))
    assert found[spans[6]]["spend"] == pytest.approx(6 * 2.10)
    day = found[spans[24]]["spend"]
    assert day is not None
    assert 0 < day < found[spans[48]]["spend"]


def test_who_was_never_looked_at_is_unknown_and_not_nothing(filled: Store) -> None:
    long_ago = NOW - timedelta(days=20)
    span = Span("adset", "1011", long_ago - timedelta(hours=24), long_ago)
    nobody = Span("adset", "none", NOW - timedelta(hours=30), NOW - timedelta(hours=6))
    with filled.connection() as connection:
        found = delivered(connection, ONE, [span, nobody])
        assert delivered(connection, ONE, []) == {}
    assert found[span] == {"spend": None, "conversions": None}
    assert found[nobody] == {"spend": None, "conversions": None}


def test_what_a_pause_would_have_earned_is_known_in_every_horizon(filled: Store) -> None:
    _learn(filled, 0)
    for log in _set(filled):
        known = log[log["reward"].notna()]
        assert known["reward_of_pause"].notna().all()
        both = with_pauses(known)
        assert len(both) == len(known) + int((known["executed"] != Arm.PAUSE).sum())
    with filled.connection() as connection:
        rows = connection.execute(
            text(
                "SELECT outcome_details -> 'in_play' AS before, "
                "(outcome_details ->> 'of_a_pause')::float8 AS pause FROM intel_ml_training_data "
                "WHERE outcome_details ->> 'of_a_pause' IS NOT NULL"
            )
        ).all()
    assert {True} == {
        row.pause == earned(row.before, {**row.before, "spend": 0.0, "conversions": 0.0})
        for row in rows
    }


def test_a_horizon_nobody_measures_is_refused(filled: Store) -> None:
    with filled.connection() as connection, pytest.raises(InvalidValueError, match="24, 48, 72"):
        training_log(connection, horizon_hours=36, now=NOW)


def test_an_action_tells_the_longest_horizon_that_was_measured(filled: Store) -> None:
    _learn(filled, 0)
    with filled.connection() as connection:
        rows = connection.execute(
            text(
                "SELECT executed_at, (outcome_metrics ->> 'horizon_hours')::int AS horizon "
                "FROM intel_automation_action WHERE outcome_measured_at IS NOT NULL"
            )
        ).all()
    for row in rows:
        passed = (NOW - row.executed_at) / timedelta(hours=1)
        assert row.horizon == max(one for one in HORIZONS if one < passed)
    assert {row.horizon for row in rows} >= {48, 72}


def test_nothing_is_lost_when_the_scheduler_stood_still_for_weeks(filled: Store) -> None:
    with filled.connection() as connection:
        feedback.record(connection, account=ONE, now=NOW + timedelta(days=30))
        rows = connection.execute(
            text(
                "SELECT count(DISTINCT decision_id) FROM intel_ml_training_data "
                "WHERE rule_id IS NOT NULL"
            )
        ).scalar_one()
        over = connection.execute(
            text(
                "SELECT count(*) FROM intel_decision d WHERE is_held_out OR EXISTS ("
                "SELECT FROM intel_automation_action a WHERE a.decision_id = d.decision_id "
                "AND a.status <> 'pending_approval')"
            )
        ).scalar_one()
    assert rows == over > 0


def test_the_stored_probability_is_the_logs(filled: Store) -> None:
    with filled.connection() as connection:
        feedback.record(connection, account=ONE, now=NOW)
        log = training_log(connection, now=NOW).set_index("decision_id")
        stored = connection.execute(
            text("SELECT decision_id, p_executed FROM intel_ml_training_data")
        ).all()
    assert all(np.isclose(row.p_executed, log["p_executed"][row.decision_id]) for row in stored)


def test_a_batch_marks_what_it_learned_from(filled: Store) -> None:
    _learn(filled, 0)
    log = _set(filled)[0]
    make_policy("ridge", features=["cpa_ratio"]).fit(log[log["reward"].notna()])
    with filled.connection() as connection:
        assert mark_used(connection, log.head(5), batch="run-1") == 5
        marked = connection.execute(
            text(
                "SELECT decision_id, horizon_hours, training_batch_id FROM intel_ml_training_data "
                "WHERE used_for_training"
            )
        ).all()
    assert {row.decision_id for row in marked} == set(log.head(5)["decision_id"])
    assert {(row.horizon_hours, row.training_batch_id) for row in marked} == {(24, "run-1")}
