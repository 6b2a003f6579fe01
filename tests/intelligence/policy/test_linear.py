from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy.linear import Linear


def _rows(seed: int, count: int, size: int, arms: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    return (
        random.standard_normal((count, size)),
        random.integers(0, arms, count),
        random.standard_normal(count),
        random.uniform(0.2, 3.0, count),
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 40),
    shape=st.tuples(st.integers(1, 8), st.integers(1, 4)),
    penalty=st.floats(0.1, 10),
    shared=st.one_of(st.none(), st.floats(0.1, 10)),
)
def test_row_by_row_is_all_at_once(
    seed: int, count: int, shape: tuple[int, int], penalty: float, shared: float | None
) -> None:
    size, arms = shape
    phi, picked, rewards, weights = _rows(seed, count, size, arms)
    one, every = (
        Linear(arms=arms, size=size, penalty=penalty, shared_penalty=shared) for _ in range(2)
    )
    for row, arm, reward, weight in zip(phi, picked, rewards, weights, strict=True):
        one.add(row, int(arm), float(reward), float(weight))
    every.add_all(phi, picked, rewards, weights)
    assert np.allclose(one.means(phi), every.means(phi), atol=1e-7)
    assert np.allclose(one.widths(phi), every.widths(phi), atol=1e-7)
    assert (one.counts == every.counts).all()
    assert one.noise() == pytest.approx(every.noise(), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), penalty=st.floats(0.1, 10))
def test_it_is_weighted_ridge_regression(seed: int, penalty: float) -> None:
    phi, _, rewards, weights = _rows(seed, 30, 4, 1)
    learned = Linear(arms=1, size=4, penalty=penalty, shared_penalty=None)
    learned.add_all(phi, np.zeros(30, dtype=np.intp), rewards, weights)
    gram = (phi * weights[:, None]).T @ phi + penalty * np.eye(4)
    assert np.allclose(learned.theta[0], np.linalg.solve(gram, phi.T @ (weights * rewards)))
    residual = rewards - phi @ learned.theta[0]
    assert learned.noise() == pytest.approx(np.sqrt((weights * residual**2).sum() / 30))


def test_the_fast_way_for_one_row_says_the_same() -> None:
    phi, picked, rewards, weights = _rows(1, 60, 5, 3)
    learned = Linear(arms=3, size=5, penalty=1.0, shared_penalty=0.1)
    learned.add_all(phi, picked, rewards, weights)
    means, widths = learned.judged(phi[7])
    assert np.allclose(means, learned.means(phi[7:8])[0])
    assert np.allclose(widths, learned.widths(phi[7:8])[0])


def test_an_arm_nobody_tried_is_worth_what_the_others_are_only_where_they_share() -> None:
    phi = np.ones((50, 1))
    for shared, worth in ((0.01, 5.0), (None, 0.0)):
        learned = Linear(arms=3, size=1, penalty=1.0, shared_penalty=shared)
        learned.add_all(phi, np.arange(50) % 2, np.full(50, 5.0), np.ones(50))
        assert learned.means(phi[:1])[0, 2] == pytest.approx(worth, abs=0.3)


def test_a_copy_learns_alone() -> None:
    learned = Linear(arms=2, size=2, penalty=1.0, shared_penalty=None)
    twin = learned.copy()
    twin.add(np.ones(2), 0, 1.0)
    assert learned.counts.sum() == 0
    assert (learned.theta == 0).all()
