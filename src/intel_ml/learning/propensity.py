"""How likely it was that what was executed would be executed, people's part in it included.

    P(executed a) = sum_b pi(b) T_g(b, a)
    T(b, a)       = (n(b, a) + prior(b, a)) / (n(b) + 2)
    T_g(b, a)     = (n_g(b, a) + k T(b, a)) / (n_g(b) + k),   k = 10

pi is the logged distribution of the proposal (hold-out and exploration included), T(b, a) the
smoothed share of proposals of arm b in this account that ended as arm a: approved as b, modified to
a, or left alone (`maintain`) by a rejection, an expiry or a failure. The prior is one proposal
executed and one left alone; `maintain` proposed is `maintain` done. T_g is the same within a group
of alike units, an archetype: people approve a pause of a loser and not of a winner, and one average
for both would be wrong for each. A group seldom seen is the account's average (empirical Bayes).
With the proposal's propensity alone a policy's value is biased by everything people overrule.

Reads   proposed and executed arm, and the group, of decisions that are over.
Gives   T, T_g, and the probability of one executed arm.
Never   looks further into the context of a verdict than its group: `evaluation.sensitivity` says
        how much what remains could matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm

_PRIOR = 1.0
#: How many proposals of a group the account's average counts for.
_STRENGTH = 10.0
_MAINTAIN = ARMS.index(Arm.MAINTAIN)


def transition(pairs: Iterable[tuple[str, str]]) -> NDArray[np.float64]:
    """Return T, of shape (proposed arm, executed arm); each row sums to one.

    >>> float(transition([("pause", "pause"), ("pause", "maintain")])[0, 0])
    0.5
    """
    counts = _counts(pairs) + _PRIOR * np.eye(len(ARMS))
    counts[:, _MAINTAIN] += _PRIOR
    counts[_MAINTAIN] = np.eye(len(ARMS))[_MAINTAIN]
    share: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return share


@dataclass(frozen=True, slots=True)
class Transitions:
    """T of an account, and T_g of each group that was seen in it."""

    overall: NDArray[np.float64]
    by_group: Mapping[str, NDArray[np.float64]]

    def of(self, group: str | None) -> NDArray[np.float64]:
        """Return what people of this account make of proposals for this group."""
        return self.overall if group is None else self.by_group.get(group, self.overall)


def transitions(fates: Iterable[tuple[str | None, str, str]]) -> Transitions:
    """Return T and T_g from (group, proposed, executed); None is a unit without a group.

    >>> found = transitions([("losers", "pause", "pause"), ("winners", "pause", "maintain")])
    >>> [round(float(found.of(name)[0, 0]), 2) for name in ("losers", "new", "winners")]
    [0.55, 0.5, 0.45]
    """
    known = list(fates)
    overall = transition((proposed, executed) for _, proposed, executed in known)
    by_group = {}
    for group in sorted({group for group, _, _ in known if group is not None}):
        counts = _counts((b, a) for name, b, a in known if name == group) + _STRENGTH * overall
        counts[_MAINTAIN] = overall[_MAINTAIN]
        by_group[group] = counts / counts.sum(axis=1, keepdims=True)
    return Transitions(overall, by_group)


def executed_probability(
    pmf: Mapping[str, float], executed: str, *, transition: NDArray[np.float64]
) -> float:
    """Return P(`executed`) for one proposal distribution; never zero for what did happen.

    >>> T = transition([])
    >>> executed_probability({"pause": 0.9, "maintain": 0.1}, "maintain", transition=T)
    0.55
    """
    proposal = np.array([float(pmf.get(arm, 0.0)) for arm in ARMS])
    probability = float(proposal @ transition[:, ARMS.index(Arm(executed))])
    floor = np.finfo(np.float64).eps
    return float(min(max(probability, floor), 1.0))


def _counts(pairs: Iterable[tuple[str, str]]) -> NDArray[np.float64]:
    """Return how often each proposed arm ended as each executed one."""
    counts = np.zeros((len(ARMS), len(ARMS)))
    for proposed, executed in pairs:
        counts[_PLACES[proposed], _PLACES[executed]] += 1
    return counts


_PLACES = {arm.value: place for place, arm in enumerate(ARMS)}
