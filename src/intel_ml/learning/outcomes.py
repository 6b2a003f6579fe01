"""What came of an action: the state after against before, and against units left alone.

Reads   training rows whose horizon has passed; what was delivered in the days that a state looks
        back, at both moments (`readings`), and for horizons shorter than a state's memory in as
        many hours before and after (`horizons`).
Gives   `reward_before_after` and `reward_against_holdout`, on the row and on its action.
Never   invents a reward: where a needed value is unknown, the row counts as measured and its reward
        stays null; never compares rewards of different horizons.

The window ends with the horizon; what is known of it is what is known now. A row is measured again
when more rows of the days it compares have come, as they do when an account was collected late and
while the platform restates its days, so for `REVISED` after its horizon, and for as much longer as
nobody measured. Before and after are known equally long after they ended: what is still to be
attributed is missing from both. When and in which order rows arrive and are measured makes no
difference to what they end as. The state that decided is never read again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm
from intel_ml.features.states import Value
from intel_ml.learning.horizons import HORIZON_HOURS, Span, delivered
from intel_ml.learning.readings import WINDOW_DAYS, Reading, Sums, read, window
from intel_ml.learning.rewards import (
    Unit,
    adjusted_against_holdout,
    before_after,
    earned,
    standing,
)

#: As long as the platform restates its days, and no longer.
REVISED = timedelta(days=28)
_HOUR = timedelta(hours=1)
_NEIGHBOURHOOD = timedelta(days=7)
_RECENT = timedelta(days=28)
_NOTHING = {"spend": 0.0, "conversions": 0.0}
_REPORTED = ("target_cpa", "cpa", "roas", "ctr", "spend", "conversions", "frequency", "cpa_ratio")

State = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows are measured with: sums of days by reading, sums of hours by span."""

    days: Mapping[Reading, Sums]
    hours: Mapping[Span, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True)
class _Questions:
    """What one row asks: the days before and after, and for short horizons the hours."""

    before: Reading
    after: Reading
    hours: tuple[Span, ...]


def measure_rows(connection: Connection, *, account: Account, now: datetime) -> int:
    """Measure what is due and what more has come of, and renew contrasts with held-out units.

    Return how many decisions were measured for the first time.
    """
    due = _due(connection, account, now)
    if due:
        asked = {row.id: _questions(account, row, now) for row in due}
        known = _Known(
            days=read(
                connection, account, [q for a in asked.values() for q in (a.before, a.after)]
            ),
            hours=delivered(connection, account, [q for a in asked.values() for q in a.hours]),
        )
        connection.execute(_MEASURED, [_measured(row, asked[row.id], known, now) for row in due])
        since = min(now - _RECENT, *(row.action_taken_at for row in due)) - _NEIGHBOURHOOD
        _compare(connection, account, since, due)
        connection.execute(_TO_ACTIONS, {"account": account.id, "since": since})
    return len({row.decision_id for row in due if not row.outcome_measured})


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
        _DUE,
        {
            "account": account.id,
            "zone": account.time_zone,
            "now": now,
            "revised": REVISED,
            "days": WINDOW_DAYS - 1,
        },
    )
    return [row for row in rows if _after_at(row) <= now]


def _after_at(row: Row[Any]) -> datetime:
    return full_hour(row.action_taken_at + timedelta(hours=row.horizon_hours))


def _before_at(row: Row[Any]) -> datetime:
    """Return when the entity stood as it did before: when it was decided, if that is recent."""
    waited = row.action_taken_at - row.state_captured_at
    if waited <= _HOUR:
        moment: datetime = row.state_captured_at
        return moment
    taken: datetime = row.action_taken_at
    return taken.replace(minute=0, second=0, microsecond=0)


