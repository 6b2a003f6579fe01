from __future__ import annotations

import threading

import numpy as np
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy import vw
from tests.intelligence.policy import worlds

CLEAR = worlds.states([{"cpa_ratio": r, "roas": 4 / r} for r in (4.0, 0.3, 1.2)])
EVERY = np.ones((3, 6), dtype=bool)
explorations = pytest.mark.parametrize("exploration", [vw.SQUARECB, vw.REGCB, vw.REGCB_OPTIMISTIC])


@explorations
def test_it_finds_the_best_arm_of_each_context(exploration: str) -> None:
    policy = vw.Policy(exploration=exploration).fit(worlds.log(1500))
    found = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert [ARMS[a] for a in found.greedy] == [Arm.PAUSE, Arm.SCALE_20, Arm.MAINTAIN]


@pytest.mark.parametrize("exploration", [vw.REGCB, vw.REGCB_OPTIMISTIC])
def test_an_arm_regcb_has_ruled_out_keeps_the_floor_in_what_is_logged(exploration: str) -> None:
    policy = vw.Policy(exploration=exploration, floor=0.03).fit(worlds.log(1500))
    found = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert np.isclose(found.pmf, 0.03).sum() >= 10
    assert found.pmf.min() == pytest.approx(0.03)


@pytest.mark.parametrize("exploration", [vw.REGCB, vw.REGCB_OPTIMISTIC])
def test_regcb_never_says_how_sure_it_is(exploration: str) -> None:
    policy = vw.Policy(exploration=exploration).fit(worlds.log(800))
    found = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert found.confidence == pytest.approx(1 / 6)


def test_choosing_teaches_nothing() -> None:
    policy = vw.Policy().fit(worlds.log(200))
    first = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    for _ in range(50):
        last = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert (first.pmf == last.pmf).all()


def test_rows_likely_to_be_executed_count_less() -> None:
    # The same arm paid well where it was rare and badly where it was common: weighted, it pays.
    log = worlds.log(600, noise=0.0).assign(state_cpa_ratio=1.0, state_roas=2.0)
    rare = log.index % 10 == 0
    arms = np.where(log.index % 2 == 0, "scale_10", "maintain")
    paid = np.where(arms == "maintain", 0.0, np.where(rare, 10.0, -5.0))
    log = log.assign(executed=arms, reward=paid, p_executed=np.where(rare, 0.1, 0.9))
    state = worlds.states([{"cpa_ratio": 1.0, "roas": 2.0}])
    only = np.array([[arm in (Arm.SCALE_10, Arm.MAINTAIN) for arm in ARMS]])
    scale = ARMS.index(Arm.SCALE_10)
    weighted, unweighted = (
        vw.Policy().fit(one).choose(state, allowed=only, keys=["k"]).pmf[0, scale]
        for one in (log, log.assign(p_executed=0.5))
    )
    assert weighted > unweighted


def test_threads_that_ask_at_once_are_answered_alike() -> None:
    policy = vw.Policy().fit(worlds.log(300))
    alone = policy.choose(CLEAR, allowed=EVERY, keys=list("abc")).pmf
    answers: list[np.ndarray] = []

    def ask() -> None:
        for _ in range(30):
            answers.append(policy.choose(CLEAR, allowed=EVERY, keys=list("abc")).pmf)  # noqa: PERF401  # one by one is the point

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 120
    assert all((answer == alone).all() for answer in answers)


def test_it_counts_what_it_learned_from_and_adds_to_it() -> None:
    policy = vw.Policy().fit(worlds.log(100))
    assert sum(policy.counts.values()) == 100
    assert sum(policy.learn(worlds.log(50, seed=1)).counts.values()) == 150


def test_what_speaks_for_an_arm_is_named() -> None:
    policy = vw.Policy().fit(worlds.log(1000))
    first = policy.explain(CLEAR, 0, Arm.PAUSE)[0]
    assert first.text == "CPA is 300% above target"
    assert first.contribution is not None
    assert first.contribution > 0
