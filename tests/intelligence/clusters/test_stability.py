from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.intelligence.clusters import stability
from intel_ml.intelligence.clusters.stability import Support


def blobs(k: int, *, each: int = 40, apart: float = 8.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.zeros((k, 3))
    centres[np.arange(k), np.arange(k) % 3] = apart * (1 + np.arange(k) // 3)
    return np.concatenate([c + random.standard_normal((each, 3)) for c in centres])


@pytest.mark.parametrize("k", [3, 4, 5])
def test_the_true_number_of_groups_is_found(k: int) -> None:
    found = stability.support(blobs(k), ks=range(3, 8), seed=0)
    assert max(found, key=lambda one: one.score).k == k
    mine = next(one for one in found if one.k == k)
    assert mine.stability > 0.98
    assert mine.silhouette > 0.5


def test_no_structure_is_not_stable() -> None:
    noise = np.random.default_rng(1).standard_normal((200, 6))
    assert stability.stability(noise, k=6, seed=0) < 0.6


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(2, 5))
def test_support_is_bounded_and_does_not_depend_on_anything_but_its_seed(seed: int, k: int) -> None:
    points = blobs(3, each=12, apart=2.0, seed=seed)
    one, again = (stability.support(points, ks=[k], seed=seed) for _ in range(2))
    assert one == again
    assert -1 <= one[0].silhouette <= 1
    assert -1 <= one[0].stability <= 1


@given(
    scores=st.dictionaries(st.integers(3, 8), st.floats(0, 1), min_size=1),
)
def test_the_usual_number_stands_unless_another_is_clearly_better(scores: dict[int, float]) -> None:
    supports = [Support(k, value, value) for k, value in scores.items()]
    k = stability.chosen(supports, default=5)
    best = max(scores.values())
    if 5 in scores and best - scores[5] < stability.CLEARLY:
        assert k == 5
    else:
        assert scores[k] == best
