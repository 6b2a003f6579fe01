from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.learning.evaluation import e_process
from intel_ml.learning.evaluation.e_process import Bounds
from intel_ml.learning.evaluation.logged import LoggedDecisions
from tests.learning.evaluation import bandits

UNIT = Bounds(0.0, 1.0)


def test_at_equal_value_it_is_hardly_ever_fooled_however_often_one_looks() -> None:
    fooled = sum(
        e_process.evidence(
            bandits.logged(2000, uplift=0.0, seed=seed), None, bounds=UNIT
        ).has_crossed
        for seed in range(200)
    )
    assert fooled / 200 <= 0.05


def test_a_much_better_candidate_is_found() -> None:
    found = [
        e_process.evidence(bandits.logged(4000, uplift=0.6, seed=seed), None, bounds=UNIT)
        for seed in range(20)
    ]
    assert sum(f.has_crossed for f in found) >= 16


def test_a_worse_candidate_is_not_promoted() -> None:
    for seed in range(20):
        log = bandits.logged(2000, uplift=-0.6, seed=seed)
        assert not e_process.evidence(log, None, bounds=UNIT).has_crossed


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1)), min_size=1, max_size=50
    )
)
def test_no_difference_is_below_minus_one_and_no_wealth_below_zero(
    rows: list[tuple[float, float, float]],
) -> None:
    mine, other, rewards = (np.array(column) for column in zip(*rows, strict=True))
    steps = e_process.differences(mine, other, rewards)
    assert (steps >= -1).all()
    path = e_process.process(steps).path
    assert (path >= 0).all()
    assert np.isfinite(path).all()


def test_what_was_seen_later_does_not_change_what_was_known() -> None:
    log = bandits.logged(1000, uplift=0.3, seed=0)
    whole = e_process.evidence(log, None, bounds=UNIT).path
    part = e_process.evidence(log.take(list(range(400))), None, bounds=UNIT).path
    assert np.allclose(whole[:400], part)


def _robust(n: int, *, uplift: float, seed: int) -> e_process.EProcess:
    log = bandits.logged(n, uplift=uplift, seed=seed)
    incumbent = np.repeat(bandits.INCUMBENT[None], n, axis=0)
    steps = e_process.dr_steps(
        log,
        log_of_incumbent(log, incumbent),
        chances=incumbent,
        predicted=np.full((n, 6), 0.4),
        bounds=UNIT,
    )
    return e_process.process(steps)


def log_of_incumbent(log: LoggedDecisions, pmf: NDArray[np.float64]) -> LoggedDecisions:
    return replace(log, pmf_new=pmf)


def test_doubly_robust_bets_are_not_fooled_either() -> None:
    fooled = sum(_robust(2000, uplift=0.0, seed=seed).has_crossed for seed in range(200))
    assert fooled / 200 <= 0.05


def test_doubly_robust_bets_find_more() -> None:
    plain = sum(
        e_process.evidence(bandits.logged(3000, uplift=0.3, seed=s), None, bounds=UNIT).has_crossed
        for s in range(40)
    )
    robust = sum(_robust(3000, uplift=0.3, seed=s).has_crossed for s in range(40))
    assert robust > plain


@pytest.mark.parametrize("wrong", [0.0, 1.0])
def test_a_wrong_model_does_not_fool_it(wrong: float) -> None:
    fooled = 0
    for seed in range(100):
        log = bandits.logged(1000, uplift=0.0, seed=seed)
        incumbent = np.repeat(bandits.INCUMBENT[None], 1000, axis=0)
        steps = e_process.dr_steps(
            log,
            log_of_incumbent(log, incumbent),
            chances=incumbent,
            predicted=np.full((1000, 6), wrong),
            bounds=UNIT,
        )
        assert (steps >= -1).all()
        fooled += e_process.process(steps).has_crossed
    assert fooled <= 5
