"""A policy is judged on what came after what it learned from, and only where it may be asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy, uniform
from intel_ml.intelligence.policy.protocol import Choices
from intel_ml.learning.unseen import Plan, earned, steps_of
from tests.intelligence.policy import worlds
from tests.learning import logs


class Watching(uniform.Policy):
    """Notes until when it learned and from when on it is asked, in lists its copies share."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[pd.Timestamp, pd.Timestamp]] = []
        self.until = pd.Timestamp.min

    def __deepcopy__(self, memo: object) -> Watching:
        copied = Watching()
        copied.seen = self.seen
        return copied

    def fit(self, log: pd.DataFrame) -> Watching:
        self.until = log["as_of"].max()
        return self

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        self.seen.append((self.until, min(states.moments)))
        return super().choose(states, allowed=allowed, keys=keys)


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(60, 200), share=st.floats(0.4, 0.9), steps=st.integers(1, 5))
def test_nothing_is_judged_by_who_could_have_seen_it_and_everything_once(
    rows: int, share: float, steps: int
) -> None:
    log = logs.over_time(rows)
    found = steps_of(log, Plan(share=share, steps=steps))
    judged = [when for step in found.each for when in step.judged["as_of"]]
    newest = log["as_of"].iloc[-len(judged) :]
    assert judged == list(newest), "the newest, each once, in their order"
    assert len(found) == len(judged) == pytest.approx(share * rows, abs=2)
    watching = Watching()
    earned(watching, found)
    assert watching.seen
    assert all(until < first for until, first in watching.seen)


def test_decisions_of_one_moment_stay_together() -> None:
    log = logs.over_time(120)
    log["as_of"] = log["as_of"].dt.floor("24h")
    found = steps_of(log, Plan())
    for step in found.each:
        assert step.before["as_of"].max() < step.judged["as_of"].min()


def test_chance_earns_what_chance_earned() -> None:
    log = logs.over_time(500)
    found = earned(make_policy("uniform"), steps_of(log, Plan()))
    alike = log["reward"].iloc[-len(found.by_decision) :]
    assert found.by_decision.mean() == pytest.approx(alike.mean(), abs=1.0)
    assert found.covered == pytest.approx(1.0)


def test_the_value_is_what_the_policy_would_earn() -> None:
    """An interval of 99.9 % around it covers the truth, which is known here."""
    log = logs.over_time(800)
    steps = steps_of(log, Plan(share=0.5, steps=1))
    policy = make_policy("ridge", features=["cpa_ratio"])
    found = earned(policy, steps).by_decision
    [step] = steps.each
    pmf = policy.fit(step.before).choose(
        worlds.states([{"cpa_ratio": one} for one in step.judged["state_cpa_ratio"]]),
        allowed=np.ones((len(step.judged), 6), dtype=bool),
        keys=list(step.judged["decision_id"]),
    )
    truth = np.mean(
        [
            sum(p * worlds.value_of(x, arm) for p, arm in zip(row, worlds.ARMS, strict=True))
            for row, x in zip(pmf.pmf, step.judged["state_cpa_ratio"], strict=True)
        ]
    )
    assert abs(found.mean() - truth) < 3.3 * found.std() / np.sqrt(len(found))


def test_where_a_policy_may_not_be_asked_what_was_done_goes_on() -> None:
    log = logs.over_time(200)
    log["entity_type"] = np.where(np.arange(200) % 2 == 0, "campaign", "adset")
    steps = steps_of(log, Plan())
    found = earned(make_policy("response"), steps)
    is_campaign = np.concatenate([s.judged["entity_type"] == "campaign" for s in steps.each])
    assert found.levels == ("adset",)
    assert (found.by_decision[is_campaign] == steps.rewards[is_campaign]).all()
    assert not (found.by_decision[~is_campaign] == steps.rewards[~is_campaign]).all()
    assert found.logged is not None
    assert len(found.logged) == (~is_campaign).sum()
    nowhere = earned(make_policy("response"), steps_of(log.assign(entity_type="ad"), Plan()))
    assert nowhere.logged is None
    assert (nowhere.by_decision == steps.rewards).all()


def test_too_few_to_compare_are_counted() -> None:
    found = steps_of(logs.over_time(25), Plan())
    assert (len(found), found.each) == (0, ())
    assert found.problem == "15 decisions were measured to compare on, 20 are needed"
