from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.shocks import day_effects


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), share=st.floats(0.6, 1.0))
def test_without_noise_days_are_found_exactly_up_to_their_mean(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    days, units = random.normal(size=8), random.normal(size=30)
    clean = random.random((30, 8)) < share
    clean[0], clean[:, 0] = True, True
    found = day_effects(units[:, None] + days, clean=clean)
    assert np.allclose(found - found.mean(), days - days.mean(), atol=1e-6)


def test_what_was_done_to_treated_units_is_no_shock() -> None:
    random = np.random.default_rng(0)
    panel = random.normal(size=(40, 1)) + np.zeros((40, 10))
    treated = np.zeros((40, 10), dtype=bool)
    treated[:30, 5:] = True
    found = day_effects(panel + 5.0 * treated, clean=~treated)
    assert np.allclose(found, 0.0, atol=1e-6)


def test_the_unknown_is_left_out_and_a_day_nobody_saw_is_usual() -> None:
    panel = np.tile(np.arange(4.0), (5, 1))
    panel[0, 1], panel[:, 3] = np.nan, np.nan
    found = day_effects(panel, clean=np.ones((5, 4), dtype=bool))
    assert np.allclose(found, [-1.0, 0.0, 1.0, 0.0])
