"""What became of proposals like this one, and so what is expected of it.

Expected is how many times the cost per result was 72 hours after the same rule led to the same kind
of change, against units of that rule that were left alone at random, with a 95 % interval (normal
approximation of logarithms: a cost never falls by more than all of it):

    x = ln(CPA after / CPA before),   effect = exp(d) - 1
    d = mean(changed) - mean(left alone),   d +- 1.96 sqrt(var(changed)/n + var(left alone)/m)

What was said to similar proposals, and what became of them, is each told once: by the most alike
past cases of a model that remembers some, else by those of the same rule and kind.

With fewer than 8 of either there is not enough evidence to say. Before against after alone is not
shown: what is picked because it is bad gets better by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.actions import Action, ActionType, Arm, arm_of
from intel_ml.learning.horizons import HORIZON_HOURS

ENOUGH = 8
WINDOW = timedelta(days=30)
NOT_ENOUGH = "Not enough evidence to say."
NO_SIMILAR = "No similar proposal yet."
_NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Tally:
    """Similar proposals of the last 30 days.

    How many were approved, of how many it is known how they went.
    """

    approved: int = 0
    rejected: int = 0
    measured: int = 0
    improved: int = 0


@dataclass(frozen=True, slots=True)
class Cases:
    """What a model told of the most alike past cases: of what they earned, or of people's verdicts.

    `are_alike` is false where it only told why there are none.
    """

    says: str
    are_alike: bool
    are_verdicts: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The logarithms of the changes seen after something was done."""

    n: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of earlier proposals, by account, rule and what was done."""

    tallies: Mapping[tuple[str, int, str], Tally]
    changed: Mapping[tuple[str, int, str], Sample]
    left_alone: Mapping[tuple[str, int], Sample]


_TALLIES = text(
    """
    SELECT ad_account_id, coalesce(rule_id, 0) AS rule_id, action_type,
        count(*) FILTER (WHERE human_decision IN ('approved', 'modified')) AS approved,
        count(*) FILTER (WHERE human_decision = 'rejected') AS rejected,
        count(*) FILTER (WHERE outcome_score IS NOT NULL AND told = :whole) AS measured,
        count(*) FILTER (WHERE told = :whole AND CASE
            WHEN action_type = 'pause' THEN outcome_score > 0
            ELSE (outcome_metrics #>> '{after,cpa}')::float8
                < (outcome_metrics #>> '{before,cpa}')::float8 END) AS improved
    FROM intel_automation_action,
        LATERAL (SELECT (outcome_metrics ->> 'horizon_hours')::int AS told) AS horizon
    WHERE ad_account_id = ANY(:accounts) AND created_at > :since AND undoes_id IS NULL
    GROUP BY 1, 2, 3
    """
)
_CHANGES = text(
    """
    SELECT ad_account_id, rule_id, CASE WHEN is_held_out THEN '' ELSE executed END AS executed,
        count(*) AS n, avg(change) AS mean, coalesce(var_samp(change), 0) AS variance
    FROM (
        SELECT ad_account_id, rule_id, is_held_out, executed,
            ln(nullif(greatest((outcome_details #>> '{after,cpa}')::float8, 0), 0)
                / nullif(greatest((outcome_details #>> '{before,cpa}')::float8, 0), 0)) AS change
        FROM intel_ml_training_data
        WHERE ad_account_id = ANY(:accounts) AND outcome_measured AND rule_id IS NOT NULL
          AND horizon_hours = :whole
          AND (is_held_out OR executed <> 'maintain')
    ) AS measured
    WHERE change IS NOT NULL
    GROUP BY 1, 2, 3
    """
)


def evidence(session: Session, accounts: Sequence[str], *, now: datetime) -> Evidence:
    """Return what is known of the proposals of these accounts, in two queries."""
    keys = {"accounts": list(accounts), "since": now - WINDOW, "whole": HORIZON_HOURS}
    tallies = {
        (row.ad_account_id, row.rule_id, row.action_type): Tally(
            row.approved, row.rejected, row.measured, row.improved
        )
        for row in session.execute(_TALLIES, keys)
    }
    changed, alone = {}, {}
    for row in session.execute(_CHANGES, keys):
        sample = Sample(row.n, row.mean, row.variance)
        if row.executed:
            changed[row.ad_account_id, row.rule_id, row.executed] = sample
        else:
            alone[row.ad_account_id, row.rule_id] = sample
    return Evidence(tallies, changed, alone)


def similar(
    known: Evidence,
    *,
    account_id: str,
    rule_id: int | None,
    kind: ActionType,
    cases: Cases | None = None,
) -> str:
    """Return what people said to similar proposals, and what became of them.

    >>> nothing = Evidence({}, {}, {})
    >>> similar(nothing, account_id="act_1", rule_id=1, kind=ActionType.PAUSE)
    'No similar proposal yet.'
    """
    tally = known.tallies.get((account_id, rule_id or 0, kind), Tally())
    if not tally.approved and not tally.rejected:
        return NO_SIMILAR if cases is None else cases.says
    good = "turned out well" if kind is ActionType.PAUSE else "improved CPA"
    came = f"{tally.improved} of {tally.measured} measured"
    rejected = f", {tally.rejected} rejected" if tally.rejected else ""
    approved = f"{tally.approved} similar" if tally.approved else "No similar one"
    counts = f"{approved} approved in 30 days{rejected}"
    if cases is not None and cases.are_alike:
        if not cases.are_verdicts:
            return f"{counts}. {cases.says}"
        return f"{cases.says} {came} similar changes {good}." if tally.measured else cases.says
    if not tally.approved:
        return f"{counts}."
    if not tally.measured:
        return f"{counts}: none measured yet."
    return f"{counts}: {came} {good}."


def expected(known: Evidence, *, account_id: str, rule_id: int | None, action: Action) -> str:
    """Return what is expected of the change, with its interval, or that it cannot be said.

    >>> nothing = Evidence({}, {}, {})
    >>> expected(nothing, account_id="act_1", rule_id=1, action=Action(ActionType.PAUSE))
    'Not enough evidence to say.'
    """
    arm = arm_of(action)
    done = known.changed.get((account_id, rule_id or 0, str(arm)))
    alone = known.left_alone.get((account_id, rule_id or 0))
    if done is None or alone is None or min(done.n, alone.n) < ENOUGH or arm is Arm.PAUSE:
        return NOT_ENOUGH
    moved = done.mean - alone.mean
    half = _NORMAL_95 * math.sqrt(done.variance / done.n + alone.variance / alone.n)
    effect, low, high = (_percent(one) for one in (moved, moved - half, moved + half))
    is_clear = abs(moved) > half
    return (
        f"{'Within' if is_clear else 'No clear effect: within'} 72 hours CPA {_moved(effect)} "
        f"than if left alone (95% interval {_signed(low)} to {_signed(high)}), "
        f"from {done.n} similar changes and {alone.n} left alone."
    )


def _percent(logarithm: float) -> float:
    """Return a change of logarithm in percent.

    >>> round(_percent(math.log(0.7)))
    -30
    """
    return 100 * math.expm1(logarithm)


def _signed(percent: float) -> str:
    """Return a change with its sign.

    >>> _signed(-63.2), _signed(69.0)
    ('\u221263%', '+69%')
    """
    return f"{percent:+.0f}%".replace("-", "\N{MINUS SIGN}")


def _moved(percent: float) -> str:
    return f"{abs(percent):.0f}% {'higher' if percent > 0 else 'lower'}"
