"""Which policy is made: the plainest the log can't tell from the best, and why, in words."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError, MissingColumnsError, NotEnoughDataError
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.selected import Basis, Gap
from intel_ml.learning.selection import plainest, select, standard_error
from intel_ml.learning.unseen import Plan
from tests.intelligence.policy import worlds
from tests.learning import logs

NUMBERS = st.lists(st.floats(-10, 10), min_size=4, max_size=24)


def _ridge(**given: float) -> Policy:
    return make_policy("ridge", features=["cpa_ratio"], **given)


@given(values=NUMBERS)
def test_where_each_decision_stands_alone_it_is_the_usual_error_of_a_mean(
    values: list[float],
) -> None:
    numbers = np.array(values)
    usual = numbers.std(ddof=1) / math.sqrt(len(numbers))
    assert standard_error(numbers, np.arange(len(numbers))) == pytest.approx(usual)


@given(values=NUMBERS, times=st.integers(2, 5))
def test_saying_the_same_again_about_an_entity_makes_nothing_surer(
    values: list[float], times: int
) -> None:
    once = np.array(values)
    alone = standard_error(once, np.arange(len(once)))
    again = np.repeat(once, times)
    assert standard_error(again, np.repeat(np.arange(len(once)), times)) == pytest.approx(alone)
    assert standard_error(again, np.arange(len(again))) <= alone + 1e-12


@given(
    values=st.lists(st.lists(st.floats(-5, 5), min_size=6, max_size=6), min_size=1, max_size=6),
    shift=st.floats(-100, 100),
)
def test_the_first_listed_within_one_error_of_the_best_is_taken(
    values: list[list[float]], shift: float
) -> None:
    found = {f"c{at}": np.array(one) for at, one in enumerate(values)}
    groups = np.array([0, 0, 1, 1, 2, 2])
    chosen, best, behind = plainest(found, groups)
    names = list(found)
    assert found[best].mean() == max(one.mean() for one in found.values())
    assert behind[best] == Gap(0.0, 0.0)
    assert behind[chosen].is_within_one_error
    assert not any(behind[name].is_within_one_error for name in names[: names.index(chosen)])
    assert names.index(chosen) <= names.index(best)
    moved = {name: one + shift for name, one in found.items()}
    assert plainest(moved, groups)[2][best].value == pytest.approx(0.0, abs=1e-9)


def test_one_that_earns_clearly_more_is_taken_wherever_it_stands() -> None:
    log = logs.over_time(600)
    for order in (["chance", "ridge"], ["ridge", "chance"]):
        made = {"chance": make_policy("uniform"), "ridge": _ridge()}
        found = select({name: made[name] for name in order}, log)
        assert (found.chosen, found.basis) == ("ridge", Basis.BEST)
        [chance] = [one for one in found.candidates if one.name == "chance"]
        assert chance.behind is not None
        assert not chance.behind.is_within_one_error
        assert found.policy.features == ("cpa_ratio",)
        assert found.why.startswith("ridge is taken: it earned most on ")


def test_of_two_that_earn_alike_the_one_listed_first_is_taken_and_the_worse_is_left() -> None:
    log = logs.over_time(600, noise=20.0)
    made = {"chance": make_policy("uniform"), "one": _ridge(), "other": _ridge(penalty=1.5)}
    found = [
        select({name: made[name] for name in order}, log)
        for order in (["chance", "one", "other"], ["chance", "other", "one"])
    ]
    assert [one.chosen for one in found] == ["one", "other"]
    assert {one.basis for one in found} == {Basis.BEST, Basis.PLAINER}
    [plainer] = [one for one in found if one.basis is Basis.PLAINER]
    assert f"{plainer.chosen}, listed before it, only" in plainer.why


def test_of_twins_the_first_listed_is_kept_and_it_says_that_nothing_was_told_apart() -> None:
    made = {"a": _ridge(), "b": _ridge(), "c": make_policy("sharing", features=["cpa_ratio"])}
    found = select(made, logs.over_time(600))
    assert (found.chosen, found.basis) == ("a", Basis.TIED)
    assert "Too little was seen to tell them apart, so the first listed is kept" in found.why


def test_a_candidate_the_log_cannot_speak_for_is_refused_and_nothing_rests_on_it() -> None:
    log = logs.hardly_anything_tried(300)
    found = select({"ridge": _ridge(), "bent": _ridge(landmarks=20)}, log)
    assert (found.chosen, found.basis) == ("ridge", Basis.UNTOLD)
    assert "the log speaks for none of them" in found.why
    assert all("the log cannot speak for it" in one.refused for one in found.candidates)
    assert all(one.behind is None for one in found.candidates)
    rules = select({"ridge": _ridge(), "rules": make_policy("rules", floor=0.01)}, log)
    assert (rules.chosen, rules.basis) == ("ridge", Basis.UNTOLD)
    assert rules.candidates[1].is_supported
    assert "the log speaks for rules alone" in rules.why


@pytest.mark.parametrize("rows", [1, 2, 9, 20, 32])
def test_with_little_the_first_listed_is_kept_in_words(rows: int) -> None:
    found = select({"ridge": _ridge(), "chance": make_policy("uniform")}, logs.over_time(rows))
    assert (found.chosen, found.basis, found.decisions) == ("ridge", Basis.UNTOLD, 0)
    assert re.search(r"\d+ decisions were measured to compare on, 20 are needed", found.why)
    assert found.done is None
    assert all(one.value is None for one in found.candidates)


def test_without_a_measured_row_it_says_what_is_missing() -> None:
    log = logs.over_time(30)
    made = {"ridge": _ridge(), "chance": make_policy("uniform")}
    for empty in (log.head(0), log.assign(reward=np.nan)):
        with pytest.raises(NotEnoughDataError, match="measured outcomes to learn from: need 1"):
            select(made, empty)
    with pytest.raises(MissingColumnsError, match="as_of"):
        select(made, log.drop(columns="as_of"))
    with pytest.raises(InvalidValueError, match="none to choose from"):
        select({}, log)


def test_decisions_about_one_entity_alone_compare_nothing() -> None:
    log = logs.over_time(100).assign(entity_id="1")
    found = select({"ridge": _ridge(), "chance": make_policy("uniform")}, log)
    assert found.basis is Basis.UNTOLD
    assert "entities with a reward: need 2" in found.why


def test_one_that_cannot_learn_is_named_and_left_out() -> None:
    made = {"broken": logs.Broken(), "chance": make_policy("uniform"), "ridge": _ridge()}
    found = select(made, logs.over_time(600))
    assert found.chosen == "ridge"
    assert found.candidates[0].trouble == "it divides by nothing"
    assert "broken: could not learn: it divides by nothing" in found.sentences
    few = select(made, logs.over_time(12))
    assert (few.chosen, few.basis) == ("chance", Basis.UNTOLD)
    assert "the first that could learn" in few.why


def test_one_that_cannot_learn_from_everything_gives_way_to_the_next() -> None:
    log = logs.over_time(300)
    made = {"late": logs.Broken(most=250), "chance": make_policy("uniform"), "ridge": _ridge()}
    found = select({name: made[name] for name in ("late", "chance")}, log)
    assert found.candidates[0].value is not None, "it was compared"
    assert found.chosen == "chance"
    assert found.candidates[0].refused == "could not learn: it divides by nothing"


def test_if_none_can_learn_all_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"none could learn: a: .*; b: it divides"):
        select({"a": logs.Broken(), "b": logs.Broken()}, logs.over_time(100))


def test_the_only_candidate_is_made_without_a_comparison() -> None:
    found = select({"ridge": _ridge()}, logs.over_time(100))
    assert found.why == "ridge is taken: it is the only candidate."


def test_what_was_handed_in_stays_unlearned_and_the_same_is_found_again() -> None:
    log = logs.over_time(200)
    made = {"ridge": _ridge(seed=3), "vw": make_policy("vw", features=["cpa_ratio"], seed=3)}
    first, second = select(made, log), select(made, log)
    assert first.evidence == second.evidence
    new = worlds.states([{"cpa_ratio": 3.3}])
    asked = {"allowed": np.ones((1, len(ARMS)), dtype=bool), "keys": ["k"]}
    for name, policy in made.items():
        untouched = policy.choose(new, **asked).pmf
        assert (untouched == make_policy(policy.name, seed=3).choose(new, **asked).pmf).all(), name
    taken = made[first.chosen].fit(log).choose(new, **asked).pmf
    assert (first.policy.choose(new, **asked).pmf == taken).all(), "made from the whole log"


@settings(max_examples=6, deadline=None)
@given(name=st.text(min_size=1, max_size=12), rows=st.sampled_from([5, 40, 90]))
def test_everything_kept_is_plain_json_and_every_metric_has_a_name_mlflow_takes(
    name: str, rows: int
) -> None:
    made = {name: _ridge(), f"{name} 2": make_policy("uniform"), f"{name} 3": logs.Broken()}
    found = select(made, logs.over_time(rows))
    assert json.loads(json.dumps(found.evidence, allow_nan=False)) == found.evidence
    assert all(re.fullmatch(r"[\w./: -]+", key) for key in found.numbers)
    assert all(one is None or math.isfinite(one) for one in found.numbers.values())
    assert found.evidence["chosen"] in made
    assert len(found.evidence["told"]) == 1 + len(made)


@pytest.mark.parametrize(("share", "steps"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_a_plan_that_judges_nothing_is_refused(share: float, steps: int) -> None:
    with pytest.raises(InvalidValueError):
        Plan(share=share, steps=steps)
