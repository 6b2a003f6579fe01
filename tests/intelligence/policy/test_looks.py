"""Looking alike proves nothing; looking unlike speaks against an account, the more the farther."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.policy import looks
from intel_ml.intelligence.policy.looks import Looks


def _seen(middles: np.ndarray, *, rows: int = 200, spread: float = 1.0, seed: int = 0) -> Looks:
    random = np.random.default_rng(seed)
    found = Looks.of_nobody(len(middles), middles.shape[1])
    for place, middle in enumerate(middles):
        wide = spread if place == len(middles) - 1 else 1.0
        found.add(
            place,
            middle + wide * random.standard_normal((rows, middles.shape[1])),
            witnesses=rows,
        )
    return found


@settings(max_examples=30, deadline=None)
@given(
    accounts=st.integers(0, 8),
    width=st.integers(1, 6),
    rows=st.integers(0, 30),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e6]),
    seed=st.integers(0, 1000),
)
def test_nothing_speaks_for_an_account_and_whatever_speaks_against_it_is_finite(
    accounts: int, width: int, rows: int, scale: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    seen = Looks.of_nobody(accounts, width)
    for place in range(accounts):
        vectors = scale * random.standard_normal((rows * (place % 2), width))
        seen.add(place, vectors, witnesses=len(vectors))
    found = looks.nats(seen)
    assert found.shape == (accounts,)
    assert np.isfinite(found).all()
    assert (found <= 0).all()
    assert (found[seen.witnesses == 0] == 0).all()


def test_the_farther_away_the_more_speaks_against_it() -> None:
    found = []
    for away in (0.0, 1.0, 2.0, 4.0, 8.0):
        middles = np.zeros((7, 4))
        middles[-1] = away
        found.append(looks.nats(_seen(middles)))
    against = [one[-1] for one in found]
    assert against[0] == 0.0
    assert against == sorted(against, reverse=True)
    assert against[-1] < -5
    assert (np.array([one[:-1] for one in found]) > -1).all()


@pytest.mark.parametrize("spread", [0.02, 50.0])
def test_states_that_scatter_otherwise_speak_against_it_too(spread: float) -> None:
    found = looks.nats(_seen(np.zeros((7, 4)), spread=spread))
    assert found[-1] < -3
    assert (found[:-1] == 0).all()


def test_where_accounts_differ_widely_one_more_that_differs_is_no_stranger() -> None:
    random = np.random.default_rng(1)
    for seed in range(5):
        middles = 3 * random.standard_normal((12, 4))
        assert (looks.nats(_seen(middles, seed=seed)) > -1).all()


def test_few_witnesses_say_little() -> None:
    middles = np.zeros((7, 4))
    middles[-1] = 2.0
    many, few = _seen(middles), _seen(middles)
    few.witnesses[-1] = 1
    assert looks.nats(few)[-1] > looks.nats(many)[-1]


def test_the_same_feature_told_twice_counts_once() -> None:
    middles = np.zeros((7, 2))
    middles[-1] = 1.5
    once = _seen(middles)
    twice = Looks.of_nobody(7, 4)
    random = np.random.default_rng(0)
    for place, middle in enumerate(middles):
        vectors = middle + random.standard_normal((200, 2))
        twice.add(place, np.hstack([vectors, vectors]), witnesses=200)
    assert looks.nats(twice) == pytest.approx(looks.nats(once), abs=0.1)
