"""Every policy learns from logs nobody would wish for, or says which field is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, MissingColumnsError, NotEnoughDataError
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.protocol import Policy
from tests.intelligence.policy import worlds
from tests.intelligence.policy.test_every_policy import EVERY, KEYS, LEARNERS, MAKE, STATES

#: Those that learn from rewards; others learn from verdicts, or from what money bought.
BY_REWARD = [name for name in LEARNERS if name.startswith(("ridge", "sharing", "vw"))]
BY_ARMS = [*BY_REWARD, "imitation"]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def _sometimes(log: pd.DataFrame, name: str, odd: object, *, every: int = 4) -> pd.DataFrame:
    return log.assign(
        **{name: log[name].astype(object).where(np.arange(len(log)) % every > 0, odd)}
    )


def _all(log: pd.DataFrame, name: str, odd: object) -> pd.DataFrame:
    return log.assign(**{name: [odd] * len(log)})


#: What a log may be like and still teach.
BEARABLE: dict[str, Change] = {
    "rows twice": lambda log: pd.concat([log, log]),
    "one index for all": lambda log: log.set_index(np.zeros(len(log), dtype=int)),
    "the newest first": lambda log: log.iloc[::-1],
    "numbers as objects": lambda log: _sometimes(log, "state_cpa_ratio", None),
    "numbers with NA": lambda log: _sometimes(log, "state_cpa_ratio", pd.NA),
    "nullable numbers": lambda log: log.assign(reward=log["reward"].astype("Float64")),
    "nullable whole numbers": lambda log: log.assign(
        state_frequency=log["state_frequency"].round().astype("Int64")
    ),
    "yes and no": lambda log: log.assign(state_frequency=log["state_frequency"] > 3),
    "categories": lambda log: log.assign(
        executed=log["executed"].astype("category"),
        state_learning_phase=log["state_learning_phase"].astype("category"),
    ),
    "words of pandas": lambda log: log.assign(executed=log["executed"].astype("string")),
    "words nobody knows": lambda log: _all(log, "state_learning_phase", "AFTERLIFE"),
    "a word that is a number": lambda log: _all(log, "state_learning_phase", 1.0),
    "arms nobody knows": lambda log: _sometimes(log, "executed", "explode"),
    "arms unknown": lambda log: _sometimes(log, "executed", None),
    "hardly ever done": lambda log: log.assign(p_executed=1e-300),
    "rewards all the same": lambda log: log.assign(reward=5.0),
    "rewards below zero": lambda log: log.assign(reward=log["reward"] - 1e9),
    "huge rewards": lambda log: log.assign(reward=log["reward"] * 1e100),
    "tiny rewards": lambda log: log.assign(reward=log["reward"] * 1e-100),
    "a jackpot": lambda log: log.assign(reward=log["reward"].where(np.arange(len(log)) > 0, 1e15)),
    "tiny features": lambda log: log.assign(state_cpa_ratio=log["state_cpa_ratio"] * 1e-6),
    "huge features": lambda log: log.assign(state_cpa_ratio=log["state_cpa_ratio"] * 1e300),
    "a constant feature": lambda log: log.assign(state_cpa_ratio=0.1),
    "a feature twice": lambda log: log.assign(state_roas=log["state_cpa_ratio"]),
    "a feature never known": lambda log: log.assign(state_cpa_ratio=np.nan),
    "a feature of next year": lambda log: log.assign(state_of_mind=1.0),
    "nothing spent, no target": lambda log: log.assign(
        reward_earned=log["reward"], state_spend=0.0, state_conversions=0.0, state_target_cpa=0.0
    ),
    "another zone": lambda log: log.assign(
        as_of=pd.to_datetime(log["as_of"], utc=True).dt.tz_convert("Pacific/Kiritimati")
    ),
    "no zone": lambda log: log.assign(
        as_of=pd.to_datetime(log["as_of"], utc=True).dt.tz_localize(None)
    ),
    "moments unknown": lambda log: log.assign(
        as_of=pd.to_datetime(log["as_of"], utc=True).where(np.arange(len(log)) % 3 > 0)
    ),
    "nobody says who shares": lambda log: _all(log, "share_learning", None),
    "accounts unknown": lambda log: _sometimes(log, "ad_account_id", None),
}


@pytest.mark.parametrize("name", LEARNERS)
@settings(max_examples=6, deadline=None)
@given(
    changes=st.lists(st.sampled_from(sorted(BEARABLE)), min_size=1, max_size=3, unique=True),
    rows=st.integers(30, 80),
    seed=st.integers(0, 1000),
)
def test_what_a_log_may_be_like_and_still_teach(
    name: str, changes: list[str], rows: int, seed: int
) -> None:
    log = worlds.judged(rows, seed=seed)
    for change in changes:
        log = BEARABLE[change](log)
    before = log.copy()
    policy = MAKE[name]().fit(log)
    pd.testing.assert_frame_equal(log, before)
    found = policy.choose(STATES, allowed=EVERY, keys=KEYS)
    assert np.isfinite(found.pmf).all()
    assert np.allclose(found.pmf.sum(axis=1), 1)
    assert (found.pmf > 0).all()
    assert np.isfinite(found.confidence).all()
    for row in range(3):
        alone = policy.choose(STATES.take([row]), allowed=EVERY[:1], keys=[KEYS[row]])
        assert np.allclose(alone.pmf[0], found.pmf[row], rtol=1e-6, atol=1e-9)
    assert policy.explain(STATES, 0, Arm.PAUSE)


@pytest.mark.parametrize("change", BEARABLE.values(), ids=BEARABLE)
@pytest.mark.parametrize("name", ["ridge", "sharing"])
def test_what_was_learned_from_it_is_saved_to_the_last_bit(
    name: str, change: Change, tmp_path: Path
) -> None:
    policy = MAKE[name]().fit(change(worlds.judged(60)))
    policy.save(tmp_path)
    found, again = (
        one.choose(STATES, allowed=EVERY, keys=KEYS) for one in (policy, load_policy(tmp_path))
    )
    assert (found.pmf == again.pmf).all()


@pytest.mark.parametrize("name", BY_REWARD)
@pytest.mark.parametrize("odd", [0.0, -0.1, 1.5, np.nan, None, np.inf])
def test_a_probability_that_cannot_be_is_refused_by_name(name: str, odd: float | None) -> None:
    log = _sometimes(worlds.log(40), "p_executed", odd)
    with pytest.raises(InvalidValueError, match="p_executed: 10 of 40"):
        MAKE[name]().fit(log)


@pytest.mark.parametrize("name", BY_REWARD)
def test_without_the_column_all_decisions_weigh_alike(name: str) -> None:
    log = worlds.log(80)
    found = [
        MAKE[name]().fit(one).choose(STATES, allowed=EVERY, keys=KEYS)
        for one in (log.drop(columns="p_executed"), log.assign(p_executed=0.25))
    ]
    assert np.allclose(found[0].pmf, found[1].pmf)


@pytest.mark.parametrize("name", BY_ARMS)
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda log: _all(log, "reward", "good"), "reward"),
        (lambda log: _all(log, "state_cpa_ratio", "dear"), "features.cpa_ratio"),
        (lambda log: _all(log, "entity_type", "spaceship"), "entity_type"),
        (lambda log: _all(log, "entity_type", None), "entity_type"),
    ],
)
def test_words_where_none_belong_are_refused_by_name(name: str, change: Change, field: str) -> None:
    with pytest.raises(InvalidValueError, match=field):
        MAKE[name]().fit(change(worlds.judged(40)))


@pytest.mark.parametrize("name", BY_ARMS)
def test_a_log_without_states_or_arms_is_refused_with_what_it_lacks(name: str) -> None:
    log = worlds.judged(40)
    with pytest.raises(MissingColumnsError, match="state_"):
        MAKE[name]().fit(log[[c for c in log if not c.startswith("state_")]])
    with pytest.raises(MissingColumnsError, match="executed"):
        MAKE[name]().fit(log.drop(columns="executed"))
    with pytest.raises(NotEnoughDataError):
        MAKE[name]().fit(log.head(0))


@pytest.mark.parametrize("name", LEARNERS)
def test_one_decision_is_enough_to_begin_with(name: str) -> None:
    found = MAKE[name]().fit(worlds.judged(1)).choose(STATES, allowed=EVERY, keys=KEYS)
    assert np.isfinite(found.pmf).all()


def _pmf(policy: Policy) -> np.ndarray:
    return policy.choose(STATES, allowed=EVERY, keys=KEYS).pmf


@pytest.mark.parametrize("name", [one for one in BY_REWARD if one.startswith(("ridge", "sharing"))])
@settings(max_examples=5, deadline=None)
@given(
    times=st.sampled_from([1e-6, 1e-3, 7.0, 1e6]),
    plus=st.sampled_from([-1e6, 0.0, 3.0]),
    unit=st.sampled_from([1e-6, 3.0, 1e9]),
)
def test_units_of_rewards_and_of_features_do_not_matter(
    name: str, times: float, plus: float, unit: float
) -> None:
    log = worlds.log(80)
    spread = times * float(log["reward"].std())
    # Nothing is left of a reward that rounding swallows.
    shifted = plus if abs(plus) < 1e6 * spread else 0.0
    one = MAKE[name]().fit(log)
    other = MAKE[name]().fit(
        log.assign(
            reward=log["reward"] * times + shifted,
            state_frequency=log["state_frequency"] * unit,
        )
    )
    asked = [STATES.state(row) for row in range(3)]
    scaled = [
        row | {"frequency": None if row["frequency"] is None else row["frequency"] * unit}
        for row in asked
    ]
    found = other.choose(worlds.states(scaled), allowed=EVERY, keys=KEYS).pmf
    assert np.allclose(found, _pmf(one), atol=1e-4)


def test_once_the_units_are_fixed_the_order_of_later_parts_does_not_matter() -> None:
    log = worlds.log(400)
    one, other, whole = (make_policy("ridge", alpha=0.1).fit(log.head(200)) for _ in range(3))
    one.learn(log.iloc[200:300]).learn(log.iloc[300:])
    other.learn(log.iloc[300:]).learn(log.iloc[200:300])
    whole.learn(log.iloc[200:])
    assert np.allclose(_pmf(one), _pmf(other), atol=1e-6)
    assert np.allclose(_pmf(one), _pmf(whole), atol=1e-6)


@pytest.mark.parametrize("arm", ARMS)
def test_a_log_of_one_arm_teaches_nothing_about_the_others_but_what_is_usual(arm: Arm) -> None:
    log = worlds.log(60).assign(executed=arm.value)
    for name in ("ridge", "sharing", "vw, SquareCB"):
        assert np.isfinite(_pmf(MAKE[name]().fit(log))).all()
