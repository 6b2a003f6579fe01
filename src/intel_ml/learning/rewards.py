"""Rewards: what came of a decision, and what would have come anyway.

    before_after     the plan's formula (§10.3), state after against state before
    earned           (n(after) - n(before)) / max(s(before), target), n = target * conversions - s,
                     s = spend: what was gained, as a share of the money that was in play
    against_holdout  earned less the mean of held-out units that hit the same trigger
    adjusted_against_holdout
                     the same, held-out units brought to where this one stood before:
                     r - mean(r_h) - b (x - mean(x_h)), b = Sxy / (Sxx + k Sxx / n), k = 4
    effect           mean of treated less mean of held out, adjusted for the pre-period
                     (ANCOVA; Deng et al., 2013, WSDM: CUPED; Lin, 2013, Annals of Applied Stats 7)

Actions fire when a metric is at its worst, so it recovers anyway: before_after reports a win of 19
% where nothing was done. Only held-out units tell what the action did. And a ratio can't tell a
smaller ad set from a better one: cutting a budget always looks good to it, a pause never can be
judged. What was earned can.

Reads   states as mappings of features, rewards as numbers.
Gives   a reward or None, and `Effect` with its interval.
Never   takes the unknown for zero: a needed value that is missing makes the reward None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Arm
from intel_ml.features.states import Value
from intel_ml.learning.evaluation.intervals import t_quantile

MIN_HELD_OUT = 2
#: Held-out units a line is drawn through, and how many more it is pulled to level by.
MIN_FOR_SLOPE, _SLOPE_PRIOR = 4, 4.0
#: Columns of the regression that are always there: the mean, and treatment.
_FIXED = 2
_LITTLE = 1e-9
#: The plan's numbers.
BETTER_CPA, WORSE_CPA, BETTER_ROAS = 50.0, 30.0, 20.0
WINNER_ROAS, LOSER_CPA_RATIO = 2.0, 2.0
PAUSED_A_WINNER, CAUGHT_A_LOSER = -100.0, 50.0


def before_after(
    before: Mapping[str, Value], after: Mapping[str, Value], *, arm: Arm
) -> float | None:
    """Return the plan's reward; None where a value it needs is unknown.

    >>> before_after(
    ...     {"cpa_ratio": 2.0, "roas": 1.0}, {"cpa_ratio": 1.5, "roas": 1.5}, arm=Arm.MAINTAIN
    ... )
    35.0
    """
    ratio, ratio_after = _number(before, "cpa_ratio"), _number(after, "cpa_ratio")
    roas, roas_after = _number(before, "roas"), _number(after, "roas")
    if ratio is None or ratio_after is None or roas is None or roas_after is None:
        return None
    gain = ratio - ratio_after
    reward = gain * (BETTER_CPA if ratio_after < ratio else WORSE_CPA)
    reward += (roas_after - roas) * BETTER_ROAS
    if arm is not Arm.PAUSE:
        return reward
    if roas > WINNER_ROAS:
        reward += PAUSED_A_WINNER
    if ratio > LOSER_CPA_RATIO:
        conversions = _number(before, "conversions")
        if conversions is None:
            return None
        reward += CAUGHT_A_LOSER if conversions == 0 else 0.0
    return reward


def earned(before: Mapping[str, Value], after: Mapping[str, Value]) -> float | None:
    """Return the change of what conversions are worth less what they cost, by money in play.

    Both states look back equally long. A purchase is worth the account's target CPA. None where
    spend, conversions or target are unknown.

    >>> wasted = {"spend": 50.0, "conversions": 0.0, "target_cpa": 20.0}
    >>> earned(wasted, {"spend": 0.0, "conversions": 0.0, "target_cpa": 20.0})
    1.0
    """
    target, net_before, net_after = _number(before, "target_cpa"), _net(before), _net(after)
    spent = _number(before, "spend")
    if target is None or net_before is None or net_after is None or spent is None:
        return None
    return (net_after - net_before) / max(spent, target)


def standing(before: Mapping[str, Value]) -> float | None:
    """Return what a unit earned before, by the money in play; the lower, the more it recovers.

    >>> standing({"spend": 50.0, "conversions": 0.0, "target_cpa": 20.0})
    -1.0
    """
    net, target, spent = _net(before), _number(before, "target_cpa"), _number(before, "spend")
    return None if net is None or target is None or spent is None else net / max(spent, target)


def _net(state: Mapping[str, Value]) -> float | None:
    target, conversions = _number(state, "target_cpa"), _number(state, "conversions")
    spent = _number(state, "spend")
    if target is None or conversions is None or spent is None:
        return None
    return target * conversions - spent


def against_holdout(treated: float | None, held_out: Sequence[float]) -> float | None:
    """Return a reward less the mean of held-out units; None until there are enough of them.

    >>> against_holdout(35.0, [20.0, 30.0])
    10.0
    """
    known = [reward for reward in held_out if math.isfinite(reward)]
    if treated is None or not math.isfinite(treated) or len(known) < MIN_HELD_OUT:
        return None
    return treated - sum(known) / len(known)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit earned since the decision, and where it stood before, if that is known."""

    reward: float
    before: float | None = None


