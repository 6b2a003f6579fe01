from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation.support import ess, support
from tests.learning.evaluation import bandits


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=50))
def test_the_effective_sample_is_never_more_than_the_sample(weights: list[float]) -> None:
    assert 0 <= ess(np.array(weights)) <= len(weights) * (1 + 1e-9)


def test_a_log_that_tried_everything_is_enough() -> None:
    found = support(bandits.logged(4000, uplift=0.3, seed=0))
    assert found.is_enough
    assert found.supported_share == 1.0


def test_what_was_never_tried_is_named() -> None:
    log = bandits.logged(2000, uplift=0.3, seed=0)
    only = replace(log, actions=np.ones(2000, dtype=np.intp), pmf_logged=np.full(2000, 0.999))
    found = support(only)
    assert not found.is_enough
    assert any("never tried" in text for text in found.missing)
    assert any("mean weight" in text for text in found.missing)


def test_two_decisions_of_ten_thousand_are_refused() -> None:
    log = bandits.logged(10_000, uplift=0.3, seed=0)
    pmf = np.full((10_000, 6), 1e-6)
    pmf[np.arange(10_000), (log.actions + 1) % 6] = 1 - 5e-6
    pmf[:2] = 0
    pmf[[0, 1], log.actions[:2]] = 1
    found = support(replace(log, pmf_new=pmf))
    assert found.ess == pytest.approx(2, abs=1)
    assert not found.is_enough
