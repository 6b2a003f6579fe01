"""A made-up bandit whose truth is known: four contexts, six arms, rewards of 0 or 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.learning.evaluation.logged import LoggedDecisions

MEANS = np.array([0.35, 0.40, 0.38, 0.36, 0.37, 0.33])
FAVOURITES = np.array([2, 4, 0, 5])
INCUMBENT = np.array([0.05, 0.75, 0.05, 0.05, 0.05, 0.05])


def truth(uplift: float) -> NDArray[np.float64]:
    """Return the mean reward of each arm in each context; all alike at uplift 0."""
    means = np.repeat(MEANS[None], 4, axis=0) if uplift else np.full((4, 6), 0.4)
    means[np.arange(4), FAVOURITES] = 0.4 * (1 + uplift)
    return means


def candidate() -> NDArray[np.float64]:
    """Return a pmf for each context: .90 on its favourite, .02 on the others."""
    pmf = np.full((4, 6), 0.02)
    pmf[np.arange(4), FAVOURITES] = 0.90
    return pmf


def logged(n: int, *, uplift: float, seed: int) -> LoggedDecisions:
    """Return decisions of the incumbent and what the candidate would have done."""
    random = np.random.default_rng(seed)
    contexts = random.integers(0, 4, n)
    actions = random.choice(6, n, p=INCUMBENT)
    rewards = (random.random(n) < truth(uplift)[contexts, actions]).astype(float)
    return LoggedDecisions(
        pmf_logged=INCUMBENT[actions],
        rewards=rewards,
        actions=actions.astype(np.intp),
        pmf_new=candidate()[contexts],
        reward_model=np.repeat(MEANS[None], n, axis=0),
    )


def value(uplift: float) -> float:
    """Return the candidate's true value."""
    return float((candidate() * truth(uplift)).sum(axis=1).mean())
