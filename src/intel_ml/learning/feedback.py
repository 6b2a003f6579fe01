"""What became of each decision: a row once it is known what was done, a reward in due time.

Reads   decisions, actions, and the states before and after.
Gives   rows of `intel_ml_training_data`, one a decision and horizon.
Never   loses a late outcome, and never counts one twice: any order and any number of calls end in
        the same rows.

A rejection is a label for the imitation of people, never a reward of the rejected arm: what was
executed is `maintain`. An action that was undone did not stay, so it counts as `maintain` too, from
the moment of the decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, text
from sqlalchemy.dialects.postgresql import insert

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Action, ActionStatus, ActionType, Arm, arm_of
from intel_ml.core.errors import NotFoundError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import TrainingRow
from intel_ml.learning.horizons import HORIZONS
from intel_ml.learning.outcomes import measure_rows
from intel_ml.learning.propensity import executed_probability, transitions

#: Marks the row of what someone did outside this platform, and when they said so.
_REPORTED = "reported_at"
_LOOKBACK = timedelta(days=14)
_SAMPLE_LOOKBACK = timedelta(days=2)
_OVER = frozenset(
    {
        ActionStatus.EXECUTED,
        ActionStatus.UNDONE,
        ActionStatus.REJECTED,
        ActionStatus.EXPIRED,
        ActionStatus.STALE,
        ActionStatus.FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Reported:
    """What someone did with a decision outside this platform."""

    decision_id: str
    executed: Arm
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Fate:
    """What was done about one decision, and when."""

    decision_id: str
    executed: Arm
    taken_at: datetime
    verdict: str | None
    verdict_reason: str | None
    action_params: Mapping[str, Any] | None
    action_source: str
    is_by_executor: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """What the row of a decision says already."""

    executed: str
    taken_at: datetime | None
    verdict: str | None
    is_reported: bool
    rows: int


def record(connection: Connection, *, account: Account, now: datetime) -> int:
    """Write or correct the rows of each decision that is over; return how many changed.

    A decision has a row a horizon: what was done is the same in all, what came of it is not.

    Over are proposals that were executed, refused, ignored or failed, units held out at random, and
    one sampled decision to leave alone a day for each ad set. What waits for a person or for the
    executor has no row yet.
    """
    fates = [*_fates_of_actions(connection, account, now), *_left_alone(connection, account, now)]
    known = _known(connection, account, [fate.decision_id for fate in fates])
    changed = [fate for fate in fates if _is_news(fate, known.get(fate.decision_id))]
    _write(connection, account, changed)
    return len(changed)


def report(connection: Connection, done: Reported, *, account: Account, now: datetime) -> None:
    """Record what someone did elsewhere with a decision of ours."""
    row = connection.execute(
        text("SELECT proposed FROM intel_decision WHERE ad_account_id = :a AND decision_id = :d"),
        {"a": account.id, "d": done.decision_id},
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no decision '{done.decision_id}' of {account.id}.")
    verdict = Verdict.APPROVED if row.proposed == done.executed else Verdict.MODIFIED
    if done.executed is Arm.MAINTAIN and row.proposed != Arm.MAINTAIN:
        verdict = Verdict.REJECTED
    elsewhere = {_REPORTED: now.isoformat()}
    fate = _Fate(
        done.decision_id, done.executed, now, verdict.value, done.reason, elsewhere, "human"
    )
    _write(connection, account, [fate])


def measure(store: Store, *, account: Account, now: datetime) -> int:
    """Fill the rewards of the rows whose horizon has passed; return how many were measured now."""
    with store.connection() as connection:
        return measure_rows(connection, account=account, now=now)


def _fates_of_actions(connection: Connection, account: Account, now: datetime) -> list[_Fate]:
    rows = connection.execute(
        text(
            """
            SELECT decision_id, a.status, a.action_type, a.action_params, a.human_decision,
                   a.human_modified_action, a.executed_at, a.source, a.approved_by, d.decided_at,
                   coalesce(a.human_feedback_reason, a.rejection_reason) AS verdict_reason
            FROM intel_automation_action a
            JOIN intel_decision d USING (ad_account_id, decision_id)
            WHERE ad_account_id = :account AND a.undoes_id IS NULL AND NOT d.is_held_out
              AND d.decided_at <= :now AND (a.created_at > :since OR NOT EXISTS (
                  SELECT FROM intel_ml_training_data t
                  WHERE t.ad_account_id = :account AND t.decision_id = d.decision_id))
              AND (a.executed_at IS NULL OR a.executed_at <= :now)
            ORDER BY a.id
            """
        ),
        {"account": account.id, "since": now - _LOOKBACK, "now": now},
    )
    return [_fate(row) for row in rows if ActionStatus(row.status) in _OVER]


def _fate(row: Any) -> _Fate:
    arm = _arm(row) if row.status == ActionStatus.EXECUTED else None
    stayed = arm is not None and row.executed_at is not None
    source = {"rules": "rule", "policy": "model", "exploration": "model"}.get(row.source, "human")
    return _Fate(
        decision_id=row.decision_id,
        executed=arm if arm is not None and stayed else Arm.MAINTAIN,
        taken_at=row.executed_at if stayed else row.decided_at,
        verdict=row.human_decision
        or (Verdict.APPROVED.value if row.approved_by is not None else None),
        verdict_reason=row.verdict_reason,
        action_params=row.action_params,
        action_source="human" if row.human_decision == Verdict.MODIFIED else source,
        is_by_executor=stayed,
    )


def _arm(row: Any) -> Arm | None:
    changed = row.human_modified_action if row.human_decision == Verdict.MODIFIED else None
    kind, params = row.action_type, row.action_params
    if changed and "type" in changed:
        kind, params = changed["type"], changed
    percent = params.get("percent", params.get("percentage"))
    action = Action(
        ActionType(kind), None if percent is None else _signed(ActionType(kind), int(percent))
    )
    return arm_of(action)


def _signed(kind: ActionType, percent: int) -> int:
    """Return the percentage with its sign: people write `decrease by 20`."""
    return -abs(percent) if kind is ActionType.DECREASE_BUDGET else percent


def _left_alone(connection: Connection, account: Account, now: datetime) -> list[_Fate]:
    """Return held-out units, and the first quiet decision of an account day for each ad set.

    Quiet ones are sampled from where the last sample ended: a pause of the scheduler loses none.
    """
    last = connection.execute(_LAST_SAMPLE, {"account": account.id, "now": now}).scalar_one()
    sampled = now - _LOOKBACK
    if last is not None:
        sampled = max(sampled, min(now, last) - _SAMPLE_LOOKBACK)
    rows = connection.execute(
        text(
            """
            SELECT decision_id, decided_at FROM intel_decision d
            WHERE ad_account_id = :account AND decided_at <= :now AND is_held_out
              AND (as_of > :since OR NOT EXISTS (
                  SELECT FROM intel_ml_training_data t
                  WHERE t.ad_account_id = :account AND t.decision_id = d.decision_id))
            UNION ALL
            SELECT decision_id, decided_at FROM (
                SELECT DISTINCT ON (entity_id, day) decision_id, decided_at, as_of, day
                FROM (
                    SELECT decision_id, decided_at, as_of, entity_id,
                           (as_of AT TIME ZONE :zone)::date AS day
                    FROM intel_decision
                    WHERE ad_account_id = :account AND as_of > :sampled AND decided_at <= :now
                      AND entity_type = 'adset' AND proposed = 'maintain' AND rule_id IS NULL
                      AND NOT is_held_out AND trigger = 'cycle'
                ) AS quiet
                ORDER BY entity_id, day, as_of, decision_id
            ) AS sample
            WHERE day > (:sampled AT TIME ZONE :zone)::date
            """
        ),
        {
            "account": account.id,
            "since": now - _LOOKBACK,
            "sampled": sampled,
            "now": now,
            "zone": account.time_zone,
        },
    )
    return [
        _Fate(row.decision_id, Arm.MAINTAIN, row.decided_at, None, None, None, "rule")
        for row in rows
    ]


def _is_news(fate: _Fate, known: _Known | None) -> bool:
    """Return whether a row is to be written.

    What someone reported stands, unless the executor itself has acted: we only saw nothing happen.
    """
    if known is None:
        return True
    if known.is_reported and not fate.is_by_executor:
        return False
    told = (known.executed, known.taken_at, known.verdict)
    return known.rows < len(HORIZONS) or told != (fate.executed.value, fate.taken_at, fate.verdict)


def _known(connection: Connection, account: Account, decisions: Sequence[str]) -> dict[str, _Known]:
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (decision_id) decision_id, executed, action_taken_at, verdict, "
            "count(*) OVER (PARTITION BY decision_id) AS rows, "
            "coalesce(action_params ? :reported, false) AS is_reported "
            "FROM intel_ml_training_data "
            "WHERE ad_account_id = :account AND decision_id = ANY(:ids)"
        ),
        {"account": account.id, "ids": list(decisions), "reported": _REPORTED},
    )
    return {
        row.decision_id: _Known(
            row.executed, row.action_taken_at, row.verdict, row.is_reported, row.rows
        )
        for row in rows
    }


def _write(connection: Connection, account: Account, fates: Sequence[_Fate]) -> None:
    if not fates:
        return
    by_decision = {fate.decision_id: fate for fate in fates}
    decisions = connection.execute(
        text(
            "SELECT decision_id, entity_type, entity_id, as_of, state, features_hash, rule_id, "
            "archetype, proposal_pmf, proposed, is_held_out FROM intel_decision "
            "WHERE ad_account_id = :account AND decision_id = ANY(:ids)"
        ),
        {"account": account.id, "ids": list(by_decision)},
    ).all()
    people = transitions(
        [
            *connection.execute(_OTHERS, {"account": account.id, "ids": list(by_decision)}).all(),
            *((d.archetype, d.proposed, by_decision[d.decision_id].executed) for d in decisions),
        ]
    )
    values = [
        {
            "ad_account_id": account.id,
            "decision_id": d.decision_id,
            "horizon_hours": horizon,
            "entity_type": d.entity_type,
            "entity_id": d.entity_id,
            "state_vector": d.state,
            "features_hash": d.features_hash,
            "rule_id": d.rule_id,
            "archetype": d.archetype,
            "pmf": d.proposal_pmf,
            "proposed": d.proposed,
            "is_held_out": d.is_held_out,
            "p_executed": executed_probability(
                d.proposal_pmf,
                by_decision[d.decision_id].executed,
                transition=people.of(d.archetype),
            ),
            "state_captured_at": d.as_of,
            **_columns(by_decision[d.decision_id]),
        }
        for d in decisions
        for horizon in HORIZONS
    ]
    statement = insert(TrainingRow).values(values)
    is_news = [
        getattr(TrainingRow, name).is_distinct_from(statement.excluded[name])
        for name in ("executed", "verdict", "verdict_reason", "action_params", "action_taken_at")
    ]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["ad_account_id", "decision_id", "horizon_hours"],
            set_={
                **{
                    name: statement.excluded[name]
                    for name in (
                        "verdict",
                        "verdict_reason",
                        "executed",
                        "action_params",
                        "action_source",
                        "p_executed",
                        "action_taken_at",
                    )
                },
                "outcome_measured": False,
                "outcome_measured_at": None,
                "outcome_details": None,
                "reward_before_after": None,
                "reward_against_holdout": None,
            },
            where=or_(*is_news),
        )
    )


def _columns(fate: _Fate) -> dict[str, Any]:
    return {
        "verdict": fate.verdict,
        "verdict_reason": fate.verdict_reason,
        "executed": fate.executed.value,
        "action_params": dict(fate.action_params) if fate.action_params else None,
        "action_source": fate.action_source,
        "action_taken_at": fate.taken_at,
        "outcome_measured": False,
        "used_for_training": False,
    }


_LAST_SAMPLE = text(
    "SELECT max(state_captured_at) FROM intel_ml_training_data WHERE ad_account_id = :account "
    "AND rule_id IS NULL AND proposed = 'maintain' AND NOT is_held_out "
    "AND state_captured_at <= :now"
)
_OTHERS = text(
    "SELECT DISTINCT ON (decision_id) archetype, proposed, executed FROM intel_ml_training_data "
    "WHERE ad_account_id = :account AND decision_id <> ALL(:ids)"
)
