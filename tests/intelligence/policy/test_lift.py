from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy import lift
from intel_ml.intelligence.policy.lift import Landmarks, random_waves


def _kernel(a: np.ndarray, b: np.ndarray, reach: float, weight: float) -> np.ndarray:
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return weight * np.exp(-squares / (2 * reach**2))


def _marks(*, inputs: int, limit: int, single: float = 0.5, weight: float = 1.0) -> Landmarks:
    return Landmarks(inputs=inputs, limit=limit, bandwidth=0.7, weight=weight, single=single)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 20),
    inputs=st.integers(1, 5),
    single=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_with_room_for_every_row_the_products_are_the_kernel(
    seed: int, rows: int, inputs: int, single: float
) -> None:
    x = np.random.default_rng(seed).standard_normal((rows, inputs))
    marks = _marks(inputs=inputs, limit=rows, single=single, weight=2.0)
    marks.grow(x)
    phi = marks.of(x)
    together = _kernel(x, x, 0.7 * np.sqrt(inputs), 1.0)
    each = np.mean([_kernel(x[:, [j]], x[:, [j]], 0.7, 1.0) for j in range(inputs)], axis=0)
    kernel = 2.0 * ((1 - single) * together + single * each)
    # What is left out is at most a thousandth of the weight, its root in a product.
    assert np.allclose(phi @ phi.T, kernel, atol=2.0 * 0.001 + 1e-6)


def test_many_rows_at_once_are_what_each_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    marks = _marks(inputs=3, limit=8)
    marks.grow(x)
    at_once = marks.of(x)
    monkeypatch.setattr(lift, "_AT_ONCE", 60)
    assert (marks.of(x) == at_once).all()


def test_without_inputs_every_row_is_the_same() -> None:
    marks = _marks(inputs=0, limit=3)
    marks.grow(np.zeros((4, 0)))
    assert marks.used == 1
    assert np.allclose(marks.of(np.zeros((2, 0))), [[1.0, 0.0, 0.0]] * 2)


def test_growing_moves_no_coordinate_that_was_there() -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    marks = _marks(inputs=3, limit=20)
    marks.grow(x[:10])
    used, before = marks.used, marks.of(x)
    marks.grow(x)
    assert marks.used > used
    assert np.allclose(marks.of(x)[:, :used], before[:, :used])
    assert np.allclose(marks.of(x[:10])[:, used:], 0.0, atol=0.05)


def test_it_stops_at_its_limit_and_at_what_is_not_new() -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    full = _marks(inputs=3, limit=5)
    full.grow(x)
    assert full.used == 5
    same = _marks(inputs=3, limit=5)
    same.grow(np.repeat(x[:1], 10, axis=0))
    assert same.used == 1


def test_the_order_of_rows_does_not_choose_the_landmarks() -> None:
    x = np.random.default_rng(0).standard_normal((60, 3))
    found = []
    for rows in (x, x[::-1]):
        marks = _marks(inputs=3, limit=10)
        marks.grow(rows)
        found.append(marks.points)
    assert (found[0] == found[1]).all()


def test_waves_approach_the_kernel() -> None:
    x = np.random.default_rng(0).standard_normal((10, 2))
    waves = random_waves(inputs=2, count=4000, bandwidth=1.0, seed=1).of(x)
    assert np.abs(waves @ waves.T - _kernel(x, x, np.sqrt(2), 1.0)).max() < 0.1


def test_before_any_row_every_coordinate_is_zero() -> None:
    marks = _marks(inputs=2, limit=4)
    assert marks.of(np.ones((3, 2))).tolist() == [[0.0] * 4] * 3
    assert marks.of(np.ones((3, 2))).sum() == pytest.approx(0)
