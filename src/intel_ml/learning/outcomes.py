"""What came of an action: the state after against before, and against units left alone.

Reads   training rows whose horizon has passed; states at both moments, as they were known then.
Gives   `reward_before_after` and `reward_against_holdout`, on the row and on its action.
Never   invents a reward: where a needed value is unknown, the row counts as measured and its reward
        stays null.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm
from intel_ml.features.states import Value
from intel_ml.learning.rewards import (
    Unit,
    adjusted_against_holdout,
    before_after,
    earned,
    standing,
)
from intel_ml.learning.states import read_states

_HOUR = timedelta(hours=1)
_NEIGHBOURHOOD = timedelta(days=7)
_RECENT = timedelta(days=28)
_NOTHING = {"spend": 0.0, "conversions": 0.0}
_REPORTED = ("target_cpa", "cpa", "roas", "ctr", "spend", "conversions", "frequency", "cpa_ratio")

State = Mapping[str, Value]
Spot = tuple[str, str, datetime]


def measure_rows(connection: Connection, *, account: Account, now: datetime) -> int:
    """Measure what is due, renew every contrast with held-out units; return how many were due."""
    due = _due(connection, account, now)
    if due:
        states = _states(connection, account, due)
        connection.execute(_MEASURED, [_measured(row, states, now) for row in due])
        _compare(connection, account, now)
        connection.execute(_TO_ACTIONS, {"account": account.id, "now": now})
    return len(due)


def full_hour(moment: datetime) -> datetime:
    """Return the first full hour at or after `moment`: rows of one hour share one reading.

    >>> from datetime import UTC
    >>> full_hour(datetime(2026, 11, 22, 10, 5, tzinfo=UTC)).hour
    11
    """
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + _HOUR


def _due(connection: Connection, account: Account, now: datetime) -> list[Row[Any]]:
    rows = connection.execute(
        text(
            "SELECT id, entity_type, entity_id, executed, horizon_hours, action_taken_at, "
            "state_captured_at, state_vector "
            "FROM intel_ml_training_data WHERE ad_account_id = :account AND NOT outcome_measured "
            "AND action_taken_at + make_interval(hours => horizon_hours) <= :now ORDER BY id"
        ),
        {"account": account.id, "now": now},
    )
    return [row for row in rows if _after_at(row) <= now]


def _after_at(row: Row[Any]) -> datetime:
    return full_hour(row.action_taken_at + timedelta(hours=row.horizon_hours))


def _before_at(row: Row[Any]) -> datetime | None:
    """Return when to read the state before; None where the decision's own is recent enough."""
    waited = row.action_taken_at - row.state_captured_at
    return (
        None if waited <= _HOUR else row.action_taken_at.replace(minute=0, second=0, microsecond=0)
    )


def _states(connection: Connection, account: Account, due: Sequence[Row[Any]]) -> dict[Spot, State]:
    moments = {_after_at(row) for row in due} | {
        m for row in due if (m := _before_at(row)) is not None
    }
    wanted = {(row.entity_type, row.entity_id) for row in due}
    states = read_states(connection, accounts=[account], as_of=sorted(moments))
    return {
        (entity.type.value, entity.id, moment): states.state(index)
        for index, (entity, moment) in enumerate(zip(states.entities, states.moments, strict=True))
        if (entity.type.value, entity.id) in wanted
    }


def _measured(row: Row[Any], states: Mapping[Spot, State], now: datetime) -> dict[str, Any]:
    moment = _before_at(row)
    before = (
        row.state_vector
        if moment is None
        else states.get((row.entity_type, row.entity_id, moment), {})
    )
    after = states.get((row.entity_type, row.entity_id, _after_at(row)), {})
    if Arm(row.executed) is Arm.PAUSE and after.get("spend") is None:
        # A paused entity has no rows to see: here we know why, so nothing was spent or bought.
        after = {**after, **_NOTHING, "target_cpa": before.get("target_cpa")}
    return {
        "row": row.id,
        "reward": before_after(before, after, arm=Arm(row.executed)),
        "now": now,
        "details": {
            "before": {name: before.get(name) for name in _REPORTED},
            "after": {name: after.get(name) for name in _REPORTED},
            "after_at": _after_at(row).isoformat(),
            "earned": earned(before, after),
        },
    }


def _compare(connection: Connection, account: Account, now: datetime) -> None:
    """Contrast every recent row with other rows of its kind that were left alone, within a week.

    Of a rule's rows those are the held-out ones. Of rows where no rule fired, where only chance
    acts, all that were left alone are. They are brought to where the row's unit stood before.
    """
    rows = connection.execute(
        text(
            "SELECT id, rule_id, action_taken_at, reward_against_holdout, "
            "is_held_out OR (rule_id IS NULL AND proposed = 'maintain') AS is_left_alone, "
            "(outcome_details ->> 'earned')::float8 AS earned, "
            "outcome_details -> 'before' AS before FROM intel_ml_training_data "
            "WHERE ad_account_id = :account AND outcome_measured "
            "AND outcome_details ->> 'earned' IS NOT NULL AND action_taken_at > :since "
            "ORDER BY decision_id, id"
        ),
        {"account": account.id, "since": now - _RECENT},
    ).all()
    units = {row.id: Unit(row.earned, standing(row.before or {})) for row in rows}
    held: dict[int | None, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.is_left_alone:
            held[row.rule_id].append(row)
    changes = []
    for row in rows:
        near = [
            units[other.id]
            for other in held[row.rule_id]
            if other.id != row.id
            and abs(other.action_taken_at - row.action_taken_at) <= _NEIGHBOURHOOD
        ]
        value = adjusted_against_holdout(units[row.id], near)
        if value != row.reward_against_holdout:
            changes.append({"row": row.id, "value": value})
    if changes:
        connection.execute(
            text(
                "UPDATE intel_ml_training_data SET reward_against_holdout = :value WHERE id = :row"
            ),
            changes,
        )


_MEASURED = text(
    "UPDATE intel_ml_training_data SET outcome_measured = true, outcome_measured_at = :now, "
    "outcome_details = :details, reward_before_after = :reward WHERE id = :row"
).bindparams(bindparam("details", type_=JSONB))

_TO_ACTIONS = text(
    """
    UPDATE intel_automation_action a
    SET outcome_measured_at = t.outcome_measured_at, outcome_metrics = t.outcome_details,
        outcome_score = 100 * coalesce(
            t.reward_against_holdout, (t.outcome_details ->> 'earned')::float8)
    FROM intel_ml_training_data t
    WHERE t.ad_account_id = :account AND t.outcome_measured_at = :now
      AND a.ad_account_id = t.ad_account_id AND a.decision_id = t.decision_id
      AND a.status = 'executed'
    """
)
