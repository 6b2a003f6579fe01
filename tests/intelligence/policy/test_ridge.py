from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence.policy import ridge
from tests.intelligence.policy import worlds

CLEAR = worlds.states([{"cpa_ratio": r, "roas": 4 / r} for r in (4.0, 0.3, 1.2)])
EVERY = np.ones((3, 6), dtype=bool)


@pytest.mark.parametrize("fourier", [0, 60])
def test_it_finds_the_best_arm_of_each_context(fourier: int) -> None:
    policy = ridge.Policy(fourier=fourier).fit(worlds.log(1500))
    found = policy.choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert [ARMS[a] for a in found.greedy] == [Arm.PAUSE, Arm.SCALE_20, Arm.MAINTAIN]
    assert found.confidence[:2].min() > 0.8


def test_the_promised_ten_lines_work() -> None:
    log = worlds.log(200)
    mine = ridge.Policy(alpha=0.1, features=["cpa_ratio", "roas", "frequency", "ctr_trend_7d"]).fit(
        log
    )
    assert mine.features == ("cpa_ratio", "roas", "frequency", "ctr_trend_7d")


def test_learning_in_parts_is_learning_at_once() -> None:
    log = worlds.log(300)
    whole, parts = ridge.Policy(), ridge.Policy()
    # The same first rows fix the same scaling; the rest comes one by one, by Sherman-Morrison.
    whole.learn(log.iloc[:280]).learn(log.iloc[280:])
    parts.learn(log.iloc[:280])
    for row in range(280, 300):
        parts.learn(log.iloc[[row]])
    assert np.allclose(whole.values(CLEAR), parts.values(CLEAR))
    assert whole.counts == parts.counts


def test_fitting_again_forgets() -> None:
    log = worlds.log(200)
    policy = ridge.Policy().fit(log)
    first = policy.values(CLEAR)
    assert (policy.fit(log).values(CLEAR) == first).all()


def test_the_order_of_the_log_does_not_matter() -> None:
    log = worlds.log(300)
    shuffled = log.sample(frac=1, random_state=1)
    assert np.allclose(
        ridge.Policy().fit(log).values(CLEAR), ridge.Policy().fit(shuffled).values(CLEAR)
    )


def test_values_are_in_the_rewards_own_unit_and_follow_it() -> None:
    log = worlds.log(800)
    first = ridge.Policy().fit(log).values(CLEAR)
    dearer = ridge.Policy().fit(log.assign(reward=100 * log["reward"] + 7)).values(CLEAR)
    assert np.allclose(dearer, 100 * first + 7)


def test_an_arm_nobody_tried_is_worth_what_arms_are_usually_worth() -> None:
    log = worlds.log(1000)
    log = log[log["executed"].isin(["maintain", "reduce_20"])].assign(reward=50.0)
    log.loc[log.index[:5], "reward"] = 49.0
    values = ridge.Policy().fit(log).values(CLEAR)
    assert np.allclose(values, 50, atol=1.5)


def test_optimism_prefers_the_untried() -> None:
    log = worlds.log(600)
    log = log[log["executed"] != "scale_10"].assign(reward=lambda f: np.arange(len(f)) % 3)
    brave = ridge.Policy(alpha=5.0).fit(log).choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert [ARMS[a] for a in brave.greedy] == [Arm.SCALE_10] * 3


def test_more_data_makes_it_surer() -> None:
    few = ridge.Policy().fit(worlds.log(60)).choose(CLEAR, allowed=EVERY, keys=list("abc"))
    many = ridge.Policy().fit(worlds.log(3000)).choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert many.confidence[0] > few.confidence[0]


def test_one_jackpot_does_not_rule() -> None:
    log = worlds.log(600)
    log.loc[log.index[log["executed"] == "reduce_20"][0], "reward"] = 1e9
    found = ridge.Policy().fit(log).choose(CLEAR, allowed=EVERY, keys=list("abc"))
    assert ARMS[found.greedy[0]] is Arm.PAUSE


def test_rows_without_a_reward_do_not_teach() -> None:
    log = worlds.log(300)
    holed = log.assign(reward=log["reward"].where(log.index < 200))
    assert sum(ridge.Policy().fit(holed).counts.values()) == 200
    with pytest.raises(NotEnoughDataError):
        ridge.Policy().fit(log.assign(reward=np.nan))


def test_it_says_the_plans_sentence_with_its_contribution() -> None:
    policy = ridge.Policy().fit(worlds.log(1000))
    first = policy.explain(CLEAR, 0, Arm.PAUSE)[0]
    assert first.text == "CPA is 300% above target"
    assert first.field == "cpa_ratio"
    assert first.observed == 4.0
    assert first.contribution is not None
    assert first.contribution > 0


def test_a_cautious_policy_does_not_bet_on_an_arm_it_has_hardly_seen() -> None:
    log = worlds.log(600)
    log = log[log["executed"] != "reduce_20"]
    lucky = log.head(1).assign(executed="reduce_20", reward=float(log["reward"].max()))
    log = pd.concat([log, lucky], ignore_index=True)
    bold = ridge.Policy(alpha=3.0).fit(log)
    careful = ridge.Policy(alpha=0.0, caution=3.0).fit(log)
    keys = list("abc")
    seldom = ARMS.index(Arm.REDUCE_20)
    chance = [p.choose(CLEAR, allowed=EVERY, keys=keys).pmf[:, seldom] for p in (bold, careful)]
    assert (chance[1] <= chance[0]).all()
    assert seldom not in careful.choose(CLEAR, allowed=EVERY, keys=keys).greedy


def test_it_says_which_levels_it_learned_from_and_remembers_it(tmp_path: Path) -> None:
    policy = ridge.Policy()
    assert policy.entity_types == ()
    policy.fit(worlds.log(100).assign(entity_type="adset"))
    policy.save(tmp_path)
    assert policy.entity_types == ridge.Policy.load(tmp_path).entity_types == ("adset",)
