from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.operations.drawing import Draw, Shares, certain, draw

shares = st.floats(0, 0.49)
masks = st.lists(st.booleans(), min_size=6, max_size=6).map(lambda m: [m[0], True, *m[2:]])


def _draw(shown: int, mask: list[bool], holdout: float, exploration: float, key: str) -> Draw:
    allowed = np.array(mask)
    allowed[shown] = True
    base = np.eye(6)[shown]
    return draw(
        ARMS[shown], base=base, allowed=allowed, shares=Shares(holdout, exploration), key=key
    )


@given(st.integers(0, 5), masks, shares, shares, st.text(max_size=8))
def test_the_distribution_sums_to_one_and_never_gives_what_is_not_allowed(
    shown: int, mask: list[bool], holdout: float, exploration: float, key: str
) -> None:
    drawn = _draw(shown, mask, holdout, exploration, key)
    assert abs(sum(drawn.pmf.values()) - 1) < 1e-9
    assert 0 < drawn.propensity <= 1
    mask[shown] = True
    assert all(p == 0 for arm, p in drawn.pmf.items() if not mask[ARMS.index(arm)])


@given(st.integers(0, 5), masks, shares, shares, st.text(max_size=8))
def test_a_repeated_draw_is_the_same_draw(
    shown: int, mask: list[bool], holdout: float, exploration: float, key: str
) -> None:
    assert _draw(shown, list(mask), holdout, exploration, key) == _draw(
        shown, list(mask), holdout, exploration, key
    )


def test_frequencies_are_the_logged_probabilities() -> None:
    draws = [_draw(0, [True] * 6, 0.2, 0.3, str(n)) for n in range(4000)]
    for arm in ARMS:
        share = sum(one.arm is arm for one in draws) / len(draws)
        assert abs(share - draws[0].pmf[arm]) < 0.03
    assert 0.15 < sum(one.is_held_out for one in draws) / len(draws) < 0.25


def test_what_is_left_alone_for_certain_has_probability_one() -> None:
    assert certain(Arm.MAINTAIN).propensity == 1.0
