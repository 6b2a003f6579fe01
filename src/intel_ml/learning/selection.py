"""Which of several policies to make: the plainest one that the log cannot tell from the best.

    chosen = the first listed c with mean(d) <= se(d),   d_i = v_best,i - v_c,i
    se(d)^2 = max( sum_i (d_i - d)^2 / (n (n - 1)),
                   G / (G - 1) sum_g (sum_{i in g} (d_i - d))^2 / n^2 )

v_c,i is what candidate c would have earned in decision i, which it had not seen (`unseen`), g an
entity, G how many there are. This is the one-standard-error rule (Breiman, Friedman, Olshen &
Stone, 1984, "Classification and Regression Trees", 3.4.3) with the error of the paired difference,
as all are judged on the same decisions. Decisions about one entity resemble each other, so the
error is the larger of the usual one and the clustered one (Liang & Zeger, 1986, Biometrika 73;
"the larger": Angrist & Pischke, 2009, "Mostly Harmless Econometrics", 8.2).

Who comes first among several was also lucky: its value here flatters it. What it is worth has to be
measured on decisions that had no part in the choice, so hand in the older part of a log only.

Reads   unlearned policies by name, the plainest first; the older part of a log.
Gives   a `Selection`: each candidate with value, interval and support; which was chosen and why, in
        words; that policy, made from the whole of what was handed in.
Never   chooses by a value the log does not support: that candidate is refused; and never chooses
        where fewer than two are left: then the first listed is kept, and it says so.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.intelligence.policy import evidence
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation import dr_os
from intel_ml.learning.evaluation.comparison import Settings
from intel_ml.learning.evaluation.intervals import LEVEL, Interval, t_quantile
from intel_ml.learning.evaluation.replay import measured
from intel_ml.learning.evaluation.support import support
from intel_ml.learning.selected import Basis, Candidate, Gap, Selection, why
from intel_ml.learning.unseen import Plan, Steps, earned, nothing, steps_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
_TO_COMPARE = 2


@dataclass(frozen=True, slots=True)
class _Judged:
    """One candidate, and what it would have earned in each decision; empty where unknown."""

    found: Candidate
    earned: Floats


def select(
    candidates: Mapping[str, Policy], log: pd.DataFrame, *, plan: Plan | None = None
) -> Selection:
    """Return which candidate to make from this log, made; those handed in stay as they are."""
    if not candidates:
        raise InvalidValueError(path="candidates", problem="there is none to choose from")
    evidence.require(log, "as_of", "executed", "reward", "p_executed")
    rows = measured(log)
    if rows.empty:
        raise NotEnoughDataError(quantity="measured outcomes to learn from", needed=1, seen=0)
    is_choice = len(candidates) >= _TO_COMPARE
    steps = steps_of(rows, plan or Plan()) if is_choice else nothing("it is the only candidate")
    judged = [_judged(name, policy, steps) for name, policy in candidates.items()]
    while any(one.found.could_learn for one in judged):
        chosen, basis, told = _decided(judged, steps)
        try:
            policy = copy.deepcopy(candidates[chosen]).fit(log)
        except Exception as error:  # noqa: BLE001  # anybody's own candidate may fail in any way
            judged = [_without(one, chosen, error) for one in judged]
            continue
        return Selection(
            chosen=chosen,
            basis=basis,
            why=why(chosen, basis, told, decisions=len(steps), problem=steps.problem),
            candidates=told,
            done=_interval(steps.rewards, steps.entities) if len(steps) else None,
            decisions=len(steps),
            entities=len(np.unique(steps.entities)),
            policy=policy,
        )
    told = tuple(one.found for one in judged)
    raise InvalidValueError(
        path="candidates",
        problem="none could learn: " + "; ".join(f"{one.name}: {one.trouble}" for one in told),
    )


def plainest(
    values: Mapping[str, Floats], groups: NDArray[np.intp]
) -> tuple[str, str, dict[str, Gap]]:
    """Return the name chosen, the best one's, and how far each is behind that.

    >>> ones = np.array([1.0, 0.9, 1.1, 1.0])
    >>> plainest({"a": ones - 0.5, "b": ones, "c": ones + [0.1, -0.1, 0.1, 0.0]}, np.arange(4))[:2]
    ('b', 'c')
    """
    best = max(values, key=lambda name: float(values[name].mean()))
    behind = {}
    for name, mine in values.items():
        apart = values[best] - mine
        behind[name] = Gap(float(apart.mean()), standard_error(apart, groups))
    chosen = next(name for name, gap in behind.items() if gap.is_within_one_error)
    return chosen, best, behind


def standard_error(values: Floats, groups: NDArray[np.intp]) -> float:
    """Return how far a mean may be off, its values resembling each other within groups.

    >>> round(standard_error(np.array([0.0, 2.0, 0.0, 2.0]), np.array([0, 1, 2, 3])), 3)
    0.577
    >>> standard_error(np.array([0.0, 2.0, 0.0, 2.0]), np.array([0, 1, 0, 1]))
    1.0
    >>> standard_error(np.array([0.0, 2.0]), np.array([0, 0]))
    inf
    """
    n, away = len(values), values - values.mean()
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=away)
    if len(sums) < _TO_COMPARE:
        return math.inf if away.any() else 0.0
    usual = float((away**2).sum()) / (n * (n - 1))
    clustered = len(sums) / (len(sums) - 1) * float((sums**2).sum()) / n**2
    return math.sqrt(max(usual, clustered))


def _judged(name: str, policy: Policy, steps: Steps) -> _Judged:
    told = Candidate(name=name, algorithm=str(getattr(policy, "name", "")))
    if not len(steps):
        return _Judged(told, np.zeros(0))
    try:
        found = earned(policy, steps)
    except Exception as error:  # noqa: BLE001  # anybody's own candidate may fail in any way
        return _Judged(_failed(told, error), np.zeros(0))
    told = replace(
        told,
        levels=found.levels,
        value=_interval(found.by_decision, steps.entities),
        asked=0.0 if found.logged is None else len(found.logged) / len(steps),
    )
    if found.logged is not None:
        shrunk = dr_os.estimate(found.logged, level=LEVEL)
        told = replace(
            told,
            cautious=Interval(shrunk.value, shrunk.low, shrunk.high),
            support=support(found.logged, Settings().limits, supported_share=found.covered),
        )
    return _Judged(told, found.by_decision)


def _decided(judged: Sequence[_Judged], steps: Steps) -> tuple[str, Basis, tuple[Candidate, ...]]:
    """Return the name chosen, on what that rests, and the candidates with their gaps."""
    known = {one.found.name: one.earned for one in judged if one.found.is_supported}
    told = tuple(one.found for one in judged)
    if len(known) < _TO_COMPARE:
        return next(one.name for one in told if one.could_learn), Basis.UNTOLD, told
    chosen, best, behind = plainest(known, steps.entities)
    if all(gap.is_within_one_error for gap in behind.values()):
        basis = Basis.TIED
    else:
        basis = Basis.BEST if chosen == best else Basis.PLAINER
    return chosen, basis, tuple(replace(one, behind=behind.get(one.name)) for one in told)


def _without(one: _Judged, name: str, error: Exception) -> _Judged:
    return one if one.found.name != name else _Judged(_failed(one.found, error), np.zeros(0))


def _failed(found: Candidate, error: Exception) -> Candidate:
    said = str(error).strip() or type(error).__name__
    return replace(found, trouble=said.splitlines()[0].removesuffix("."))


def _interval(values: Floats, groups: NDArray[np.intp]) -> Interval:
    """Return the mean with its interval: as many degrees of freedom as entities, less one."""
    mean, degrees = float(values.mean()), len(np.unique(groups)) - 1
    error = standard_error(values, groups)
    reach = t_quantile(LEVEL, degrees) * error if error > 0 else 0.0
    return Interval(mean, mean - reach, mean + reach)
