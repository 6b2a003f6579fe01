"""What came of an action: the state after against before, and against units left alone.

Reads   training rows whose horizon has passed; states at both moments, as they were known then, and
        for horizons shorter than a state's memory what was delivered in as many hours before and
        after (`horizons`).
Gives   `reward_before_after` and `reward_against_holdout`, on the row and on its action.
Never   invents a reward: where a needed value is unknown, the row counts as measured and its reward
        stays null; never compares rewards of different horizons.

When and in which order rows are measured makes no difference to what they end as.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm
from intel_ml.features.states import Value
from intel_ml.learning.horizons import HORIZON_HOURS, Span, delivered
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


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows are measured with: states at moments, sums of spans."""

    states: Mapping[Spot, State]
    sums: Mapping[Span, Mapping[str, float | None]]


def measure_rows(connection: Connection, *, account: Account, now: datetime) -> int:
    """Measure what is due, renew contrasts with held-out units; return how many decisions were."""
    due = _due(connection, account, now)
    if due:
        known = _Known(
            states=_states(connection, account, due),
            sums=delivered(connection, account, {one for row in due for one in _spans(row)}),
        )
        connection.execute(_MEASURED, [_measured(row, known, now) for row in due])
        since = min(now - _RECENT, *(row.action_taken_at for row in due)) - _NEIGHBOURHOOD
        _compare(connection, account, since)
        connection.execute(_TO_ACTIONS, {"account": account.id, "since": since})
    return len({row.decision_id for row in due})


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
            "SELECT id, decision_id, entity_type, entity_id, executed, horizon_hours, "
            "action_taken_at, state_captured_at, state_vector "
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


def _spans(row: Row[Any]) -> tuple[Span, ...]:
    """Return the hours before and after; none where two states share nothing anyway."""
    if row.horizon_hours >= HORIZON_HOURS:
        return ()
    taken, hours = row.action_taken_at, timedelta(hours=row.horizon_hours)
    of = (row.entity_type, row.entity_id)
    return Span(*of, taken - hours, taken), Span(*of, taken, taken + hours)


def _measured(row: Row[Any], known: _Known, now: datetime) -> dict[str, Any]:
    moment = _before_at(row)
    before = (
        row.state_vector
        if moment is None
        else known.states.get((row.entity_type, row.entity_id, moment), {})
    )
    after = known.states.get((row.entity_type, row.entity_id, _after_at(row)), {})
    was, became = _in_play(row, known, before, after)
    if Arm(row.executed) is Arm.PAUSE:
        # A paused entity has no rows to see: here we know why, so nothing was spent or bought.
        nothing = {**_NOTHING, "target_cpa": before.get("target_cpa")}
        after = after if after.get("spend") is not None else {**after, **nothing}
        became = became if became.get("spend") is not None else nothing
    return {
        "row": row.id,
        "reward": before_after(before, after, arm=Arm(row.executed)),
        "now": now,
        "details": {
            "before": {name: before.get(name) for name in _REPORTED},
            "after": {name: after.get(name) for name in _REPORTED},
            "after_at": _after_at(row).isoformat(),
            "horizon_hours": row.horizon_hours,
            "in_play": was,
            "earned": earned(was, became),
            "of_a_pause": earned(was, {**was, **_NOTHING}),
        },
    }


def _in_play(
    row: Row[Any], known: _Known, before: State, after: State
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return the spend, conversions and target that are compared, before and after."""
    spans = _spans(row)
    if spans:
        target = {"target_cpa": before.get("target_cpa")}
        was, became = (known.sums[one] for one in spans)
        return {**was, **target}, {**became, **target}
    names = (*_NOTHING, "target_cpa")
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _compare(connection: Connection, account: Account, since: datetime) -> None:
    """Contrast rows since a moment with others of their kind that were left alone, within a week.

    Of a rule's rows those are the held-out ones. Of rows where no rule fired, where only chance
    acts, all that were left alone are. They are brought to where the row's unit stood before.
    """
    rows = connection.execute(
        text(
            "SELECT id, rule_id, horizon_hours, action_taken_at, reward_against_holdout, "
            "is_held_out OR (rule_id IS NULL AND proposed = 'maintain') AS is_left_alone, "
            "(outcome_details ->> 'earned')::float8 AS earned, "
            "coalesce(outcome_details -> 'in_play', outcome_details -> 'before') AS before "
            "FROM intel_ml_training_data "
            "WHERE ad_account_id = :account AND outcome_measured "
            "AND outcome_details ->> 'earned' IS NOT NULL AND action_taken_at > :since "
            "ORDER BY horizon_hours, decision_id"
        ),
        {"account": account.id, "since": since - _NEIGHBOURHOOD},
    ).all()
    units = {row.id: Unit(row.earned, standing(row.before or {})) for row in rows}
    held: dict[tuple[int | None, int], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.is_left_alone:
            held[row.rule_id, row.horizon_hours].append(row)
    changes = []
    for row in rows:
        if row.action_taken_at <= since:
            continue
        near = [
            units[other.id]
            for other in held[row.rule_id, row.horizon_hours]
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

# An action tells the longest horizon that was measured, as its contrast stands now.
_TO_ACTIONS = text(
    """
    UPDATE intel_automation_action a
    SET outcome_measured_at = t.outcome_measured_at, outcome_metrics = t.outcome_details,
        outcome_score = t.score
    FROM (
        SELECT DISTINCT ON (decision_id) decision_id, outcome_measured_at, outcome_details,
            100 * coalesce(reward_against_holdout, (outcome_details ->> 'earned')::float8) AS score
        FROM intel_ml_training_data
        WHERE ad_account_id = :account AND outcome_measured AND action_taken_at > :since
        ORDER BY decision_id, horizon_hours DESC
    ) AS t
    WHERE a.ad_account_id = :account AND a.decision_id = t.decision_id AND a.status = 'executed'
      AND (a.outcome_measured_at, a.outcome_score)
          IS DISTINCT FROM (t.outcome_measured_at, t.score)
    """
)
