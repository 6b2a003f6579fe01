"""Whether a candidate is better than the champion, at any number of looks.

    D_i = w_i r_i - 1 + v_i (1 - r_i) >= -1,   E[D_i] = V(candidate) - V(champion), r in [0, 1]
    E_t = mean over lambda of prod_{i <= t} (1 + lambda D_i)

w and v are the candidate's and the champion's weights. The champion's value is written 1 - E[v (1 -
r)], so that no difference falls below -1 and a bet needs no bound on the weights; clipping weights
can only lower D, so it stays valid. Where the champion is worth at least as much, E is a
supermartingale: P(E ever >= 1/alpha) <= alpha (Ville), however often one looks. Karampatziakis,
Mineiro & Ramdas (2021), ICML; Waudby-Smith et al., arXiv 2210.10768. Rewards in another range are
brought to [0, 1] by bounds fixed beforehand.

Reads   decisions in the order they were made.
Gives   `EProcess`: the e-value, its path, and when it crossed.
Never   concludes from a bound that is looked at again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation.logged import LoggedDecisions

ALPHA = 0.05
MAX_WEIGHT = 50.0
_BETS = np.geomspace(0.002, 0.9, 24)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What rewards are clipped to; fixed before looking, the plan's own scale by default."""

    low: float = -100.0
    high: float = 100.0

    def unit(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rewards in [0, 1]."""
        return np.asarray(np.clip((rewards - self.low) / (self.high - self.low), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class EProcess:
    """Evidence that the candidate is better: 20 is as rare as one in twenty where it isn't."""

    e_value: float
    crossed_at: int | None
    path: NDArray[np.float64]
    alpha: float

    @property
    def has_crossed(self) -> bool:
        """Whether the evidence was ever enough."""
        return self.crossed_at is not None


def evidence(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    bounds: Bounds | None = None,
    alpha: float = ALPHA,
) -> EProcess:
    """Return the evidence that `candidate` is better than `champion` (None: than what was done).

    Both hold the same decisions in the order they were made.
    """
    rewards = (bounds or Bounds()).unit(candidate.rewards)
    held = np.ones(len(candidate)) if champion is None else champion.weights
    if len(held) != len(candidate):
        raise InvalidValueError(path="champion", problem="holds other decisions")
    return process(differences(candidate.weights, held, rewards), alpha=alpha)


def differences(
    weights: NDArray[np.float64], held: NDArray[np.float64], rewards: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return D, at least -1, with a mean of at most the difference in value."""
    light, held_light = np.minimum(weights, MAX_WEIGHT), np.minimum(held, MAX_WEIGHT)
    return np.asarray(light * rewards - 1.0 + held_light * (1.0 - rewards))


def dr_steps(
    candidate: LoggedDecisions,
    champion: LoggedDecisions,
    *,
    chances: NDArray[np.float64],
    predicted: NDArray[np.float64],
    bounds: Bounds | None = None,
) -> NDArray[np.float64]:
    """Return doubly robust differences, scaled so that none can fall below -1.

    `chances` (n, arms) are the probabilities with which each arm would have been executed,
    `predicted` the rewards in [0, 1] by a model that saw earlier decisions only. The scale is the
    worst that these chances allow, fixed before any action or reward of the log is looked at.
    """
    rewards = (bounds or Bounds()).unit(candidate.rewards)
    rows = np.arange(len(candidate))
    gap = candidate.pmf_new - champion.pmf_new
    base = (gap * predicted).sum(axis=1)
    misses = rewards - predicted[rows, candidate.actions]
    steps = base + (candidate.weights - champion.weights) * misses
    ratio = np.divide(gap, chances, out=np.zeros_like(gap), where=chances > 0)
    worst = np.where(ratio > 0, -ratio * predicted, ratio * (1.0 - predicted))
    scale = max(float((-(base[:, None] + worst)).max()), float((-steps).max()), 1e-9)
    return np.asarray(steps / scale)


def mixed(one: EProcess, other: EProcess) -> EProcess:
    """Return the mean of two processes on the same decisions, which is one again."""
    return _of_path((one.path + other.path) / 2.0, one.alpha)


def process(steps: NDArray[np.float64], *, alpha: float = ALPHA) -> EProcess:
    """Return the wealth of a mixture of bets on steps that are at least -1.

    >>> process(np.zeros(10)).e_value
    1.0
    """
    wealth = np.log1p(_BETS[:, None] * np.maximum(steps, -1.0)[None, :]).cumsum(axis=1)
    top = wealth.max(axis=0)
    path = np.exp(np.minimum(top + np.log(np.exp(wealth - top).mean(axis=0)), _MOST))
    return _of_path(path, alpha)


def _of_path(path: NDArray[np.float64], alpha: float) -> EProcess:
    over = np.flatnonzero(path >= 1.0 / alpha)
    return EProcess(
        e_value=float(path[-1]) if len(path) else 1.0,
        crossed_at=int(over[0]) + 1 if len(over) else None,
        path=path,
        alpha=alpha,
    )


#: exp of more would overflow; nobody needs more evidence than this.
_MOST = math.log(1e12)
