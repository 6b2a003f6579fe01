"""Gains and sureness: exact where yield and elasticity are certain."""

from __future__ import annotations

import numpy as np
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy.assumptions import Assumptions
from intel_ml.intelligence.policy.outlook import PAUSE, Outlook, confidence, expected, outlook
from intel_ml.intelligence.policy.siblings import Better
from intel_ml.intelligence.policy.windows import seen_in_states
from intel_ml.intelligence.policy.yields import ELASTICITIES, Yields
from tests.intelligence.policy import worlds

CERTAIN = 1e6
UP, CUT = ARMS.index(Arm.SCALE_20), ARMS.index(Arm.REDUCE_20)
EVERY = np.ones((1, len(ARMS)), dtype=bool)
PLAIN = Assumptions(worth=1.0, hope=0.0)


def view(
    rate: float, *, elasticity: float = 0.0, exposure: float = 100.0, others: float = np.nan
) -> Outlook:
    """Return the view of an ad set whose yield and elasticity are known."""
    weight = (elasticity == ELASTICITIES).astype(float)[None]
    found = Yields(
        shape=np.array([rate * CERTAIN]),
        rate=np.full((1, len(ELASTICITIES)), CERTAIN),
        weight=weight,
        results=np.array([rate * exposure]),
        exposure=np.array([exposure]),
    )
    seen = seen_in_states(worlds.states([{}]))
    siblings = Better(np.array([others]), np.array([0.1]))
    return outlook(seen, found, assumed=PLAIN, better=siblings)


@pytest.mark.parametrize(
    ("rate", "elasticity", "up", "cut"),
    [
        (2.0, 0.0, 0.2, -0.2),  # twice the money back: a fifth more earns a fifth
        (1.0, 0.0, 0.0, 0.0),
        (0.5, 0.0, -0.1, 0.1),
        (2.0, 0.6, 2 * (1.2**0.4 - 1) - 0.2, 2 * (0.8**0.4 - 1) + 0.2),
    ],
)
def test_gains_are_results_less_money(
    rate: float, elasticity: float, up: float, cut: float
) -> None:
    one = view(rate, elasticity=elasticity)
    assert one.gains[0, [UP, CUT]] == pytest.approx([up, cut], abs=1e-6)
    assert one.gains[0, PAUSE] == pytest.approx(1 - rate, abs=1e-6)
    found = expected(one)
    assert found.value[0] == pytest.approx(one.gains[0], abs=1e-6)
    assert found.deviation[0].max() < 0.01


def test_siblings_make_a_pause_worth_what_they_buy_more() -> None:
    one = view(1.0, others=1.6)
    assert one.gains[0, PAUSE] == pytest.approx(0.6, abs=1e-6)
    assert one.hopeless[0] == pytest.approx(1.0)  # 1.0 is below 0.8 * 1.6
    assert expected(one).deviation[0, PAUSE] == pytest.approx(0.1, abs=0.01)
    assert view(1.0, others=1.1).hopeless[0] == pytest.approx(0.0)


def test_sureness_is_the_chance_of_being_right() -> None:
    for rate, arm, sure in ((2.0, UP, 1.0), (0.5, UP, 0.0), (0.5, CUT, 1.0), (2.0, CUT, 0.0)):
        found = confidence(view(rate), np.array([arm]), EVERY, worth=1.0)
        assert found[0] == pytest.approx(sure, abs=1e-3)


def test_of_nothing_seen_nothing_is_gained_or_sure() -> None:
    one = view(5.0, exposure=0.0)
    assert (one.gains == 0).all()
    assert one.hopeless[0] == 0
    assert np.isinf(expected(one).deviation).all()
