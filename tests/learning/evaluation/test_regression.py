from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from intel_ml.learning.evaluation import regression
from intel_ml.learning.evaluation.regression import Seen


def _seen(n: int, *, steps: bool, seed: int = 0) -> tuple[Seen, NDArray[np.float64]]:
    """Return decisions in a world of bumps, or of steps in two of many features; and the truth."""
    random = np.random.default_rng(seed)
    contexts = random.normal(size=(n, 8 if steps else 3))
    x, y = contexts[:, 0], contexts[:, 1]
    if steps:
        base = 2.0 * ((x > 0.5) ^ (y > -0.5))
        truth = np.column_stack([base, 1.0 - base, np.zeros(n)])
    else:
        truth = np.column_stack([np.sin(2 * x), x, np.zeros(n)])
    actions = random.integers(0, 3, n).astype(np.intp)
    rewards = truth[np.arange(n), actions] + 0.3 * random.normal(size=n)
    return Seen(contexts, actions, rewards, np.ones(n)), truth


def _missed(found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    return float(((found - truth) ** 2).mean() / truth.var())


@pytest.mark.parametrize("world", ["bumps", "steps"])
def test_it_learns_bumps_and_steps(world: str) -> None:
    steps = world == "steps"
    seen, _ = _seen(1500, steps=steps)
    asked, truth = _seen(300, steps=steps, seed=1)
    found = regression.predict(seen, asked.contexts, arms=3)
    assert _missed(found, truth) < 0.2


def test_trees_are_used_where_they_win_and_left_where_there_is_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, _ = _seen(1500, steps=True)
    asked, truth = _seen(300, steps=True, seed=1)
    both = _missed(regression.predict(seen, asked.contexts, arms=3), truth)
    few = seen.take(np.arange(600))
    small = regression.predict(few, asked.contexts, arms=3)
    monkeypatch.setattr(regression, "_MIN_FOR_TREES", 10**9)
    alone = _missed(regression.predict(seen, asked.contexts, arms=3), truth)
    assert both < 0.7 * alone
    assert (regression.predict(few, asked.contexts, arms=3) == small).all()


def test_an_arm_nobody_tried_is_worth_what_arms_are_worth_there() -> None:
    random = np.random.default_rng(0)
    contexts = random.normal(size=(300, 2))
    actions = random.integers(0, 2, 300).astype(np.intp)
    seen = Seen(contexts, actions, 5.0 + contexts[:, 0], np.ones(300))
    found = regression.predict(seen, np.array([[1.0, 0.0], [-1.0, 0.0]]), arms=3)
    assert found[0, 2] > 5.2
    assert found[1, 2] < 4.8


def test_a_row_never_predicts_itself_nor_another_of_its_fold() -> None:
    seen, _ = _seen(300, steps=False)
    folds = (np.arange(300) % 3).astype(np.intp)
    poisoned = replace(seen, rewards=np.where(folds == 1, 1e6, seen.rewards))
    before = regression.cross_fitted(seen, folds, arms=3)
    after = regression.cross_fitted(poisoned, folds, arms=3)
    assert (before[folds == 1] == after[folds == 1]).all()
    assert (before[folds == 0] != after[folds == 0]).any()


def test_the_same_rows_give_the_same_predictions_within_what_was_seen() -> None:
    seen, _ = _seen(1300, steps=False)
    far = np.full((2, 3), 50.0)
    one, other = (regression.predict(seen, far, arms=3) for _ in range(2))
    assert (one == other).all()
    assert one.min() >= seen.rewards.min() - 1e-9
    assert one.max() <= seen.rewards.max() + 1e-9


def test_rewards_that_never_differ_are_predicted() -> None:
    seen, _ = _seen(50, steps=False)
    found = regression.predict(replace(seen, rewards=np.full(50, 2.0)), seen.contexts, arms=3)
    assert (found == 2.0).all()
