"""The log policies learn from: its columns are a promise, and nothing unknown is filled in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import UnknownNameError
from intel_ml.data.store.sessions import Store
from intel_ml.features.catalogue import Role, names
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.evaluation.replay import states_of_log
from intel_ml.learning.gates import read_model
from intel_ml.learning.training import COLUMNS, new_policies, new_policy, training_log
from tests import history
from tests.intelligence.policy import worlds

PROJECT = Path(__file__).parents[2]
POLICY = read_model(PROJECT / "models" / "campaign-policy")
FEATURES = ("cpa_ratio", "roas", "frequency", "learning_phase")
FEW = POLICY.model_copy(
    update={"training": POLICY.training.model_copy(update={"features": FEATURES})}
)


@pytest.fixture
def learned(store: Store) -> Store:
    history.write_history(store)
    for one in history.ACCOUNTS:
        history.write_decisions(store, one, days=8)
        history.learn_from(store, one, days=8)
    return store


def _log(store: Store, account: str | None = None, days: int | None = None) -> pd.DataFrame:
    with store.connection() as connection:
        return training_log(connection, account=account, days=days, now=history.NOW)


def test_an_empty_log_has_every_column(store: Store) -> None:
    log = _log(store)
    assert len(log) == 0
    promised = {*COLUMNS, *(f"pmf_{arm}" for arm in ARMS)}
    assert promised | {f"state_{n}" for n in names(role=Role.STATE)} <= set(log.columns)


def test_the_log_is_what_was_asked_for_oldest_first(learned: Store) -> None:
    everything, one = _log(learned), _log(learned, "act_101")
    assert set(everything["ad_account_id"]) == {"act_101", "act_102"}
    assert set(one["ad_account_id"]) == {"act_101"}
    assert everything["as_of"].is_monotonic_increasing
    recent = _log(learned, "act_101", days=3)
    assert 0 < len(recent) < len(one)
    assert (recent["as_of"] > history.NOW - timedelta(days=3)).all()
    assert not everything["decision_id"].duplicated().any()


def test_every_probability_is_one(learned: Store) -> None:
    log = _log(learned)
    assert log["p_executed"].between(0, 1, inclusive="right").all()
    assert np.allclose(log[[f"pmf_{arm}" for arm in ARMS]].sum(axis=1), 1)
    assert set(log["executed"]) <= {arm.value for arm in ARMS}


def test_the_reward_is_the_contrast_where_it_is_known_and_what_was_earned_elsewhere(
    learned: Store,
) -> None:
    log = _log(learned)
    known = log["reward_against_holdout"].notna()
    assert known.any()
    assert (log.loc[known, "reward"] == log.loc[known, "reward_against_holdout"]).all()
    rest = log[~known & log["reward_earned"].notna()]
    assert (rest["reward"] == rest["reward_earned"]).all()
    unmeasured = log["reward_before_after"].isna()
    assert unmeasured.any(), "the newest decisions wait for their outcome"
    assert log.loc[unmeasured, "reward"].isna().all()


def test_held_out_contrasts_sum_to_about_nothing(learned: Store) -> None:
    log = _log(learned)
    held = log[log["is_held_out"] & log["reward_against_holdout"].notna()]
    assert (held["executed"] == "maintain").all()
    assert abs(held["reward_against_holdout"].mean()) < held["reward_against_holdout"].std()


def test_a_policy_learns_from_the_log_as_it_is(learned: Store) -> None:
    log = _log(learned)
    policy = make_policy("ridge", alpha=0.1, features=["cpa_ratio", "roas", "frequency"]).fit(log)
    assert policy.features == ("cpa_ratio", "roas", "frequency")


def test_the_policies_of_a_model_come_in_its_order_and_one_by_its_name() -> None:
    made = new_policies(POLICY, seed=4, sharing=[])
    assert list(made) == [one.name for one in POLICY.training.considered]
    assert new_policy(POLICY, seed=4, sharing=[]).name == next(iter(made.values())).name
    named = new_policy(POLICY, seed=4, sharing=[], candidate="vw-regcb")
    assert named.name == "vw"
    with pytest.raises(UnknownNameError, match="Did you mean 'vw-regcb'"):
        new_policy(POLICY, seed=4, sharing=[], candidate="vw-regcv")


@pytest.mark.parametrize("name", [one.name for one in POLICY.training.considered])
def test_no_candidate_lets_an_account_learn_from_one_that_does_not_share(name: str) -> None:
    logs = [
        worlds.log(80, seed=at).assign(ad_account_id=f"act_{at}", share_learning=at < 3)
        for at in (1, 2, 3, 4)
    ]
    private = logs[-1].assign(reward=-logs[-1]["reward"], state_roas=77.0)
    made = [
        new_policy(FEW, seed=0, sharing=["act_1", "act_2", "act_new"], candidate=name).fit(
            pd.concat(log, ignore_index=True)
        )
        for log in (logs[:-1], logs, [*logs[:-1], private])
    ]
    asked = worlds.log(12, seed=9)
    allowed, keys = np.ones((12, len(ARMS)), dtype=bool), list("abcdefghijkl")
    for account in ("act_1", "act_3", "act_new"):
        states = states_of_log(asked.assign(ad_account_id=account), FEATURES)
        without, with_it, changed = (
            one.choose(states, allowed=allowed, keys=keys).pmf for one in made
        )
        assert (without == with_it).all()
        assert (without == changed).all()
