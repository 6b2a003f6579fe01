"""How wrong the log's probabilities may be, because people saw what it doesn't hold.

    u_i = 1 + (1 / p_i - 1) g_i,   1 / Gamma <= g_i <= Gamma
    value(Gamma)      = [min, max] of sum u_i pi(a_i) r_i / sum u_i pi(a_i)
    difference(Gamma) = mean_i [base_i + (min, max) u_i (pi - mu)(a_i) (r_i - q_i(a_i))]

The marginal sensitivity model: what a person saw and we didn't may have changed the odds that this
was executed by at most a factor Gamma. Gamma = 1 is the estimate itself. The smallest Gamma whose
bounds reach 0 is how wrong the logged probabilities may be before a conclusion falls. Tan (2006),
JASA 101; Zhao, Small & Bhattacharya (2019), JRSS B 81; for policies Kallus & Zhou (2018), NeurIPS.
Conservative: the bounds hold, the truth may be narrower (Dorn & Guo, 2023, JASA).

Reads   `LoggedDecisions`, and in which decisions people had a say.
Gives   bounds of a value, `Sensitivity` of a difference.
Never   doubts a probability that only chance decided, such as a hold-out's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation import dm, dr
from intel_ml.learning.evaluation.intervals import LEVEL, Interval, of_mean
from intel_ml.learning.evaluation.logged import LoggedDecisions

Booleans = NDArray[np.bool_]

GAMMAS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Bounds of a difference in value, by how far hidden reasons may have moved the odds.

    `low` and `high` hold the sampling error as well. `falls_at` is the least Gamma whose bounds
    hold 0, None where not even the last of `gammas` does that.
    """

    gammas: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    falls_at: float | None


def value_bounds(
    logged: LoggedDecisions, *, gamma: float, judged: Booleans | None = None
) -> tuple[float, float]:
    """Return the least and the most the self-normalised value can be.

    `judged` says in which decisions people had a say, by default in all.
    """
    low, high = _inverse(logged, gamma, judged)
    liked = logged.pmf_new[np.arange(len(logged)), logged.actions]
    order = np.argsort(logged.rewards, kind="stable")
    rewards, least, most = logged.rewards[order], (liked * low)[order], (liked * high)[order]
    if not most.any():
        raise InvalidValueError(path="pmf_new", problem="the candidate does nothing that was done")
    return _extreme(rewards, least, most, most_first=True), _extreme(
        rewards, least, most, most_first=False
    )


def difference_bounds(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    gamma: float,
    judged: Booleans | None = None,
    level: float = LEVEL,
) -> tuple[Interval, Interval]:
    """Return the least and the most the doubly robust difference can be, with their intervals.

    Both hold the same decisions with the same reward model; `champion` None: what was done.
    """
    least, most = _bounds(candidate, champion, gamma=gamma, judged=judged)
    units = candidate.units
    return of_mean(least, level=level, units=units), of_mean(most, level=level, units=units)


def sensitivity(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    judged: Booleans | None = None,
    level: float = LEVEL,
) -> Sensitivity:
    """Return how a difference in value depends on what people may have known."""
    found = [
        difference_bounds(candidate, champion, gamma=gamma, judged=judged, level=level)
        for gamma in GAMMAS
    ]
    return Sensitivity(
        gammas=GAMMAS,
        low=tuple(least.low for least, _ in found),
        high=tuple(most.high for _, most in found),
        falls_at=_falls_at(candidate, champion, judged=judged, level=level),
    )


def _falls_at(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    judged: Booleans | None,
    level: float,
) -> float | None:
    """Return the least Gamma whose bounds hold 0, by halving; they widen with Gamma."""

    def could_be_nothing(gamma: float) -> bool:
        least, most = difference_bounds(
            candidate, champion, gamma=gamma, judged=judged, level=level
        )
        return least.low <= 0.0 <= most.high

    below, above = GAMMAS[0], GAMMAS[-1]
    if could_be_nothing(below):
        return below
    if not could_be_nothing(above):
        return None
    for _ in range(_STEPS):
        middle = (below + above) / 2.0
        below, above = (below, middle) if could_be_nothing(middle) else (middle, above)
    return above


def _bounds(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    gamma: float,
    judged: Booleans | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the most each decision can add to the difference."""
    low, high = _inverse(candidate, gamma, judged)
    rows = np.arange(len(candidate))
    if champion is None:
        gap, done = candidate.pmf_new, candidate.rewards
    else:
        gap, done = candidate.pmf_new - champion.pmf_new, np.zeros(len(candidate))
    base = (gap * dm.model_of(candidate)).sum(axis=1) - done
    missed = gap[rows, candidate.actions] * dr.residuals(candidate)
    return base + np.minimum(low * missed, high * missed), base + np.maximum(
        low * missed, high * missed
    )


def _inverse(
    logged: LoggedDecisions, gamma: float, judged: Booleans | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the most 1/p of what was executed can have been."""
    if gamma < 1:
        raise InvalidValueError(path="gamma", problem="is below 1", hint="1 doubts nothing.")
    odds = np.maximum(1.0 / logged.pmf_logged - 1.0, 0.0)
    reach = np.full(len(logged), gamma) if judged is None else np.where(judged, gamma, 1.0)
    return 1.0 + odds / reach, 1.0 + odds * reach


def _extreme(
    rewards: NDArray[np.float64],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
    *,
    most_first: bool,
) -> float:
    """Return the extreme weighted mean of sorted rewards, each weight between two bounds.

    It is reached where all rewards below some place have one bound and all above the other.
    """
    below, above = (most, least) if most_first else (least, most)
    weights = _up_to(below) + (above.sum() - _up_to(above))
    totals = _up_to(below * rewards) + ((above * rewards).sum() - _up_to(above * rewards))
    means = totals[weights > 0] / weights[weights > 0]
    return float(means.min() if most_first else means.max())


def _up_to(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values)])