def adjusted_against_holdout(treated: Unit, held_out: Sequence[Unit]) -> float | None:
    """Return a reward less what held-out units say of a unit that stood where this one did.

    Units that stood badly recover more. The line through the held-out ones is pulled to level, the
    more the fewer they are; where a standing is unknown, or they all stood alike, it is level.

    >>> adjusted_against_holdout(Unit(35.0), [Unit(20.0), Unit(30.0)])
    10.0
    """
    known = [unit for unit in held_out if math.isfinite(unit.reward)]
    usual = against_holdout(treated.reward, [unit.reward for unit in known])
    pairs = [(unit.before, unit.reward) for unit in known if _is_known(unit.before)]
    if usual is None or not _is_known(treated.before) or len(pairs) < MIN_FOR_SLOPE:
        return usual
    x, y = np.array(pairs, dtype=np.float64).T
    spread = float(((x - x.mean()) ** 2).sum()) * (1 + _SLOPE_PRIOR / len(x))
    if spread <= 0:
        return usual
    slope = float((x - x.mean()) @ (y - y.mean())) / spread
    # Nobody is compared beyond where held-out units stood: there the line is a guess.
    place = float(np.clip(treated.before, x.min(), x.max()))
    return usual - slope * (place - float(x.mean()))


@dataclass(frozen=True, slots=True)
class Units:
    """Outcomes of some units, and what each was like before (same order), where that is known.

    `before` holds one number a unit, or several: the last days' level, a longer one, the last day.
    """

    outcomes: Sequence[float]
    before: Sequence[float] | Sequence[Sequence[float]] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What treatment did: mean difference with its interval."""

    value: float
    low: float
    high: float
    treated: int
    held_out: int


def effect(treated: Units, held_out: Units, *, level: float = 0.95) -> Effect | None:
    """Return the effect of treatment; None where either side has fewer than two units.

    With `before` on both sides outcomes are regressed on treatment and the centred pre-period,
    whose noise then no longer counts. The interval is as wide as the smaller side asks for.
    """
    y = np.array([*treated.outcomes, *held_out.outcomes], dtype=np.float64)
    n_treated, n_held = len(treated.outcomes), len(held_out.outcomes)
    if min(n_treated, n_held) < MIN_HELD_OUT:
        return None
    is_treated = (np.arange(len(y)) < n_treated).astype(np.float64)
    design = np.column_stack([np.ones(len(y)), is_treated, _pre_period(treated, held_out)])
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ y
    misses = y - design @ fitted
    # Heteroscedasticity-robust (HC2): treatment may change the spread as well.
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = (design * (misses**2 / np.maximum(1 - leverage, _LITTLE))[:, None]).T @ design
    spread = math.sqrt(max(float((inverse @ meat @ inverse)[1, 1]), 0.0))
    reach = t_quantile(level, _degrees(design, inverse, leverage)) * spread
    value = float(fitted[1])
    return Effect(value, value - reach, value + reach, treated=n_treated, held_out=n_held)


def _degrees(
    design: NDArray[np.float64], inverse: NDArray[np.float64], leverage: NDArray[np.float64]
) -> float:
    """Return how many degrees of freedom the spread of the effect really has.

    nu = tr(G)^2 / tr(G^2),  G = (I - H) diag(d) (I - H),  d_i = (e_1' (X'X)^-1 x_i)^2 / (1 - h_i)

    Satterthwaite's, of alike units (Bell & McCaffrey, 2002, Survey Methodology 28; Imbens &
    Kolesar, 2016, Review of Economics and Statistics 98). Five held out beside a hundred treated
    say little of their own spread: four degrees, not a hundred.
    """
    left = np.maximum(1.0 - leverage, _LITTLE)
    pull = (design @ inverse[:, 1]) ** 2 / left
    # sum_ij d_i d_j H_ij^2, without the (units, units) matrix.
    shared = inverse @ (design.T @ (design * pull[:, None]))
    squares = float((pull**2 * (1.0 - 2.0 * leverage)).sum() + np.trace(shared @ shared))
    total = float((pull * left).sum())
    return max(total**2 / squares, 1.0) if squares > 0 else 1.0


def _pre_period(treated: Units, held_out: Units) -> NDArray[np.float64]:
    """Return the centred columns that can be adjusted for, (units, k); none where k would be 0."""
    rows = len(treated.outcomes) + len(held_out.outcomes)
    if treated.before is None or held_out.before is None:
        return np.empty((rows, 0))
    pre = np.array([*treated.before, *held_out.before], dtype=np.float64).reshape(rows, -1)
    kept = np.empty((rows, 0))
    for column in (pre - pre.mean(axis=0)).T:
        wider = np.column_stack([kept, column])
        has_room = rows > wider.shape[1] + _FIXED + 1
        if has_room and np.linalg.matrix_rank(wider) == wider.shape[1]:
            kept = wider
    return kept


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _number(state: Mapping[str, Value], name: str) -> float | None:
    value = state.get(name)
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return None
    return float(value)
