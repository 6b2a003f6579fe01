"""What was saved.

Money not spent above target, against units of the same rules that were left alone at random.

    waste(x)  = spend(x) - conversions(x) * target    of one unit, before and 72 hours after
    saving    = mean(waste after - before | left alone) - mean(waste after - before | paused or cut)
    savings   = n * saving,   interval  n * (saving +- 1.96 sqrt(var_cut / n + var_alone / m))

States look back three days, so a change is counted by the three days after it; savings are
understated rather than overstated. Fewer than 8 on either side, or no target: no number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.money import Money, money_from_major
from intel_ml.data.store.accounts import account as account_row

ENOUGH = 8
_NORMAL_95 = 1.96

_WASTE = text(
    """
    SELECT is_held_out, count(*) AS n, avg(change) AS mean,
        coalesce(var_samp(change), 0) AS variance
    FROM (
        SELECT is_held_out,
            (outcome_details #>> '{after,spend}')::float8
            - (outcome_details #>> '{after,conversions}')::float8 * :target
            - (outcome_details #>> '{before,spend}')::float8
            + (outcome_details #>> '{before,conversions}')::float8 * :target AS change
        FROM intel_ml_training_data
        WHERE ad_account_id = :account AND outcome_measured AND rule_id IS NOT NULL
          AND action_taken_at >= :since
          AND (is_held_out OR executed IN ('pause', 'reduce_20', 'reduce_50'))
    ) AS measured
    WHERE change IS NOT NULL
    GROUP BY is_held_out
    """
)


@dataclass(frozen=True, slots=True)
class Savings:
    """What was saved and how sure that is.

    `amount` is None, with the reason in `note`, where it can't be said.
    """

    amount: Money | None
    low: Money | None
    high: Money | None
    n: int
    note: str


def savings(session: Session, *, account_id: str, since: datetime, now: datetime) -> Savings:
    """Return what pauses and cuts since a moment saved."""
    account = account_row(session, account_id)
    if account.target_cpa is None:
        return Savings(None, None, None, 0, "Set a target cost per result to see what is saved.")
    target = float(account.target_cpa.major)
    keys = {"account": account_id, "since": since, "target": target, "now": now}
    found = {row.is_held_out: row for row in session.execute(_WASTE, keys)}
    cut, alone = found.get(False), found.get(True)
    n, m = (cut.n if cut else 0), (alone.n if alone else 0)
    if cut is None or alone is None or min(n, m) < ENOUGH:
        seen = f"{n} measured pauses and cuts, {m} left alone"
        note = f"Not enough evidence yet: {seen}; {ENOUGH} of each are needed."
        return Savings(None, None, None, n, note)
    saving = alone.mean - cut.mean
    half = _NORMAL_95 * math.sqrt(cut.variance / n + alone.variance / m)
    amount, low, high = (
        money_from_major(f"{n * value:.4f}", account.currency)
        for value in (saving, saving - half, saving + half)
    )
    note = f"{n} pauses and cuts against {m} left alone at random; 95% interval {low} to {high}."
    return Savings(amount, low, high, n, note)
