from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence.policy import imitation
from intel_ml.learning.evaluation.replay import states_of_log
from tests.intelligence.policy import worlds


def _person(rows: int, seed: int) -> object:
    """A person who pauses the dear, scales the cheap, leaves the rest; one in ten times by whim."""
    log = worlds.log(rows, seed=seed)
    random = np.random.default_rng(seed + 100)
    ratio = log["state_cpa_ratio"].to_numpy()
    wanted = np.select([ratio > 2, ratio < 0.7], ["pause", "scale_10"], "maintain").astype(object)
    whim = random.random(rows) < 0.1
    wanted[whim] = random.choice([a.value for a in ARMS], int(whim.sum()))
    return log.assign(executed=wanted, verdict="modified")


def test_it_agrees_with_a_person_after_five_hundred_verdicts() -> None:
    policy = imitation.Policy().fit(_person(500, 0))
    new = _person(1000, 7)
    states = states_of_log(new, policy.features)
    found = policy.choose(states, allowed=np.ones((1000, 6), dtype=bool), keys=["k"] * 1000)
    agreed = np.array([ARMS[a].value for a in found.greedy]) == new["executed"].to_numpy()
    assert agreed.mean() > 0.8
    # Calibrated: as sure as right, within sampling error.
    assert abs(found.confidence.mean() - agreed.mean()) < 0.06


def test_a_rejection_teaches_to_leave_alone() -> None:
    log = worlds.log(300).assign(proposed="pause", executed="maintain", verdict="rejected")
    policy = imitation.Policy().fit(log)
    state = worlds.states([{"cpa_ratio": 5.0}])
    found = policy.choose(state, allowed=np.ones((1, 6), dtype=bool), keys=["k"])
    assert ARMS[found.greedy[0]] is Arm.MAINTAIN
    assert found.confidence[0] > 0.8


def test_what_chance_held_out_does_not_teach() -> None:
    log = worlds.log(200).assign(executed="pause", verdict="approved")
    held = worlds.log(800, seed=2).assign(
        executed="maintain", proposed="pause", verdict=None, is_held_out=True
    )
    both = pd.concat([log, held], ignore_index=True)
    state = worlds.states([{"cpa_ratio": 1.0}])
    found = (
        imitation.Policy().fit(both).choose(state, allowed=np.ones((1, 6), dtype=bool), keys=["k"])
    )
    assert ARMS[found.greedy[0]] is Arm.PAUSE


def test_without_verdicts_there_is_nothing_to_imitate() -> None:
    log = worlds.log(100).assign(verdict=None, proposed="pause")
    with pytest.raises(NotEnoughDataError):
        imitation.Policy().fit(log)


def test_arms_that_were_never_wanted_keep_only_little() -> None:
    policy = imitation.Policy().fit(_person(800, 3))
    state = worlds.states([{"cpa_ratio": 1.1, "roas": 3.6}])
    pmf = policy.choose(state, allowed=np.ones((1, 6), dtype=bool), keys=["k"]).pmf[0]
    assert pmf[[i for i, a in enumerate(ARMS) if (ARM_PERCENT[a] or 0) < 0]].max() < 0.1
