"""What was saved.

Money not spent above target, against units of the same rules that were left alone at random.

    waste     = spend - conversions * target      of one unit, in three days
    saving    = -effect(waste after | waste before, spend before)      (`learning.rewards.effect`)
    savings   = n * saving,   interval  n * (its 95 % interval)

Compared is what the rules asked to pause or cut with what they asked the same of and chance left
alone; n is how many were proposed. People reject some and the effect of those is none, so that n
times the mean is what the approved ones saved, whomever people choose to approve. What every unit
felt on a day (`learning.shocks`), in its own usual spend, is taken off both sides, and of a unit's
changes within three days only the first counts: their days would be counted twice.

Reads   measured decisions of rules; the days of the account's ad sets.
Gives   `Savings`, or the sentence why no number is told.
Never   compares before with after: what is picked because it is bad gets better by itself. Fewer
        than 8 changes made or 8 units left alone, or no target: no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day
from intel_ml.core.money import Money, money_from_major
from intel_ml.data.store.accounts import account as account_row
from intel_ml.learning.horizons import HORIZON_HOURS
from intel_ml.learning.rewards import Effect, Units, effect
from intel_ml.learning.shocks import day_effects

ENOUGH = 8
WINDOW = timedelta(hours=HORIZON_HOURS)
_LOOK_BACK = timedelta(days=28)
#: A day that fewer untouched units tell of says nothing about all of them.
_ENOUGH_UNITS = 5

_CASES = text(
    """
    SELECT t.entity_type || ':' || t.entity_id AS unit, t.is_held_out,
        t.executed <> 'maintain' AS is_made, t.state_captured_at, t.action_taken_at,
        (t.outcome_details #>> '{before,spend}')::float8 AS spend,
        (t.outcome_details #>> '{before,spend}')::float8
            - (t.outcome_details #>> '{before,conversions}')::float8 * :target AS before,
        (t.outcome_details #>> '{after,spend}')::float8
            - (t.outcome_details #>> '{after,conversions}')::float8 * :target AS after
    FROM intel_ml_training_data AS t
    JOIN intel_decision AS d USING (ad_account_id, decision_id)
    WHERE ad_account_id = :account AND t.outcome_measured AND t.horizon_hours = :whole
      AND t.action_taken_at >= :since AND NOT d.is_explored
      AND d.rule_action ->> 'type' IN ('pause', 'decrease_budget')
    ORDER BY t.action_taken_at, t.id
    """
)
_DAYS = text(
    """
    SELECT DISTINCT ON (entity_type, entity_id, day) entity_type || ':' || entity_id AS unit, day,
        spend_minor, conversions
    FROM intel_performance_daily
    WHERE ad_account_id = :account AND entity_type = 'adset' AND NOT is_total
      AND day BETWEEN :first AND :last AND seen_at <= :now
    ORDER BY entity_type, entity_id, day, seen_at DESC
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

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves nothing out that would be the other way round."""
        if self.low is None or self.high is None:
            return False
        return self.low.minor > 0 or self.high.minor < 0


@dataclass(frozen=True, slots=True)
class Case:
    """One unit a rule asked to pause or cut: its three days before and after, in major units."""

    unit: str
    at: datetime
    is_held_out: bool
    is_made: bool
    spend: float
    before: float
    after: float
    days_before: tuple[date, ...] = ()
    days_after: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Shocks:
    """What every unit felt on a day, as a share of its usual spend; unknown days felt nothing."""

    by_day: dict[date, float]

    def on(self, days: Sequence[date], *, usual: float) -> float:
        """Return what these days did to a unit of that usual spend a day."""
        return usual * sum(self.by_day.get(day, 0.0) for day in days)


def savings(session: Session, *, account_id: str, since: datetime, now: datetime) -> Savings:
    """Return what pauses and cuts since a moment saved."""
    account = account_row(session, account_id)
    if account.target_cpa is None:
        return Savings(None, None, None, 0, "Set a target cost per result to see what is saved.")
    target = float(account.target_cpa.major)
    cases = apart(_cases(session, account, since=since, target=target))
    proposed = [case for case in cases if not case.is_held_out]
    made, alone = sum(case.is_made for case in proposed), len(cases) - len(proposed)
    found = None
    if min(made, alone) >= ENOUGH:
        found = contrast(cases, _shocks(session, account, cases, target=target, now=now))
    if found is None:
        seen = f"{made} pauses or cuts and {alone} left alone to compare with are measured"
        note = f"Not enough evidence yet: {seen}; it takes {ENOUGH} of each."
        return Savings(None, None, None, made, note)
    amount, low, high = (
        money_from_major(f"{-len(proposed) * value:.4f}", account.currency)
        for value in (found.value, found.high, found.low)
    )
    note = (
        f"{made} pauses and cuts of {len(proposed)} proposed, against {alone} left alone at "
        f"random; 95% interval {low} to {high}."
    )
    return Savings(amount, low, high, made, note)


def contrast(cases: Sequence[Case], shocks: Shocks) -> Effect | None:
    """Return what being proposed did to a unit's waste; None where it can't be told."""
    treated, alone = (
        [case for case in cases if case.is_held_out is side] for side in (False, True)
    )
    return effect(_units(treated, shocks), _units(alone, shocks))


def apart(cases: Sequence[Case]) -> list[Case]:
    """Return the cases, oldest first, without those within three days of one of the same unit."""
    kept: list[Case] = []
    last: dict[str, datetime] = {}
    for case in sorted(cases, key=lambda one: one.at):
        before = last.get(case.unit)
        if before is None or case.at - before >= WINDOW:
            kept.append(case)
            last[case.unit] = case.at
    return kept


def shocks_of(
    panel: NDArray[np.float64], days: Sequence[date], *, clean: NDArray[np.bool_]
) -> Shocks:
    """Return the days' effects; `panel` is waste by the unit's usual spend, (units, days)."""
    clean = clean & np.isfinite(panel)
    clean = clean & (clean.sum(axis=0) >= _ENOUGH_UNITS)
    return Shocks(dict(zip(days, day_effects(panel, clean=clean).tolist(), strict=True)))


def _units(cases: Sequence[Case], shocks: Shocks) -> Units:
    outcomes, before = [], []
    for case in cases:
        usual = case.spend / WINDOW.days
        outcomes.append(case.after - shocks.on(case.days_after, usual=usual))
        before.append([case.before - shocks.on(case.days_before, usual=usual), case.spend])
    return Units(outcomes, before)


def _cases(session: Session, account: Account, *, since: datetime, target: float) -> list[Case]:
    keys = {"account": account.id, "since": since, "target": target, "whole": HORIZON_HOURS}
    return [
        Case(
            unit=row.unit,
            at=row.action_taken_at,
            is_held_out=row.is_held_out,
            is_made=row.is_made,
            spend=row.spend,
            before=row.before,
            after=row.after,
            days_before=_window(account, row.state_captured_at),
            days_after=_window(account, row.action_taken_at + WINDOW),
        )
        for row in session.execute(_CASES, keys)
        if row.before is not None and row.after is not None
    ]


def _window(account: Account, end: datetime) -> tuple[date, ...]:
    """Return the account days that a state at `end` looks back on."""
    last = account_day(end, account.time_zone)
    return tuple(last - timedelta(days=back) for back in range(WINDOW.days))


def _shocks(
    session: Session, account: Account, cases: Sequence[Case], *, target: float, now: datetime
) -> Shocks:
    """Return what every day did to the ad sets that nothing was asked of around it."""
    last = account_day(now, account.time_zone) - timedelta(days=1)
    first = min(day for case in cases for day in case.days_before) - _LOOK_BACK
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    keys = {"account": account.id, "first": first, "last": last, "now": now}
    rows = session.execute(_DAYS, keys).all()
    units = {unit: at for at, unit in enumerate(sorted({row.unit for row in rows}))}
    spend, waste = (np.full((len(units), len(days)), np.nan) for _ in range(2))
    minor = float(Money(1, account.currency).major)
    for row in rows:
        if row.spend_minor is None or row.conversions is None:
            continue
        place = units[row.unit], (row.day - first).days
        spend[place] = row.spend_minor * minor
        waste[place] = spend[place] - row.conversions * target
    clean = np.ones_like(spend, dtype=bool)
    for case in cases:
        if case.unit in units:
            touched = account_day(case.at, account.time_zone)
            start = (touched - first).days
            clean[units[case.unit], start : start + 2 * WINDOW.days + 1] = False
    known = np.isfinite(spend).sum(axis=1)
    usual = np.nansum(spend, axis=1) / np.maximum(known, 1)
    shares = waste / np.where(usual > 0, usual, np.nan)[:, None]
    return shocks_of(shares, days, clean=clean)
