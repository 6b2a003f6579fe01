"""Agreement: how often a policy would have done what the person let be done.

    rate  = share of decisions with the same arm
    kappa = (rate - chance) / (1 - chance),   chance = sum_a share_policy(a) share_person(a)
    se(kappa) = sqrt(rate (1 - rate) / n) / (1 - chance)

Cohen (1960). A policy that always maintains agrees often and has kappa 0: the rate alone flatters.
By action the rate is the share, of what people had done, that the policy would have done too.

Reads   arms of the policy and of the person, and the archetype of each decision.
Gives   `Agreement` with intervals, as a whole, by archetype and by action.
Never   counts a decision nobody judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.learning.evaluation.intervals import LEVEL, of_share, t_quantile


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often policy and person did the same; `kappa` is None where chance explains all."""

    rate: float | None
    low: float
    high: float
    kappa: float | None
    n: int
    kappa_low: float | None = None
    kappa_high: float | None = None
    by_archetype: Mapping[str, Agreement] = field(default_factory=dict)
    by_action: Mapping[str, Agreement] = field(default_factory=dict)


def agreement(
    policy: NDArray[np.intp],
    person: NDArray[np.intp],
    *,
    archetypes: Sequence[str | None] | None = None,
) -> Agreement:
    """Return the agreement of two sequences of arms, by action, and by archetype where given.

    >>> agreement(np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])).rate
    0.75
    """
    by_action = {
        arm.value: _agreement(policy[mine], person[mine])
        for index, arm in enumerate(ARMS)
        if (mine := person == index).any()
    }
    names = np.array(["" if name is None else str(name) for name in archetypes or ()], dtype=object)
    by_archetype = {
        str(name): _agreement(policy[names == name], person[names == name])
        for name in sorted(set(names.tolist()) - {""})
    }
    return replace(_agreement(policy, person), by_archetype=by_archetype, by_action=by_action)


def _agreement(policy: NDArray[np.intp], person: NDArray[np.intp]) -> Agreement:
    n = len(policy)
    same = float((policy == person).sum())
    interval = of_share(same, n)
    if not n:
        return Agreement(None, interval.low, interval.high, None, 0)
    rate = same / n
    shares = [np.bincount(arms, minlength=len(ARMS)) / n for arms in (policy, person)]
    chance = float(shares[0] @ shares[1])
    if chance >= 1:
        return Agreement(rate, interval.low, interval.high, None, n)
    kappa = (rate - chance) / (1 - chance)
    reach = t_quantile(LEVEL, math.inf) * math.sqrt(rate * (1 - rate) / n) / (1 - chance)
    return Agreement(
        rate,
        interval.low,
        interval.high,
        kappa,
        n,
        kappa_low=max(-1.0, kappa - reach),
        kappa_high=min(1.0, kappa + reach),
    )