def _questions(account: Account, row: Row[Any], now: datetime) -> _Questions:
    of = (row.entity_type, row.entity_id)
    before, after = _before_at(row), _after_at(row)
    taken, hours = row.action_taken_at, timedelta(hours=row.horizon_hours)
    # As long after it ended as what came after is known: a horizon ago.
    long_ago = now - hours
    spans: tuple[Span, ...] = ()
    # Two states that share no day are compared as they are.
    if row.horizon_hours < HORIZON_HOURS:
        spans = (
            Span(*of, taken - hours, taken, known_at=long_ago),
            Span(*of, taken, taken + hours, known_at=now),
        )
    return _Questions(
        before=window(account, of, moment=before, known_at=long_ago),
        after=window(account, of, moment=after, known_at=now),
        hours=spans,
    )


def _measured(row: Row[Any], asked: _Questions, known: _Known, now: datetime) -> dict[str, Any]:
    # The target is the one that was decided by: a new one changes no outcome of before.
    target = _number(row.state_vector.get("target_cpa"))
    was_told = known.days[asked.before]
    before = _reported(was_told, target) if was_told.has_rows else row.state_vector
    after = _reported(known.days[asked.after], target)
    was, became = _in_play(asked, known, before, after)
    if Arm(row.executed) is Arm.PAUSE:
        # A paused entity has no rows to see: here we know why, so nothing was spent or bought.
        nothing = {**_NOTHING, "target_cpa": before.get("target_cpa")}
        after = after if after.get("spend") is not None else {**after, **nothing}
        became = became if became.get("spend") is not None else nothing
    gained = earned(was, became)
    return {
        "row": row.id,
        "reward": before_after(before, after, arm=Arm(row.executed)),
        "now": now,
        "is_known": gained is not None,
        "details": {
            "before": {name: before.get(name) for name in _REPORTED},
            "after": {name: after.get(name) for name in _REPORTED},
            "after_at": _after_at(row).isoformat(),
            "horizon_hours": row.horizon_hours,
            "rows_seen": row.rows_seen,
            "in_play": was,
            "earned": gained,
            "of_a_pause": earned(was, {**was, **_NOTHING}),
        },
    }


def _reported(sums: Sums, target: float | None) -> dict[str, Value]:
    """Return what a state tells of the same days, by the catalogue's formulas."""
    told = sums.values
    cpa, rate = (
        _ratio(told["spend"], told["conversions"]),
        _ratio(told["clicks"], told["impressions"]),
    )
    return {
        "target_cpa": target,
        "cpa": cpa,
        "roas": _ratio(told["conversion_value"], told["spend"]),
        "ctr": None if rate is None else 100 * rate,
        "spend": told["spend"],
        "conversions": told["conversions"],
        "frequency": _ratio(told["impressions"], told["reach"]),
        "cpa_ratio": _ratio(cpa, target),
    }


