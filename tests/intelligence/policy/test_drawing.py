from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.intelligence.policy.drawing import best, draw, pmf_of, unit
from intel_ml.intelligence.policy.protocol import MAINTAIN
from intel_ml.intelligence.policy.settings import Drawing

scores = st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=6)
masks = st.lists(st.booleans(), min_size=6, max_size=6).filter(any)


@given(scores, masks, st.floats(0.01, 1 / 6), st.floats(0.01, 10))
def test_every_allowed_arm_has_its_floor(
    values: list[float], mask: list[bool], floor: float, temperature: float
) -> None:
    allowed = np.array([mask])
    pmf = pmf_of(np.array([values]), allowed, Drawing(temperature, floor))
    assert np.isclose(pmf.sum(), 1)
    assert (pmf[allowed] >= floor - 1e-12).all()
    assert (pmf[~allowed] == 0).all()


@given(masks, st.text(max_size=40))
def test_a_forbidden_arm_is_never_drawn(mask: list[bool], key: str) -> None:
    allowed = np.array([mask])
    pmf = allowed / allowed.sum()
    assert allowed[0, draw(pmf, [key])[0]]


@given(st.text(max_size=60))
def test_a_key_decides_a_number_below_one(key: str) -> None:
    assert 0 <= unit(key) < 1
    assert unit(key) == unit(key)


def test_keys_are_spread_evenly() -> None:
    points = np.array([unit(f"decision-{n}") for n in range(20_000)])
    assert abs(points.mean() - 0.5) < 0.01
    assert np.bincount((points * 10).astype(int), minlength=10).min() > 1800


def test_among_equals_things_stay_as_they_are() -> None:
    mask = np.ones((1, 6), dtype=bool)
    assert best(np.zeros((1, 6)), mask)[0] == MAINTAIN
    mask[0, MAINTAIN] = False
    assert best(np.zeros((1, 6)), mask)[0] == 0
