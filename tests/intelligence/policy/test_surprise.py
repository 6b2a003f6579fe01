"""An alarm for a changed world: silent while nothing changes, quick when it does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy.learner import CURVED, Learner
from intel_ml.intelligence.policy.surprise import Surprise


def _first_alarm(errors: np.ndarray) -> int | None:
    watch = Surprise(threshold=CURVED.alarm)
    return next((at for at, error in enumerate(errors.tolist()) if watch.after(error)), None)


@pytest.mark.parametrize(
    "errors",
    [
        lambda random: random.standard_normal(4000),
        lambda random: (random.uniform(size=4000) < 0.05).astype(float),
        lambda random: random.standard_normal(4000) / np.sqrt(1 + np.arange(4000) / 100),
        lambda random: 0.0 * random.standard_normal(4000),
    ],
    ids=["noise", "one in twenty is wrong", "who learns", "who is always right"],
)
def test_no_alarm_while_the_world_stays_as_it_is(
    errors: Callable[[np.random.Generator], np.ndarray],
) -> None:
    for seed in range(10):
        assert _first_alarm(errors(np.random.default_rng(seed))) is None


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), unit=st.sampled_from([1e-6, 1.0, 1e6]))
def test_the_alarm_comes_soon_after_errors_grow_whatever_their_unit(seed: int, unit: float) -> None:
    random = np.random.default_rng(seed)
    errors = unit * np.where(np.arange(600) < 300, 0.2, 1.0) * random.standard_normal(600)
    found = _first_alarm(errors)
    assert found is not None
    assert 300 <= found < 380


def _wrong(learner: Learner, rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
    wrong = []
    for row, right in zip(rows, classes, strict=True):
        arm = int(learner.scores(row).argmax())
        wrong.append(arm != right)
        learner.learn(row, arm=arm, reward=float(arm == right))
    return np.array(wrong)


def test_who_forgets_learns_the_new_world_and_who_does_not_goes_on_erring() -> None:
    random = np.random.default_rng(0)
    rows = np.column_stack([np.ones(700), random.standard_normal((700, 3))])
    classes = (rows[:, 1] > 0).astype(int)
    classes[350:] = 1 - classes[350:]
    found = {}
    for alarm in (CURVED.alarm, 0.0):
        learner = Learner(
            inputs=3, arms=2, settings=type(CURVED)(alpha=0.3, patience=200.0, alarm=alarm)
        )
        wrong = _wrong(learner, rows, classes)
        assert wrong[100:350].mean() < 0.15
        found[alarm] = wrong[450:].mean()
    assert found[CURVED.alarm] < 0.15
    assert found[0.0] > 2 * found[CURVED.alarm]
