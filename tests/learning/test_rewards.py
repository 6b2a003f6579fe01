from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.features.states import Value
from intel_ml.learning.rewards import (
    Unit,
    Units,
    adjusted_against_holdout,
    against_holdout,
    before_after,
    earned,
    effect,
    standing,
)


@pytest.mark.parametrize(
    ("before", "after", "arm", "expected"),
    [
        # CPA 2.0 -> 1.5: 0.5 x 50; ROAS +0.5: x 20
        ((2.0, 1.0, 3), (1.5, 1.5), Arm.MAINTAIN, 35.0),
        # CPA 1.0 -> 1.5: -0.5 x 30; ROAS -1: x 20
        ((1.0, 3.0, 3), (1.5, 2.0), Arm.SCALE_20, -35.0),
        # nothing changed, a winner was paused
        ((1.0, 2.1, 3), (1.0, 2.1), Arm.PAUSE, -100.0),
        ((1.0, 2.0, 3), (1.0, 2.0), Arm.PAUSE, 0.0),  # at the line, not over it
        # a loser without a conversion was paused
        ((2.1, 0.0, 0), (2.1, 0.0), Arm.PAUSE, 50.0),
        ((2.1, 0.0, 1), (2.1, 0.0), Arm.PAUSE, 0.0),
        ((2.1, 0.0, 0), (2.1, 0.0), Arm.REDUCE_50, 0.0),
    ],
)
def test_it_is_the_plans_formula(
    before: tuple[float, float, float], after: tuple[float, float], arm: Arm, expected: float
) -> None:
    state: dict[str, Value] = dict(zip(("cpa_ratio", "roas", "conversions"), before, strict=True))
    later: dict[str, Value] = dict(zip(("cpa_ratio", "roas"), after, strict=True))
    assert before_after(state, later, arm=arm) == pytest.approx(expected)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("missing", ["cpa_ratio", "roas"])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_needed_value_that_is_unknown_makes_no_reward(
    arm: Arm, missing: str, value: float | None
) -> None:
    state: dict[str, Value] = {"cpa_ratio": 1.0, "roas": 1.0, "conversions": 1.0}
    assert before_after(state | {missing: value}, state, arm=arm) is None
    assert before_after(state, state | {missing: value}, arm=arm) is None


def test_whether_a_paused_loser_sold_must_be_known() -> None:
    state: dict[str, Value] = {"cpa_ratio": 3.0, "roas": 0.5}
    assert before_after(state, state, arm=Arm.PAUSE) is None
    assert before_after(state, state, arm=Arm.REDUCE_20) == 0.0


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6), max_size=6))
def test_a_reward_is_held_against_two_others_at_least(value: float, held: list[float]) -> None:
    found = against_holdout(value, held)
    assert (found is None) == (len(held) < 2)


def test_a_reward_that_is_unknown_stays_unknown() -> None:
    assert against_holdout(None, [1.0, 2.0]) is None
    assert against_holdout(1.0, [math.nan, 2.0]) is None


def test_the_effect_is_the_difference_of_means_without_a_pre_period() -> None:
    found = effect(Units([3.0, 5.0]), Units([1.0, 1.0, 1.0]))
    assert found is not None
    assert found.value == pytest.approx(3.0)
    assert found.low < 3 < found.high
    assert effect(Units([3.0]), Units([1.0, 1.0])) is None


def _simulated(seed: int, *, true: float) -> tuple[Units, Units]:
    random = np.random.default_rng(seed)
    level = random.normal(0, 0.4, 60)
    before, after = (level + random.normal(0, 0.1, 60) for _ in range(2))
    treated = random.random(60) < 0.7
    after = after + true * treated
    return (
        Units(after[treated].tolist(), before[treated].tolist()),
        Units(after[~treated].tolist(), before[~treated].tolist()),
    )


def test_the_pre_period_takes_its_noise_away_and_the_interval_still_covers() -> None:
    widths, plain_widths, covered = [], [], 0
    for seed in range(200):
        treated, held = _simulated(seed, true=0.2)
        found = effect(treated, held)
        plain = effect(Units(treated.outcomes), Units(held.outcomes))
        assert found is not None
        assert plain is not None
        widths.append(found.high - found.low)
        plain_widths.append(plain.high - plain.low)
        covered += found.low <= 0.2 <= found.high
    assert np.mean(widths) < 0.6 * np.mean(plain_widths)
    assert covered / 200 > 0.9


@settings(deadline=None)
@given(
    spend=st.floats(0, 1e4),
    later=st.floats(0, 1e4),
    bought=st.floats(0, 100),
    more=st.floats(0.1, 50),
)
def test_more_purchases_for_the_same_money_earn_more_and_the_same_earns_nothing(
    spend: float, later: float, bought: float, more: float
) -> None:
    before = {"spend": spend, "conversions": bought, "target_cpa": 20.0}
    after = {"spend": later, "conversions": bought, "target_cpa": 20.0}
    better = after | {"conversions": bought + more}
    assert earned(before, before) == 0
    assert (earned(before, better) or 0.0) > (earned(before, after) or 0.0)


@pytest.mark.parametrize("unknown", ["spend", "conversions", "target_cpa"])
def test_nothing_is_earned_of_what_is_unknown(unknown: str) -> None:
    known = {"spend": 50.0, "conversions": 1.0, "target_cpa": 20.0}
    assert earned(known | {unknown: None}, known) is None


