from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.learning.evaluation import e_process, online
from intel_ml.learning.evaluation.e_process import Bounds, Foresight
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.tails import tails
from tests.learning.evaluation import bandits

BOUNDS = Bounds()
values = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60)


@settings(deadline=None)
@given(values, st.floats(-2, 2))
def test_where_nothing_lies_beyond_nothing_is_hidden(gains: list[float], reward: float) -> None:
    found = tails(np.array(gains), np.full(len(gains), reward), bounds=BOUNDS)
    assert found.beyond == 0
    assert not found.could_hide_a_loss
    assert not found.could_hide_a_gain


@settings(deadline=None)
@given(values, st.floats(0.01, 0.2))
def test_the_difference_lies_between_and_more_doubt_makes_it_wider(
    gains: list[float], alpha: float
) -> None:
    known, rewards = np.array(gains), np.full(len(gains), 3.0)
    found = tails(known, rewards, bounds=BOUNDS, alpha=alpha)
    sure = tails(known, rewards, bounds=BOUNDS, alpha=alpha / 2)
    assert found.beyond == len(gains)
    assert sure.least <= found.least <= known.mean() + 1e-9
    assert known.mean() - 1e-9 <= found.most <= sure.most


def test_it_is_hardly_ever_wrong_at_any_of_many_looks() -> None:
    random, wrong = np.random.default_rng(0), 0
    for _ in range(300):
        gains = random.standard_t(4, 3000)
        wrong += any(
            tails(gains[:n], np.full(n, 9.0), bounds=BOUNDS).least > 0 for n in range(50, 3001, 50)
        )
    assert wrong / 300 <= 0.06


def _rare_gains(seed: int, n: int = 3000) -> tuple[LoggedDecisions, e_process.Duel]:
    """Return decisions where what the log did most pays rarely, and greatly; all are worth 0."""
    random = np.random.default_rng(seed)
    contexts = random.integers(0, 4, n)
    actions = random.choice(6, n, p=bandits.INCUMBENT).astype(np.intp)
    rare = np.where(random.random(n) < 0.02, 10.0, -10 * 0.02 / 0.98)
    rewards = np.where(actions == 1, rare, random.normal(0, 0.3, n))
    log = LoggedDecisions(
        pmf_logged=bandits.INCUMBENT[actions],
        rewards=rewards,
        actions=actions,
        pmf_new=bandits.candidate()[contexts],
    )
    chances = np.repeat(bandits.INCUMBENT[None], n, axis=0)
    told = online.cells(contexts, actions, BOUNDS.unit(rewards), arms=6, start=0.5)
    return log, e_process.duel(log, None, foresight=Foresight(chances, told), bounds=BOUNDS)


def test_rare_great_gains_of_what_was_done_are_not_lost_beyond_the_bounds() -> None:
    fooled = kept = 0
    for seed in range(30):
        log, duel = _rare_gains(seed)
        gains = log.weights * log.rewards - log.rewards
        fooled += duel.better.has_crossed
        found = tails(gains, log.rewards, bounds=BOUNDS)
        assert found.beyond > 0
        kept += duel.better.has_crossed and not found.could_hide_a_loss
    assert fooled >= 25
    assert kept <= 2


def test_how_far_a_mean_may_be_off_shrinks_with_decisions() -> None:
    widths = [
        tails(np.tile([-1.0, 1.0], n // 2), np.zeros(n), bounds=BOUNDS).most
        for n in (100, 1000, 10_000)
    ]
    assert widths == sorted(widths, reverse=True)
    # At its best a third wider than a mean looked at once (1.64 / sqrt(1000)) and then some.
    assert 1.64 / np.sqrt(1000) < widths[1] < 3.2 / np.sqrt(1000)
    assert widths[1] == pytest.approx(0.088, abs=0.001)
