"""Rewards predicted from earlier decisions only: what an e-process may use at any moment.

    q_t(g, a) = (S_t(g, a) + k m_t(a)) / (N_t(g, a) + k),   m_t(a) = (S_t(a) + k m_t) / (N_t(a) + k)

S and N are sums and counts before decision t, g the group (archetype) of the decision, k = 30: a
group's arm is worth what the arm is worth everywhere until it has shown otherwise, an arm what all
arms are worth. The posterior mean of a normal model with as much noise as 30 decisions.

Reads   decisions in their order: group, executed arm, reward.
Gives   predicted rewards (n, arms); of several such models, at each moment the best so far.
Never   looks at a decision to predict it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 30.0


def cells(
    groups: NDArray[np.intp],
    actions: NDArray[np.intp],
    rewards: NDArray[np.float64],
    *,
    arms: int,
    start: float = 0.0,
) -> NDArray[np.float64]:
    """Return the shrunken mean of each arm in each decision's group; `start` before there are any.

    >>> cells(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 1.0]), arms=2)[0].tolist()
    [0.0, 0.0]
    """
    count = np.arange(len(actions), dtype=np.float64)
    overall = (_before(rewards) + SHRINKAGE * start) / (count + SHRINKAGE)
    predicted = np.empty((len(actions), arms))
    for arm in range(arms):
        chosen = (actions == arm).astype(np.float64)
        general = _shrunken(chosen, rewards, overall)
        for group in np.unique(groups):
            mine = groups == group
            predicted[mine, arm] = _shrunken(chosen[mine], rewards[mine], general[mine])
    return predicted


def best_so_far(
    models: Sequence[NDArray[np.float64]],
    actions: NDArray[np.intp],
    rewards: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return, for each decision, the model that has missed earlier rewards least."""
    rows = np.arange(len(actions))
    heavy = np.ones(len(actions)) if weights is None else weights
    lost = [_before(heavy * (rewards - model[rows, actions]) ** 2) for model in models]
    return np.asarray(np.stack(models)[np.argmin(np.stack(lost), axis=0), rows])


def _shrunken(
    chosen: NDArray[np.float64], rewards: NDArray[np.float64], towards: NDArray[np.float64]
) -> NDArray[np.float64]:
    total, count = _before(chosen * rewards), _before(chosen)
    return np.asarray((total + SHRINKAGE * towards) / (count + SHRINKAGE))


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of what came before each value."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])
