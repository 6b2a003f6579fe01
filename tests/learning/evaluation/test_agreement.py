from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation.agreement import agreement


@settings(deadline=None)
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


def test_by_action_it_is_the_share_of_what_people_had_done() -> None:
    found = agreement(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]))
    assert {name: part.rate for name, part in found.by_action.items()} == {
        "pause": 1.0,
        "maintain": pytest.approx(1 / 3),
    }
    assert sum(part.n for part in found.by_action.values()) == found.n


def test_the_interval_of_kappa_covers() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        person = random.integers(0, 6, 150)
        same = random.random(150) < 0.6
        policy = np.where(same, person, random.integers(0, 6, 150))
        found = agreement(policy, person)
        assert found.kappa_low is not None
        assert found.kappa_high is not None
        # Beyond chance people and policy agree exactly where the coin said so.
        covered += found.kappa_low <= 0.6 <= found.kappa_high
    assert covered / 200 >= 0.9
