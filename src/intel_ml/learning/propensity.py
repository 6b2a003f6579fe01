"""How likely it was that what was executed would be executed, people's part in it included.

    P(executed a) = sum_b pi(b) T(b, a),     T(b, a) = (n(b, a) + prior(b, a)) / (n(b) + 2)

pi is the logged distribution of the proposal (hold-out and exploration included), T(b, a) the
smoothed share of proposals of arm b in this account that ended as arm a: approved as b, modified to
a, or left alone (`maintain`) by a rejection, an expiry or a failure. The prior is one proposal
executed and one left alone; `maintain` proposed is `maintain` done. With the proposal's propensity
alone a policy's value is biased by everything people overrule.

Reads   pairs (proposed, executed) of decisions that are over.
Gives   T, and the probability of one executed arm.
Never   looks at the context of a verdict: where approval depends on it, these probabilities are
        averages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm

_PRIOR = 1.0
_MAINTAIN = ARMS.index(Arm.MAINTAIN)


def transition(pairs: Iterable[tuple[str, str]]) -> NDArray[np.float64]:
    """Return T, of shape (proposed arm, executed arm); each row sums to one.

    >>> float(transition([("pause", "pause"), ("pause", "maintain")])[0, 0])
    0.5
    """
    counts = np.zeros((len(ARMS), len(ARMS)))
    for proposed, executed in pairs:
        counts[ARMS.index(Arm(proposed)), ARMS.index(Arm(executed))] += 1
    counts += _PRIOR * np.eye(len(ARMS))
    counts[:, _MAINTAIN] += _PRIOR
    counts[_MAINTAIN] = np.eye(len(ARMS))[_MAINTAIN]
    share: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return share


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
