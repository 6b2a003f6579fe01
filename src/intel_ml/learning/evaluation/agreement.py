"""Agreement: how often a policy would have done what the person let be done.

    rate  = share of decisions with the same arm
    kappa = (rate - chance) / (1 - chance),   chance = sum_a share_policy(a) share_person(a)

Cohen (1960). A policy that always maintains agrees often and has kappa 0: the rate alone flatters.

Reads   arms of the policy and of the person, and the archetype of each decision.
Gives   `Agreement`, as a whole and by archetype.
Never   counts a decision nobody judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.learning.evaluation.intervals import of_share


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often policy and person did the same; `kappa` is None where chance explains all."""

    rate: float | None
    low: float
    high: float
    kappa: float | None
    n: int
    by_archetype: Mapping[str, Agreement] = field(default_factory=dict)


def agreement(
    policy: NDArray[np.intp],
    person: NDArray[np.intp],
    *,
    archetypes: Sequence[str | None] | None = None,
) -> Agreement:
    """Return the agreement of two sequences of arms, by archetype too where those are given.

    >>> agreement(np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])).rate
    0.75
    """
    whole = _agreement(policy, person)
    if archetypes is None:
        return whole
    names = np.array(["" if name is None else str(name) for name in archetypes], dtype=object)
    parts = {
        str(name): _agreement(policy[names == name], person[names == name])
        for name in sorted(set(names.tolist()) - {""})
    }
    return Agreement(whole.rate, whole.low, whole.high, whole.kappa, whole.n, parts)


def _agreement(policy: NDArray[np.intp], person: NDArray[np.intp]) -> Agreement:
    n = len(policy)
    same = float((policy == person).sum())
    interval = of_share(same, n)
    if not n:
        return Agreement(None, interval.low, interval.high, None, 0)
    shares = [np.bincount(arms, minlength=len(ARMS)) / n for arms in (policy, person)]
    chance = float(shares[0] @ shares[1])
    kappa = (same / n - chance) / (1 - chance) if chance < 1 else None
    return Agreement(same / n, interval.low, interval.high, kappa, n)
