from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import ModelRefusedError, NotEnoughDataError
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
    new = _person(300, 8)
    pmf = policy.choose(
        states_of_log(new, policy.features), allowed=np.ones((300, 6), dtype=bool), keys=["k"] * 300
    ).pmf
    cuts = [i for i, a in enumerate(ARMS) if (ARM_PERCENT[a] or 0) < 0]
    # One in sixty by whim, and the floor.
    assert pmf.mean(axis=0)[cuts].max() < 0.1


def _approver(rows: int, seed: int) -> pd.DataFrame:
    """Approves cuts and pauses of the dear, rejects those of the cheap; scales by 10, never 20."""
    log = worlds.log(rows, seed=seed)
    dear = log["state_cpa_ratio"].to_numpy() > 1.2
    arms = log["proposed"].to_numpy()
    less = np.isin(arms, ["pause", "reduce_20", "reduce_50"])
    said = np.where(less == dear, "approved", "rejected").astype(object)
    said[arms == "maintain"] = None
    said[(arms == "scale_20") & ~dear] = "modified"
    done = np.where(said == "approved", arms, "maintain").astype(object)
    done[said == "modified"] = "scale_10"
    return log.assign(verdict=said, executed=done)


def test_what_is_said_to_a_proposal_is_foreseen_and_calibrated() -> None:
    policy = imitation.Policy().fit(_approver(500, 1))
    new = _approver(1000, 2)
    new = new[new["verdict"].notna()]
    arms = [Arm(a) for a in new["proposed"]]
    found = policy.foresee(states_of_log(new, policy.features), arms)
    said = np.column_stack([found.approve, found.reject, found.modify])
    assert np.allclose(said.sum(axis=1), 1)
    assert np.allclose(found.executed.sum(axis=1), 1)
    verdicts = np.array([v.value for v in imitation.VERDICTS])
    assert (verdicts[said.argmax(axis=1)] == new["verdict"]).mean() > 0.9
    done = np.array([ARMS[i].value for i in found.executed.argmax(axis=1)])
    assert (done == new["executed"]).mean() > 0.9
    # Brier's score: a quarter is a coin's, what is always said without looking has a fifth.
    assert ((found.approve - (new["verdict"] == "approved")) ** 2).mean() < 0.08


def test_maintaining_needs_no_approval() -> None:
    policy = imitation.Policy().fit(_approver(300, 1))
    found = policy.foresee(worlds.states([{"cpa_ratio": 3.0}]), [Arm.MAINTAIN])
    assert found.approve[0] == 1
    assert found.executed[0, 1] == 1


def test_few_verdicts_are_read_off_what_was_executed() -> None:
    policy = imitation.Policy().fit(_approver(15, 1))
    found = policy.foresee(worlds.states([{"cpa_ratio": 3.0}] * 2), [Arm.PAUSE, Arm.SCALE_20])
    assert np.allclose(found.approve + found.reject + found.modify, 1)
    with pytest.raises(NotEnoughDataError):
        imitation.Policy().foresee(worlds.states([{"cpa_ratio": 3.0}]), [Arm.PAUSE])


def test_foreseen_verdicts_survive_saving_to_the_last_bit(tmp_path: Path) -> None:
    policy = imitation.Policy().fit(_approver(400, 1))
    policy.save(tmp_path)
    again = imitation.Policy.load(tmp_path)
    state = worlds.states([{"cpa_ratio": 3.0}, {"cpa_ratio": None, "frequency": 2.0}])
    for arm in (Arm.PAUSE, Arm.SCALE_20):
        one, other = policy.foresee(state, [arm] * 2), again.foresee(state, [arm] * 2)
        assert (one.executed == other.executed).all()
        assert (one.approve == other.approve).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.json", "policy.npz"]


def test_more_verdicts_change_its_mind() -> None:
    policy = imitation.Policy().fit(_approver(300, 1))
    state = worlds.states([{"cpa_ratio": 3.0, "roas": 1.3}])
    before = policy.foresee(state, [Arm.PAUSE]).approve[0]
    changed = _approver(600, 5)
    pauses = (changed["proposed"] == "pause").to_numpy()
    changed.loc[pauses, ["verdict", "executed"]] = ["rejected", "maintain"]
    policy.learn(changed)
    assert policy.foresee(state, [Arm.PAUSE]).approve[0] < before - 0.2


def test_what_an_older_program_saved_is_refused_not_guessed(tmp_path: Path) -> None:
    imitation.Policy().fit(_approver(60, 1)).save(tmp_path)
    saved = tmp_path / "policy.json"
    words = json.loads(saved.read_text())
    del words["arms"]
    saved.write_text(json.dumps(words))
    with pytest.raises(ModelRefusedError, match="older"):
        imitation.Policy.load(tmp_path)
