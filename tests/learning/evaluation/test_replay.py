from __future__ import annotations

import numpy as np
import pandas as pd

from intel_ml.core.actions import ARMS
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.evaluation.replay import chances, measured, replay, units_of
from intel_ml.learning.evaluation.reward_model import online
from tests.intelligence.policy import worlds

LOG = worlds.log(300, seed=2)
POLICY = make_policy("ridge", alpha=0.1).fit(worlds.log(500))


def _only(log: pd.DataFrame, *arms: str) -> pd.DataFrame:
    frame = log.copy()
    for arm in ARMS:
        frame[f"pmf_{arm}"] = 1 / len(arms) if arm in arms else 0.0
    return frame


def test_a_policy_is_held_to_what_the_log_could_have_tried() -> None:
    found = replay(POLICY, _only(LOG, "pause", "maintain"))
    tried = np.zeros((300, 6), dtype=bool)
    tried[:, :2] = True
    tried[np.arange(300), found.logged.actions] = True
    assert (found.logged.pmf_new[~tried] == 0).all()
    assert np.allclose(found.logged.pmf_new.sum(axis=1), 1)
    assert found.supported_share < 1
    assert np.isclose(found.supported_share, (found.choices.pmf * tried).sum(axis=1).mean())


def test_a_log_that_tried_everything_supports_everything() -> None:
    assert replay(POLICY, LOG).supported_share == 1.0


def test_rows_that_cannot_judge_are_left_out_and_the_rest_is_in_order() -> None:
    log = LOG.assign(as_of=pd.date_range("2026-11-22", periods=300, freq="-1h", tz="UTC"))
    log.loc[0, "reward"] = np.nan
    log.loc[1, "p_executed"] = 1e-16
    log.loc[2, "executed"] = None
    rows = measured(log)
    assert len(rows) == 297
    assert rows["as_of"].is_monotonic_increasing


def test_chances_hold_what_was_recorded_and_are_none_where_nothing_was() -> None:
    found = chances(LOG)
    assert found is not None
    rows = np.arange(300)
    arms = [ARMS.index(arm) for arm in LOG["executed"]]
    assert np.allclose(found[rows, arms], LOG["p_executed"])
    assert ((found >= 0) & (found <= 1)).all()
    assert chances(LOG.drop(columns="pmf_pause")) is None


def test_what_is_too_unlikely_to_be_judged_has_no_chance_at_all() -> None:
    rare = LOG.assign(pmf_pause=1e-5)
    found = chances(measured(rare))
    assert found is not None
    elsewhere = (rare["executed"] != "pause").to_numpy()
    assert (found[elsewhere, 0] == 0).all()
    assert (found[:, 1] > 0).all()


def test_each_row_is_numbered_by_what_it_was_about() -> None:
    found = units_of(LOG)
    assert found is not None
    assert found.max() + 1 == LOG["entity_id"].nunique()
    two = LOG.assign(ad_account_id=np.where(np.arange(300) < 150, "act_1", "act_2"))
    other = units_of(two)
    assert other is not None
    assert other.max() + 1 == len(two[["ad_account_id", "entity_id"]].drop_duplicates())
    assert other.max() > found.max()
    assert units_of(LOG.drop(columns="entity_id")) is None


def test_the_online_model_knows_only_what_came_before() -> None:
    changed = LOG.copy()
    changed.loc[200:, "reward"] = -1e6
    first, second = online(LOG), online(changed)
    assert (first[:200] == second[:200]).all()
    assert (first[:40] == 0).all()
    assert (first[250:] != second[250:]).any()
