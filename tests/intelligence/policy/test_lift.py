from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy.lift import Landmarks, random_waves


def _kernel(a: np.ndarray, b: np.ndarray, reach: float, weight: float) -> np.ndarray:
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return weight * np.exp(-squares / (2 * reach**2))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 20), inputs=st.integers(1, 5))
def test_with_room_for_every_row_the_products_are_the_kernel(
    seed: int, rows: int, inputs: int
) -> None:
    x = np.random.default_rng(seed).standard_normal((rows, inputs))
    marks = Landmarks(inputs=inputs, limit=rows, reach=0.7, weight=2.0)
    marks.grow(x)
    phi = marks.of(x)
    # What is left out is at most a thousandth of the weight, its root in a product.
    assert np.allclose(phi @ phi.T, _kernel(x, x, 0.7, 2.0), atol=2.0 * 0.001 + 1e-6)


def test_growing_moves_no_coordinate_that_was_there() -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    marks = Landmarks(inputs=3, limit=20, reach=1.0, weight=1.0)
    marks.grow(x[:10])
    used, before = marks.used, marks.of(x)
    marks.grow(x)
    assert marks.used > used
    assert np.allclose(marks.of(x)[:, :used], before[:, :used])
    assert np.allclose(marks.of(x[:10])[:, used:], 0.0, atol=0.05)


def test_it_stops_at_its_limit_and_at_what_is_not_new() -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    full = Landmarks(inputs=3, limit=5, reach=1.0, weight=1.0)
    full.grow(x)
    assert full.used == 5
    same = Landmarks(inputs=3, limit=5, reach=1.0, weight=1.0)
    same.grow(np.repeat(x[:1], 10, axis=0))
    assert same.used == 1


def test_the_order_of_rows_does_not_choose_the_landmarks() -> None:
    x = np.random.default_rng(0).standard_normal((60, 3))
    found = []
    for rows in (x, x[::-1]):
        marks = Landmarks(inputs=3, limit=10, reach=1.0, weight=1.0)
        marks.grow(rows)
        found.append(marks.points)
    assert (found[0] == found[1]).all()


def test_waves_approach_the_kernel() -> None:
    x = np.random.default_rng(0).standard_normal((10, 2))
    waves = random_waves(inputs=2, count=4000, bandwidth=1.0, seed=1).of(x)
    assert np.abs(waves @ waves.T - _kernel(x, x, np.sqrt(2), 1.0)).max() < 0.1


def test_before_any_row_every_coordinate_is_zero() -> None:
    marks = Landmarks(inputs=2, limit=4, reach=1.0, weight=1.0)
    assert marks.of(np.ones((3, 2))).tolist() == [[0.0] * 4] * 3
    assert marks.of(np.ones((3, 2))).sum() == pytest.approx(0)
