"""Policies that remember: each what it learned from, saved with it, told in its own way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import ModelRefusedError
from intel_ml.intelligence.policy import apart, cases, context, load_policy, make_policy
from intel_ml.intelligence.policy.case_rows import Tells
from intel_ml.intelligence.policy.protocol import Remembers
from intel_ml.intelligence.policy.recall import NOTHING_ALIKE
from tests.intelligence.policy.past import (
    FEATURES,
    ROW,
    asked,
    log,
)

LEARN = {
    "ridge": lambda: make_policy("ridge"),
    "sharing": lambda: make_policy("sharing"),
    "sharing, together": lambda: make_policy("sharing", sharing=["act_1", "act_2"]),
    "vw": lambda: make_policy("vw"),
    "response": lambda: make_policy("response"),
    "imitation": lambda: make_policy("imitation"),
}
learners = pytest.mark.parametrize("name", LEARN)


@learners
def test_a_policy_that_learned_remembers_what_it_learned_from(name: str) -> None:
    frame = log(200)
    policy = LEARN[name]()
    assert isinstance(policy, Remembers)
    new = policy.nearest(asked(ROW), 0, Arm.PAUSE)
    assert (new.cases, NOTHING_ALIKE in new.says) == ((), True)
    policy.fit(frame)
    found = policy.nearest(asked(ROW), 0, Arm.PAUSE)
    assert found.cases
    assert all(case.likeness >= cases.ALIKE for case in found.cases)
    others = policy.nearest(asked(ROW, account="act_3"), 0, Arm.PAUSE)
    assert not others.cases


@learners
def test_memory_is_saved_to_the_last_bit(name: str, tmp_path: Path) -> None:
    frame = log(150, entity_id=[f"{at}" for at in range(150)])
    policy = LEARN[name]().fit(frame.head(100)).learn(frame.tail(50))
    policy.save(tmp_path / "one")
    again = load_policy(tmp_path / "one")
    again.save(tmp_path / "two")
    for path in sorted(one for one in (tmp_path / "one").rglob("*") if one.is_file()):
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )
    assert isinstance(policy, Remembers)
    assert isinstance(again, Remembers)
    for arm in ARMS:
        ours, theirs = (one.nearest(asked(ROW), 0, arm, k=9) for one in (policy, again))
        assert ours == theirs


def test_a_policy_saved_before_there_were_cases_still_loads(tmp_path: Path) -> None:
    make_policy("ridge").fit(log()).save(tmp_path)
    words = json.loads((tmp_path / "policy.json").read_text())
    del words["cases"]
    (tmp_path / "policy.json").write_text(json.dumps(words))
    with np.load(tmp_path / "policy.npz") as stored:
        arrays = {name: stored[name] for name in stored.files if "cases" not in name}
    np.savez(tmp_path / "policy.npz", **arrays)
    old = load_policy(tmp_path)
    assert isinstance(old, Remembers)
    assert NOTHING_ALIKE in old.nearest(asked(ROW), 0, Arm.PAUSE).says
    assert old.learn(log()).nearest(asked(ROW), 0, Arm.PAUSE).cases


def test_cases_of_accounts_that_are_not_listed_are_refused(tmp_path: Path) -> None:
    make_policy("ridge").fit(log()).save(tmp_path)
    words = json.loads((tmp_path / "policy.json").read_text())
    words["cases"]["accounts"] = []
    (tmp_path / "policy.json").write_text(json.dumps(words))
    with pytest.raises(ModelRefusedError, match="not listed"):
        load_policy(tmp_path)


@pytest.mark.parametrize("name", ["rules", "uniform"])
def test_who_learns_nothing_remembers_nothing(name: str) -> None:
    assert not isinstance(make_policy(name), Remembers)


def test_a_pause_nobody_made_is_no_case() -> None:
    frame = log(200).assign(executed="maintain", reward_of_pause=0.4)
    found = make_policy("ridge").fit(frame)
    assert isinstance(found, Remembers)
    assert not found.nearest(asked(ROW), 0, Arm.PAUSE).cases


def test_an_imitation_tells_what_people_said() -> None:
    frame = log(200, executed="maintain", verdict="rejected", proposed="pause")
    some = frame.index % 4 == 0
    frame = frame.assign(
        verdict=np.where(some, "approved", "rejected"), executed=np.where(some, "pause", "maintain")
    )
    policy = make_policy("imitation").fit(frame)
    assert isinstance(policy, Remembers)
    found = policy.nearest(asked(ROW), 0, Arm.PAUSE, k=8)
    approved = sum(case.verdict == "approved" for case in found.cases)
    assert found.says == f"In the 8 most alike proposals to pause people approved {approved}."
    left = policy.nearest(asked(ROW), 0, Arm.MAINTAIN, k=8)
    assert left.says.endswith(f"people left things as they were {8 - approved} times.")
    assert NOTHING_ALIKE in policy.nearest(asked(ROW), 0, Arm.SCALE_10).says


def test_decisions_nobody_was_asked_about_are_no_proposals() -> None:
    quiet = log(50, executed="maintain", proposed="maintain", verdict=None)
    memory = cases.empty(context.learned(quiet, FEATURES), Tells.VERDICTS).learned(quiet)
    assert not len(memory)


def test_one_policy_an_account_remembers_each_account_apart() -> None:
    both = pd.concat([log(120), log(120, seed=1, ad_account_id="act_2", entity_id="secret")])
    policy = apart.Policy(make_policy("ridge")).fit(both)
    assert isinstance(policy, Remembers)
    for account in ("act_1", "act_2"):
        found = policy.nearest(asked(ROW, account=account), 0, Arm.PAUSE, k=20)
        assert found.cases
        assert all(case.entity and case.entity.account == account for case in found.cases)
    assert not policy.nearest(asked(ROW, account="act_3"), 0, Arm.PAUSE).cases
    assert not isinstance(apart.Policy(make_policy("uniform")), Remembers)
