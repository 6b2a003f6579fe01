"""Savings: against units left alone, so that what would have recovered anyway is not claimed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import insert

from intel_ml.data.store.tables import Decision, PerformanceDaily, TrainingRow
from intel_ml.learning.rewards import Effect
from intel_ml.reporting.savings import (
    ENOUGH,
    WINDOW,
    Case,
    Savings,
    Shocks,
    apart,
    contrast,
    shocks_of,
)
from intel_ml.reporting.savings import savings as read_savings
from tests.operations.conftest import Desk

TARGET = 20.0
BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOTHING = Shocks({})


@dataclass(frozen=True)
class Past:
    """An account: CPA with a level, weather all share, and noise; spend and waste by unit, day."""

    spend: NDArray[np.float64]
    waste: NDArray[np.float64]
    days: list[date]
    cases: list[Case]
    shocks: Shocks
    naive: float


def history(  # what is simulated, and how large
    seed: int, *, effect: float = 0.0, units: int = 80, length: int = 40, weather: float = 0.1
) -> Past:
    """A rule fires where three days cost a quarter more than eleven before; a fifth is left alone.

    What is acted on wastes `effect` of its spend less for three days.
    """
    random = np.random.default_rng(seed)
    noise = random.normal(0, 0.3, (units, length))
    for day in range(1, length):
        noise[:, day] += 0.3 * noise[:, day - 1]
    common = np.cumsum(random.normal(0, weather, length))
    log_cpa = np.log(TARGET) + random.normal(0, 0.3, units)[:, None] + common + noise
    spend = np.repeat(np.exp(random.normal(4, 0.7, units))[:, None], length, axis=1)
    waste = spend * (1 - TARGET / np.exp(log_cpa))
    days = [(BEGIN + timedelta(days=number)).date() for number in range(length)]
    clean, free = np.ones_like(waste, dtype=bool), np.zeros(units, dtype=int)
    cases, before_after = [], []
    for day in range(14, length - 4):
        recent = log_cpa[:, day - 3 : day].mean(axis=1)
        base = log_cpa[:, day - 14 : day - 3].mean(axis=1)
        for unit in np.flatnonzero((recent - base > 0.25) & (free <= day)):
            held = bool(random.random() < 0.2)
            after = slice(day, day + 3)
            if not held:
                waste[unit, after] -= effect * spend[unit, after]
                before_after.append(log_cpa[unit, after].mean() - recent[unit])
            free[unit], clean[unit, day : day + 6] = day + 6, False
            cases.append(
                Case(
                    unit=f"adset:{unit}",
                    at=BEGIN + timedelta(days=day),
                    is_held_out=held,
                    is_made=not held,
                    spend=spend[unit, day - 3 : day].sum(),
                    before=waste[unit, day - 3 : day].sum(),
                    after=waste[unit, after].sum(),
                    days_before=tuple(days[day - 3 : day]),
                    days_after=tuple(days[after]),
                )
            )
    found = shocks_of(waste / spend, days, clean=clean)
    return Past(spend, waste, days, cases, found, float(np.mean(before_after)))


def _contrast(past: Past, shocks: Shocks | None = None) -> Effect:
    found = contrast(past.cases, past.shocks if shocks is None else shocks)
    assert found is not None
    return found


def test_a_history_in_which_nothing_worked_claims_nothing_where_before_and_after_would() -> None:
    pasts = [history(seed) for seed in range(60)]
    assert np.exp(np.mean([past.naive for past in pasts])) < 0.9, "a fake gain of a tenth"
    found = [_contrast(past) for past in pasts]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert covered >= 0.88
    money = np.mean([case.spend for past in pasts for case in past.cases])
    assert abs(np.mean([one.value for one in found])) < 0.02 * money


def test_what_worked_is_found_at_its_size() -> None:
    pasts = [history(seed, effect=0.3) for seed in range(30)]
    true = [-0.3 * np.mean([c.spend for c in past.cases if not c.is_held_out]) for past in pasts]
    found = [_contrast(past).value for past in pasts]
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.15)


def test_a_dear_week_in_which_more_was_left_alone_is_not_called_a_saving() -> None:
    random = np.random.default_rng(5)
    panel = random.normal(0.1, 0.02, (60, 30))
    panel[:, 20:23] += 0.4
    days = [(BEGIN + timedelta(days=number)).date() for number in range(30)]
    clean, cases = np.ones_like(panel, dtype=bool), []
    for unit in range(40):
        is_held_out = unit < 20
        day = 20 if is_held_out else 10
        clean[unit, day : day + 3] = False
        cases.append(
            Case(f"adset:{unit}", BEGIN + timedelta(days=day), is_held_out=is_held_out,
                 is_made=not is_held_out, spend=300.0,
                 before=100 * panel[unit, day - 3 : day].sum(),
                 after=100 * panel[unit, day : day + 3].sum(),
                 days_before=tuple(days[day - 3 : day]), days_after=tuple(days[day : day + 3]))
        )  # fmt: skip
    fooled = contrast(cases, NOTHING)
    found = contrast(cases, shocks_of(panel, days, clean=clean))
    assert fooled is not None
    assert found is not None
    assert fooled.high < -100, "a saving that the weather made"
    assert found.low <= 0 <= found.high
    assert abs(found.value) < 5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200)), max_size=30))
def test_no_day_of_a_unit_is_counted_twice(seen: list[tuple[int, int]]) -> None:
    cases = [
        Case(str(unit), BEGIN + timedelta(hours=hours), is_held_out=False, is_made=True, spend=1.0,
             before=1.0, after=0.0)
        for unit, hours in seen
    ]  # fmt: skip
    kept = apart(cases)
    assert {case.unit for case in kept} == {case.unit for case in cases}
    for unit in {case.unit for case in kept}:
        moments = sorted(case.at for case in kept if case.unit == unit)
        assert all(b - a >= WINDOW for a, b in itertools.pairwise(moments))


# from the store


def _keep(desk: Desk, past: Past, *, units: int = 80) -> datetime:
    """Write the past as the platform would have; return the moment it ends."""
    names = {f"adset:{unit}" for unit in range(units)}
    with desk.store.session() as session:
        session.execute(
            insert(PerformanceDaily),
            [
                {
                    "ad_account_id": "act_1",
                    "entity_type": "adset",
                    "entity_id": str(unit),
                    "day": day,
                    "seen_at": BEGIN + timedelta(days=at + 1),
                    "conversions": (past.spend[unit, at] - past.waste[unit, at]) / TARGET,
                    "spend_minor": round(100 * past.spend[unit, at]),
                    "source": "api",
                }
                for unit in range(units)
                for at, day in enumerate(past.days)
            ],
        )
        for number, case in enumerate(one for one in past.cases if one.unit in names):
            for row in _rows(case, number):
                session.add(row)
    return BEGIN + timedelta(days=len(past.days))


def _rows(case: Case, number: int) -> tuple[Decision, TrainingRow]:
    arm = "maintain" if case.is_held_out else "reduce_20"
    who = {
        "ad_account_id": "act_1",
        "decision_id": f"d{number}",
        "entity_type": "adset",
        "entity_id": case.unit.partition(":")[2],
        "features_hash": "x",
        "rule_id": 7,
        "proposed": arm,
        "is_held_out": case.is_held_out,
    }
    decision = Decision(
        **who, as_of=case.at, decided_at=case.at, mode="shadow", state={}, allowed=[],
        rule_action={"type": "decrease_budget", "percent": -20}, proposal_pmf={}, propensity=0.8,
    )  # fmt: skip
    was, is_now = (
        {"spend": case.spend, "conversions": (case.spend - waste) / TARGET}
        for waste in (case.before, case.after)
    )
    row = TrainingRow(
        **who, horizon_hours=72, state_vector={}, pmf={}, executed=arm, action_source="rule",
        p_executed=0.8, outcome_measured=True, outcome_details={"before": was, "after": is_now},
        state_captured_at=case.at, action_taken_at=case.at,
    )  # fmt: skip
    return decision, row


def _told(desk: Desk, now: datetime) -> Savings:
    with desk.store.session() as session:
        return read_savings(session, account_id="act_1", since=BEGIN, now=now)


def test_a_null_history_in_the_store_says_zero_is_possible(desk: Desk) -> None:
    told = _told(desk, _keep(desk, history(4)))
    assert told.n >= ENOUGH
    assert told.low is not None
    assert told.high is not None
    assert told.low.minor <= 0 <= told.high.minor
    assert not told.is_clear
    assert "left alone at random" in told.note


def test_a_working_history_in_the_store_is_told_with_its_interval(desk: Desk) -> None:
    told = _told(desk, _keep(desk, history(3, effect=0.8)))
    assert told.amount is not None
    assert told.amount.minor > 0
    assert told.is_clear


def test_too_few_left_alone_are_no_evidence(desk: Desk) -> None:
    told = _told(desk, _keep(desk, history(3), units=3))
    assert told.amount is None
    assert told.note.startswith("Not enough evidence yet: ")
