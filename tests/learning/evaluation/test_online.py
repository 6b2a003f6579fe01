from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation.online import SHRINKAGE, best_so_far, cells


@settings(deadline=None)
@given(at=st.integers(0, 79), seed=st.integers(0, 100))
def test_only_what_came_before_is_known(at: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups, actions = random.integers(0, 3, 80), random.integers(0, 6, 80)
    rewards = random.random(80)
    other = np.where(np.arange(80) < at, rewards, 1 - rewards)
    first = cells(groups, actions, rewards, arms=6, start=0.5)
    second = cells(groups, actions, other, arms=6, start=0.5)
    assert (first[: at + 1] == second[: at + 1]).all()


def test_a_cell_is_its_own_mean_after_many_and_the_arms_before() -> None:
    n = 6000
    groups, actions = np.arange(n) % 2, (np.arange(n) // 2) % 2
    rewards = np.where((groups == 1) & (actions == 1), 1.0, 0.0)
    found = cells(groups, actions, rewards, arms=2)
    assert found[-1, 1] == pytest.approx(1.0, abs=0.05)
    assert found[-2, 1] == pytest.approx(0.0, abs=0.05)
    assert cells(groups[:1], actions[:1], rewards[:1], arms=2, start=0.3)[0, 0] == 0.3
    few = cells(np.zeros(2), np.zeros(2), np.ones(2), arms=2)[1, 0]
    assert 0 < few < 3 / SHRINKAGE


def test_the_model_that_missed_least_is_believed() -> None:
    rewards, actions = np.ones(10), np.zeros(10, dtype=int)
    good, bad = np.full((10, 2), 0.9), np.full((10, 2), 0.1)
    found = best_so_far([bad, good], actions, rewards)
    assert (found[0] == bad[0]).all()
    assert (found[1:] == good[1:]).all()
