"""Expected rewards of (context, arm) by regression: kernel ridge, with LightGBM where it wins.

    k((x, a), (x', a')) = (1/2 + x.x'/(4 d) + exp(-|x - x'|^2 / d)) (1/4 + [a = a'])
    q = mean + K (K + penalty diag(1/w))^-1 (r - mean)

The kernel is that of a Gaussian process (Rasmussen & Williams, 2006): straight lines plus bumps,
most of it an arm's own, a part shared by all arms. The penalty is the one with the least weighted
leave-one-out loss. LightGBM is stacked beside it, with the share that fits rows held out from it
best; a log of less than `_MIN_FOR_TREES` rows is left to the kernel. Rewards are standardised;
predictions stay within the rewards seen.

Reads   `Seen`: standardised contexts, executed arms, rewards, weights.
Gives   predicted rewards of every arm for other contexts.
Never   draws unseeded: the same rows give the same predictions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_PENALTIES = (0.1, 1.0, 10.0)
_MOST_ROWS, _TO_CHOOSE = 1200, 500
_MIN_FOR_TREES = 800
_SHARED, _CONSTANT, _LINEAR = 0.25, 0.5, 0.25
_TREES = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 20,
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
}
_ROUNDS = 150
_HELD = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What was tried: contexts (n, d), executed arms, rewards and weights (n,)."""

    contexts: Matrix
    actions: NDArray[np.intp]
    rewards: Matrix
    weights: Matrix

    def __len__(self) -> int:
        return len(self.actions)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Seen:
        """Return some of it."""
        return Seen(self.contexts[rows], self.actions[rows], self.rewards[rows], self.weights[rows])


def predict(seen: Seen, contexts: Matrix, *, arms: int) -> Matrix:
    """Return the expected reward of every arm in each context, (m, arms)."""
    middle = float(np.average(seen.rewards, weights=seen.weights))
    spread = float(seen.rewards.std())
    if spread <= 0:
        return np.full((len(contexts), arms), middle)
    known = replace(seen, rewards=(seen.rewards - middle) / spread)
    kernel = _Kernel.fitted(known)
    found = kernel.predict(contexts, arms=arms)
    if len(known) >= _MIN_FOR_TREES:
        held = _held_out(len(known))
        by_trees = _by_trees(known.take(~held), known.contexts[held], arms=arms)
        by_kernel = _Kernel.fitted(known.take(~held)).predict(known.contexts[held], arms=arms)
        share = _share(known.take(held), by_trees, by_kernel)
        if share > 0:
            found = (1 - share) * found + share * _by_trees(known, contexts, arms=arms)
    bounded = np.clip(found, known.rewards.min(), known.rewards.max())
    return np.asarray(middle + spread * bounded)


def cross_fitted(seen: Seen, folds: NDArray[np.intp], *, arms: int) -> Matrix:
    """Return predicted rewards of every arm, each row by a model that saw the other folds only."""
    found = np.empty((len(seen), arms))
    for fold in np.unique(folds):
        mine = folds == fold
        found[mine] = predict(seen.take(~mine), seen.contexts[mine], arms=arms)
    return found


@dataclass(frozen=True, slots=True)
class _Kernel:
    """A fitted kernel ridge: its rows, and how much each speaks for its arm."""

    contexts: Matrix
    actions: NDArray[np.intp]
    pull: Matrix

    @classmethod
    def fitted(cls, seen: Seen) -> _Kernel:
        seen = _some(seen, _MOST_ROWS)
        few = _some(seen, _TO_CHOOSE)
        losses = {penalty: _left_out(few, penalty) for penalty in _PENALTIES}
        penalty = min(losses, key=lambda one: losses[one])
        pull = np.linalg.solve(_gram(seen, penalty), seen.rewards)
        return cls(seen.contexts, seen.actions, np.asarray(pull, dtype=np.float64))

    def predict(self, contexts: Matrix, *, arms: int) -> Matrix:
        near = _alike(contexts, self.contexts) * self.pull
        own = near @ (self.actions[:, None] == np.arange(arms)[None, :])
        return np.asarray(own + _SHARED * near.sum(axis=1, keepdims=True))


def _gram(seen: Seen, penalty: float) -> Matrix:
    same = (seen.actions[:, None] == seen.actions[None, :]) + _SHARED
    return np.asarray(_alike(seen.contexts, seen.contexts) * same + np.diag(penalty / seen.weights))


def _left_out(seen: Seen, penalty: float) -> float:
    """Return the mean squared miss of rows predicted from all others, without refitting."""
    inverse = np.linalg.inv(_gram(seen, penalty))
    missed = (inverse @ seen.rewards) / np.diag(inverse)
    return float(np.average(missed**2, weights=seen.weights))


def _some(seen: Seen, most: int) -> Seen:
    """Return at most `most` of the rows, drawn once and kept in their order."""
    if len(seen) <= most:
        return seen
    rows = np.random.default_rng(0).choice(len(seen), most, replace=False)
    return seen.take(np.sort(rows).astype(np.intp))


def _alike(one: Matrix, other: Matrix) -> Matrix:
    inner, width = one @ other.T, one.shape[1]
    apart = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2.0 * inner
    near = np.exp(-np.maximum(apart, 0.0) / width)
    return np.asarray(_CONSTANT + _LINEAR * inner / width + near)


def _by_trees(seen: Seen, contexts: Matrix, *, arms: int) -> Matrix:
    import lightgbm  # noqa: PLC0415  # heavy

    rows = lightgbm.Dataset(
        np.column_stack([seen.contexts, np.eye(arms)[seen.actions]]),
        label=seen.rewards,
        weight=seen.weights,
        params={"verbosity": -1},
    )
    model = lightgbm.train(_TREES, rows, num_boost_round=_ROUNDS)
    asked = np.column_stack(
        [np.repeat(contexts, arms, axis=0), np.tile(np.eye(arms), (len(contexts), 1))]
    )
    return np.asarray(model.predict(asked, num_threads=1)).reshape(len(contexts), arms)


def _share(held: Seen, trees: Matrix, kernel: Matrix) -> float:
    """Return the share of the trees that predicts the held-out rows best, 0 to 1."""
    rows = np.arange(len(held))
    towards = trees[rows, held.actions] - kernel[rows, held.actions]
    missed = held.rewards - kernel[rows, held.actions]
    size = float(held.weights @ towards**2)
    return float(np.clip((held.weights * towards) @ missed / size, 0.0, 1.0)) if size > 0 else 0.0


def _held_out(rows: int) -> NDArray[np.bool_]:
    """Return which rows choose the share: every third, in an order drawn once."""
    order = np.random.default_rng(1).permutation(rows)
    return np.asarray(order % _HELD == 0)
