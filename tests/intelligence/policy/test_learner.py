from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy.learner import CURVED, Learner, Settings, best_probabilities


def _wrong(learner: Learner, rows: np.ndarray, classes: np.ndarray) -> float:
    wrong = 0
    for row, right in zip(rows, classes, strict=True):
        arm = int(learner.scores(row).argmax())
        wrong += arm != right
        learner.learn(row, arm=arm, reward=float(arm == right))
    return wrong / len(rows)


def test_it_learns_a_curve_that_no_straight_line_separates() -> None:
    random = np.random.default_rng(0)
    inputs = random.standard_normal((500, 2))
    rows = np.column_stack([np.ones(500), inputs])
    classes = ((inputs**2).sum(axis=1) > 1.4).astype(int)
    curved = _wrong(Learner(inputs=2, arms=2, settings=CURVED), rows, classes)
    straight = _wrong(Learner(inputs=2, arms=2, settings=Settings()), rows, classes)
    assert curved < 0.15
    assert straight > 2 * curved


def test_one_by_one_and_at_once_agree_while_every_row_is_a_landmark() -> None:
    random = np.random.default_rng(1)
    rows = np.column_stack([np.ones(30), 3 * random.standard_normal((30, 4))])
    arms, rewards = random.integers(0, 3, 30), random.uniform(size=30)
    settings_ = Settings(landmarks=40, bandwidth=0.7)
    one, every = (Learner(inputs=4, arms=3, settings=settings_) for _ in range(2))
    for row, arm, reward in zip(rows, arms, rewards, strict=True):
        one.learn(row, arm=int(arm), reward=float(reward))
    every.learn_all(rows, arms=arms, rewards=rewards, weights=np.ones(30))
    assert one.landmarks.used == every.landmarks.used == 30
    asked = np.array([1.0, 0.3, -0.2, 0.5, 1.0])
    assert np.allclose(one.scores(asked), every.scores(asked), atol=1e-6)


def test_curiosity_wanes_with_what_was_learned() -> None:
    learner = Learner(inputs=1, arms=2, settings=Settings(alpha=0.4, patience=1.0))
    assert learner.optimism == 0.4
    for _ in range(3):
        learner.learn(np.ones(2), arm=0, reward=0.0)
    assert learner.optimism == pytest.approx(0.2)


def test_thompson_plays_what_is_probably_best_and_at_first_everything() -> None:
    learner = Learner(inputs=1, arms=3, settings=Settings(alpha=0.3))
    row = np.array([1.0, 0.5])
    assert np.allclose(learner.probabilities(row), 1 / 3)
    for _ in range(50):
        for arm in range(3):
            learner.learn(row, arm=arm, reward=float(arm == 1))
    assert learner.probabilities(row)[1] > 0.99


@settings(max_examples=20, deadline=None)
@given(
    means=st.lists(st.floats(-1, 1), min_size=4, max_size=4),
    widths=st.lists(st.floats(0.2, 1), min_size=4, max_size=4),
    mask=st.lists(st.booleans(), min_size=4, max_size=4).filter(any),
)
def test_the_probability_of_being_best_is_that_of_a_simulation(
    means: list[float], widths: list[float], mask: list[bool]
) -> None:
    allowed = np.array([mask])
    found = best_probabilities(np.array([means]), np.array([widths]), allowed)[0]
    drawn = np.random.default_rng(0).normal(means, widths, size=(20_000, 4))
    drawn[:, ~allowed[0]] = -np.inf
    shares = np.bincount(drawn.argmax(axis=1), minlength=4) / len(drawn)
    assert found.sum() == pytest.approx(1)
    assert np.abs(found - shares).max() < 0.02