@pytest.mark.parametrize("unknown", ["spend", "conversions", "target_cpa"])
def test_where_a_unit_stood_is_unknown_where_its_money_is(unknown: str) -> None:
    known: dict[str, Value] = {"spend": 50.0, "conversions": 1.0, "target_cpa": 20.0}
    assert standing(known) == pytest.approx(-0.6)
    assert standing(known | {unknown: None}) is None


@settings(deadline=None)
@given(
    slope=st.floats(-2, 2),
    place=st.floats(-1, 1),
    held=st.lists(st.floats(-1, 1), min_size=40, max_size=60),
)
def test_a_unit_is_compared_with_held_out_ones_that_stood_where_it_did(
    slope: float, place: float, held: list[float]
) -> None:
    units = [Unit(slope * x, x) for x in [-1.0, 1.0, *held]]
    found = adjusted_against_holdout(Unit(slope * place + 0.5, place), units)
    assert found == pytest.approx(0.5, abs=0.1 * abs(slope) * 2 + 1e-9)


@settings(deadline=None)
@given(
    treated=st.floats(-10, 10),
    before=st.floats(-3, 3),
    held=st.lists(st.tuples(st.floats(-10, 10), st.floats(-3, 3)), max_size=6),
)
def test_few_or_unknown_standings_are_compared_as_they_are(
    treated: float, before: float, held: list[tuple[float, float]]
) -> None:
    plain = against_holdout(treated, [reward for reward, _ in held])
    nothing_known = [Unit(reward) for reward, _ in held]
    assert adjusted_against_holdout(Unit(treated, before), nothing_known) == plain
    known = [Unit(reward, x) for reward, x in held]
    assert adjusted_against_holdout(Unit(treated), known) == plain
    alike = [Unit(reward, 0.5) for reward, _ in held]
    assert adjusted_against_holdout(Unit(treated, before), alike) == plain
    if len(held) < 4:
        assert adjusted_against_holdout(Unit(treated, before), known) == plain


def test_units_that_stood_badly_no_longer_earn_what_comes_by_itself() -> None:
    """Nothing was done; who stood lower recovers more, and was acted on more often."""
    plain, adjusted = [], []
    for seed in range(200):
        random = np.random.default_rng(seed)
        before = random.normal(-0.5, 0.3, 20)
        rewards = -0.8 * before + random.normal(0, 0.1, 20)
        held = [Unit(r, x) for r, x in zip(rewards[:12], before[:12], strict=True)]
        low = int(np.argmin(before[12:])) + 12
        treated = Unit(float(rewards[low]), float(before[low]))
        plain.append(against_holdout(treated.reward, [unit.reward for unit in held]) or 0.0)
        adjusted.append(adjusted_against_holdout(treated, held) or 0.0)
    assert np.mean(plain) > 0.25
    assert abs(np.mean(adjusted)) < 0.5 * np.mean(plain)
    assert np.std(adjusted) < np.std(plain)


def test_several_pre_periods_take_more_noise_away_and_useless_ones_are_left_out() -> None:
    random = np.random.default_rng(0)
    level, last = random.normal(0, 1, 400), random.normal(0, 1, 400)
    treated = random.random(400) < 0.8
    after = level + 0.5 * last + 0.1 * random.normal(0, 1, 400) + 0.3 * treated

    def units(mine: np.ndarray, before: np.ndarray) -> Units:
        return Units(after[mine].tolist(), before[mine].tolist())

    one, both = level[:, None], np.column_stack([level, last])
    useless = np.column_stack([level, last, 2 * level, np.ones(400)])
    found = [effect(units(treated, x), units(~treated, x)) for x in (one, both, useless)]
    widths = [f.high - f.low for f in found if f is not None]
    assert widths[1] < 0.5 * widths[0]
    assert widths[2] == pytest.approx(widths[1])
    assert found[1] is not None
    assert found[1].low <= 0.3 <= found[1].high


@settings(deadline=None)
@given(n=st.integers(2, 6), columns=st.integers(1, 12), seed=st.integers(0, 50))
def test_more_pre_periods_than_units_still_leave_an_answer(n: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sides = [Units(random.normal(size=n).tolist(), random.normal(size=(n, columns)).tolist())] * 2
    found = effect(*sides)
    assert found is not None
    assert math.isfinite(found.value)


@pytest.mark.parametrize("held_out", [2, 3, 5, 10])
@pytest.mark.parametrize("unlike", [0.5, 1.0, 3.0])
def test_a_few_held_out_units_are_not_taken_for_many(held_out: int, unlike: float) -> None:
    """Treated units scatter `unlike` as much; 60 of them say little of the few others."""
    covered = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        before = random.normal(0, 1, 60 + held_out)
        is_treated = np.arange(60 + held_out) < 60
        after = before + random.normal(0, np.where(is_treated, unlike, 1.0)) + 0.3 * is_treated
        found = effect(
            Units(after[is_treated].tolist(), before[is_treated].tolist()),
            Units(after[~is_treated].tolist(), before[~is_treated].tolist()),
        )
        assert found is not None
        covered += found.low <= 0.3 <= found.high
    assert covered / 300 >= 0.90


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 500), more=st.integers(2, 40))
def test_more_treated_units_never_make_up_for_two_held_out_ones(seed: int, more: int) -> None:
    random = np.random.default_rng(seed)
    held, treated = random.normal(size=2), random.normal(size=40 + more)
    few = effect(Units(treated[:more].tolist()), Units(held.tolist()))
    many = effect(Units(treated.tolist()), Units(held.tolist()))
    assert few is not None
    assert many is not None
    # Two values have one degree of freedom: 12.7 standard errors.
    own = float(held.std(ddof=1)) / np.sqrt(2)
    assert many.high - many.low > 2 * 4 * own