def _ratio(over: float | None, under: float | None) -> float | None:
    return None if over is None or not under else over / under


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _in_play(
    asked: _Questions, known: _Known, before: State, after: State
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return the spend, conversions and target that are compared, before and after."""
    if asked.hours:
        target = {"target_cpa": before.get("target_cpa")}
        was, became = (known.hours[one] for one in asked.hours)
        return {**was, **target}, {**became, **target}
    names = (*_NOTHING, "target_cpa")
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _compare(
    connection: Connection, account: Account, since: datetime, measured: list[Row[Any]]
) -> None:
    """Contrast rows since a moment with others of their kind that were left alone, within a week.

    Of a rule's rows those are the held-out ones. Of rows where no rule fired, where only chance
    acts, all that were left alone are. They are brought to where the row's unit stood before. A row
    that was measured longer than a week from any of `measured` stands as it does.
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
            "ORDER BY horizon_hours, action_taken_at, decision_id"
        ),
        {"account": account.id, "since": since - _NEIGHBOURHOOD},
    ).all()
    units = {row.id: Unit(row.earned, standing(row.before or {})) for row in rows}
    held: dict[tuple[int | None, int], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.is_left_alone:
            held[row.rule_id, row.horizon_hours].append(row)
    times = {key: [other.action_taken_at for other in others] for key, others in held.items()}
    renewed: dict[int, list[datetime]] = defaultdict(list)
    for row in sorted(measured, key=lambda row: row.action_taken_at):
        renewed[row.horizon_hours].append(row.action_taken_at)
    changes = []
    for row in rows:
        if (
            row.action_taken_at <= since
            or not renewed[row.horizon_hours][_within(renewed[row.horizon_hours], row)]
        ):
            continue
        key = row.rule_id, row.horizon_hours
        near = [
            units[other.id]
            for other in held[key][_within(times.get(key, []), row)]
            if other.id != row.id
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


def _within(moments: list[datetime], row: Row[Any]) -> slice:
    """Return the place of the moments that are in a row's neighbourhood; they are in order."""
    return slice(
        bisect_left(moments, row.action_taken_at - _NEIGHBOURHOOD),
        bisect_right(moments, row.action_taken_at + _NEIGHBOURHOOD),
    )


# Rows of each training row's days that have been seen: what it is measured from, and no other.
_SEEN = """
    SELECT count(*) FROM {table} WHERE ad_account_id = :account
      AND entity_type = t.entity_type AND entity_id = t.entity_id
      AND day BETWEEN {last} - CAST(:days AS int) AND {last} AND seen_at <= {known}
"""
_LAST_BEFORE = "(t.before_at AT TIME ZONE :zone)::date"
_LAST_AFTER = "(t.after_at AT TIME ZONE :zone)::date"
_KNOWN_BEFORE = "CAST(:now AS timestamptz) - make_interval(hours => t.horizon_hours)"
_PARTS = [
    _SEEN.format(table=table, last=last, known=known)
    for table in ("intel_performance_daily", "intel_performance_snapshot")
    for last, known in ((_LAST_BEFORE, _KNOWN_BEFORE), (_LAST_AFTER, ":now"))
]
_DUE = text(
    f"""
    WITH ripe AS (
        SELECT *, date_trunc('hour', action_taken_at + make_interval(hours => horizon_hours)
                + interval '1 hour' - interval '1 microsecond') AS after_at,
            CASE WHEN action_taken_at - state_captured_at <= interval '1 hour'
                THEN state_captured_at ELSE date_trunc('hour', action_taken_at) END AS before_at
        FROM intel_ml_training_data
        WHERE ad_account_id = :account
          AND action_taken_at + make_interval(hours => horizon_hours) <= :now
          AND (NOT outcome_measured OR action_taken_at + make_interval(hours => horizon_hours)
              > least(:now, (SELECT max(outcome_measured_at) FROM intel_ml_training_data
                  WHERE ad_account_id = :account AND outcome_measured)) - :revised)
    )
    SELECT * FROM (
        SELECT t.id, t.decision_id, t.entity_type, t.entity_id, t.executed, t.horizon_hours,
            t.action_taken_at, t.state_captured_at, t.state_vector, t.outcome_measured,
            (t.outcome_details ->> 'rows_seen')::bigint AS rows_known,
            ({") + (".join(_PARTS)}) AS rows_seen
        FROM ripe AS t
    ) AS due
    WHERE NOT outcome_measured OR rows_seen > coalesce(rows_known, 0) ORDER BY id
    """  # noqa: S608  # our own text
)

# Known since the reward is: one that was unknown until its days came was not known before.
_MEASURED = text(
    """
    UPDATE intel_ml_training_data SET outcome_measured = true,
        outcome_measured_at = CASE
            WHEN outcome_measured AND (outcome_details ->> 'earned' IS NOT NULL OR NOT :is_known)
            THEN outcome_measured_at ELSE :now END,
        reward_against_holdout = CASE WHEN :is_known THEN reward_against_holdout END,
        outcome_details = :details, reward_before_after = :reward
    WHERE id = :row
    """
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
      AND (a.outcome_measured_at, a.outcome_score, a.outcome_metrics)
          IS DISTINCT FROM (t.outcome_measured_at, t.score, t.outcome_details)
    """
)
