"""One policy an account: nothing of an account that does not share reaches another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, ModelRefusedError, NotEnoughDataError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.apart import Policy as Apart
from intel_ml.intelligence.policy.protocol import MAINTAIN, Choices, Expects, Policy
from tests.intelligence.policy import worlds

RATIOS = (0.3, 1.0, 3.3)
KINDS = {
    "ridge": lambda: make_policy("ridge", alpha=0.1),
    "vw": lambda: make_policy("vw", exploration="regcb"),
    "response": lambda: make_policy("response"),
}
each = pytest.mark.parametrize("kind", KINDS)


def _of(*accounts: str) -> States:
    rows: list[dict[str, Value]] = [
        {"cpa_ratio": one, "roas": 4 / one, "frequency": 2.0, "learning_phase": "ACTIVE"}
        for one in RATIOS
    ]
    entities = [
        Entity(AdAccountId(account), EntityType.ADSET, EntityId(f"{account}-{at}"))
        for account in accounts
        for at in range(len(rows))
    ]
    return states_of(rows * len(accounts), entities=entities, moments=[worlds.NOW] * len(entities))


def _asked(policy: Policy, *accounts: str) -> Choices:
    states = _of(*accounts)
    keys = [entity.id for entity in states.entities]
    return policy.choose(states, allowed=np.ones((len(states), len(ARMS)), dtype=bool), keys=keys)


def _log(account: str, rows: int, *, seed: int, shares: bool = False) -> pd.DataFrame:
    return worlds.log(rows, seed=seed).assign(ad_account_id=account, share_learning=shares)


@each
@settings(max_examples=5, deadline=None)
@given(rows=st.integers(1, 60), seed=st.integers(0, 1000), scale=st.floats(-1000, 1000))
def test_what_an_account_keeps_to_itself_changes_no_bit_of_anothers_choices(
    kind: str, rows: int, seed: int, scale: float
) -> None:
    private = _log("act_7", rows, seed=seed)
    private = private.assign(
        reward=private["reward"] * scale, state_cpa_ratio=private["state_cpa_ratio"] * abs(scale)
    )
    shared = [_log(f"act_{k}", 50, seed=k, shares=True) for k in (1, 2)]
    other = _log("act_8", 50, seed=8)
    with_it = Apart(KINDS[kind]()).fit(pd.concat([*shared, other, private]))
    without = Apart(KINDS[kind]()).fit(pd.concat([*shared, other]))
    everyone = ("act_1", "act_2", "act_8", "act_9")
    assert (_asked(with_it, *everyone).pmf == _asked(without, *everyone).pmf).all()


@each
def test_an_account_of_its_own_has_the_policy_it_would_have_alone(kind: str) -> None:
    mine, other = _log("act_7", 120, seed=9), _log("act_8", 90, seed=4)
    apart, alone = Apart(KINDS[kind]()).fit(pd.concat([mine, other])), KINDS[kind]().fit(mine)
    assert (_asked(apart, "act_7").pmf == _asked(alone, "act_7").pmf).all()
    assert (apart.name, apart.entity_types) == (alone.name, alone.entity_types)
    told = apart.explain(_of("act_7"), 0, Arm.PAUSE)
    assert [one.text for one in told] == [
        one.text for one in alone.explain(_of("act_7"), 0, Arm.PAUSE)
    ]


def test_accounts_that_share_learn_as_one_and_a_new_one_starts_there() -> None:
    logs = [_log(f"act_{k}", 60, seed=k, shares=True) for k in (1, 2)]
    policy = Apart(make_policy("ridge", alpha=0.1), sharing=["act_new"]).fit(pd.concat(logs))
    together = make_policy("ridge", alpha=0.1).fit(pd.concat(logs))
    for account in ("act_1", "act_2", "act_new"):
        assert (_asked(policy, account).pmf == _asked(together, account).pmf).all()
    assert (_asked(policy, "act_stranger").greedy == MAINTAIN).all()


def test_rows_of_many_accounts_are_answered_as_if_each_was_asked_alone() -> None:
    logs = [_log(f"act_{k}", 60, seed=k) for k in (1, 2)]
    policy = Apart(make_policy("ridge", alpha=0.1)).fit(pd.concat(logs))
    both = _asked(policy, "act_1", "act_2")
    alone = [_asked(policy, name) for name in ("act_1", "act_2")]
    assert (both.pmf == np.vstack([one.pmf for one in alone])).all()
    assert (both.arms == np.concatenate([one.arms for one in alone])).all()


@each
def test_it_is_saved_and_loaded_to_the_last_bit(kind: str, tmp_path: Path) -> None:
    logs = [_log("act_1", 60, seed=1, shares=True), _log("act_2", 60, seed=2)]
    policy = Apart(KINDS[kind](), sharing=["act_3"]).fit(pd.concat(logs))
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    everyone = ("act_1", "act_2", "act_3", "act_9")
    assert (_asked(policy, *everyone).pmf == _asked(again, *everyone).pmf).all()
    assert isinstance(again, Expects) == isinstance(KINDS[kind](), Expects)


def test_an_account_without_an_outcome_stays_unlearned_and_stops_nobody() -> None:
    silent = _log("act_2", 30, seed=2).assign(reward=np.nan)
    policy = Apart(make_policy("ridge")).fit(pd.concat([_log("act_1", 60, seed=1), silent]))
    assert (_asked(policy, "act_2").greedy == MAINTAIN).all()
    assert not (_asked(policy, "act_1").greedy == MAINTAIN).all()
    with pytest.raises(NotEnoughDataError):
        Apart(make_policy("ridge")).fit(silent)


def test_an_account_that_changes_whether_it_shares_is_refused_until_all_is_learned_anew() -> None:
    log = _log("act_1", 60, seed=1, shares=True)
    policy = Apart(make_policy("ridge")).fit(log)
    with pytest.raises(InvalidValueError, match="Fit anew"):
        policy.learn(log.assign(share_learning=False))
    assert policy.fit(log.assign(share_learning=False)).features


def test_an_incomplete_folder_is_refused(tmp_path: Path) -> None:
    Apart(make_policy("ridge")).fit(_log("act_1", 60, seed=1)).save(tmp_path)
    (tmp_path / "own" / "0" / "policy.json").unlink()
    with pytest.raises(ModelRefusedError):
        load_policy(tmp_path)
    with pytest.raises(InvalidValueError, match="load_policy"):
        Apart.load(tmp_path)
