from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.learning.evaluation.agreement import agreement


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40))
def test_who_always_does_the_same_agrees_fully(arms: list[int]) -> None:
    same = np.array(arms)
    found = agreement(same, same)
    assert found.rate == 1
    assert found.kappa in (None, pytest.approx(1))


def test_always_maintaining_agrees_often_and_means_nothing() -> None:
    person = np.array([1] * 90 + [0] * 10)
    found = agreement(np.ones(100, dtype=int), person)
    assert found.rate == pytest.approx(0.9)
    assert found.kappa == pytest.approx(0)


def test_chance_has_kappa_near_nothing() -> None:
    random = np.random.default_rng(0)
    found = agreement(random.integers(0, 6, 5000), random.integers(0, 6, 5000))
    assert found.kappa == pytest.approx(0, abs=0.03)


def test_it_is_told_by_archetype_and_the_unknown_has_none() -> None:
    found = agreement(
        np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]), archetypes=["a", "a", "b", None]
    )
    assert {name: part.rate for name, part in found.by_archetype.items()} == {"a": 0.5, "b": 1.0}
    assert found.n == 4


def test_nobody_judged_is_unknown_not_zero() -> None:
    found = agreement(np.array([], dtype=int), np.array([], dtype=int))
    assert (found.rate, found.kappa, found.low, found.high) == (None, None, 0.0, 1.0)
