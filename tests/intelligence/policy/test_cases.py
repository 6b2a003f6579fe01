"""The nearest past cases: what is alike, what may be told, what is kept."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import EntityType
from intel_ml.features.states import Value
from intel_ml.intelligence.policy import case_rows, cases, context
from intel_ml.intelligence.policy.case_rows import Rows
from intel_ml.intelligence.policy.recall import NOTHING_ALIKE, Recalled
from tests.intelligence.policy.past import (
    DISTINCT,
    FEATURES,
    LONG_AGO,
    OF_DISTINCT,
    ROW,
    asked,
    log,
    remembered,
    state,
)

VALUE = st.one_of(st.none(), st.floats(-50, 50).map(lambda x: round(x, 3)))


def same(one: Rows, other: Rows) -> bool:
    return all(
        np.array_equal(
            a := getattr(one, field.name),
            getattr(other, field.name),
            equal_nan=a.dtype.kind == "f",
        )
        for field in dataclasses.fields(Rows)
    )


def likenesses(found: Recalled) -> list[float]:
    return [case.likeness for case in found.cases]


@given(seed=st.integers(0, 10), order=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_does_not_matter(seed: int, order: Any) -> None:
    frame = log(seed=seed)
    places = list(range(len(frame)))
    order.shuffle(places)
    memory, other = remembered(frame), remembered(frame.iloc[places])
    assert same(memory.rows, other.rows)
    question = asked({"cpa_ratio": 2.0, "roas": 2.0, "frequency": 3.0, "ctr_trend_7d": 0.0})
    for arm in ARMS:
        assert memory.nearest(question, 0, arm) == other.nearest(question, 0, arm)


@given(st.integers(0, 59))
@settings(max_examples=25, deadline=None)
def test_a_case_identical_to_the_question_comes_first_with_likeness_one(at: int) -> None:
    frame = DISTINCT
    found = OF_DISTINCT.nearest(asked(state(frame, at)), 0, Arm(frame["executed"].iloc[at]))
    first = found.cases[0]
    assert first.likeness == 1.0
    assert first.entity is not None
    assert first.entity.id == frame["entity_id"].iloc[at]
    assert first.reward == frame["reward"].iloc[at]
    assert likenesses(found) == sorted(likenesses(found), reverse=True)


@given(
    unit=st.sampled_from([1e-6, 0.01, 7.0, 1e6]),
    shift=st.sampled_from([0.0, -3.0]),
    row=st.fixed_dictionaries(dict.fromkeys(FEATURES[:4], VALUE)),
)
@settings(max_examples=25, deadline=None)
def test_the_unit_of_a_feature_does_not_matter(
    unit: float, shift: float, row: dict[str, Value]
) -> None:
    frame = DISTINCT
    other = remembered(frame.assign(state_roas=frame["state_roas"] * unit + shift * unit))
    roas = row["roas"]
    moved = row | {"roas": None if roas is None else (float(roas) + shift) * unit}
    for arm in (Arm.PAUSE, Arm.SCALE_20):
        ours = OF_DISTINCT.nearest(asked(row), 0, arm)
        theirs = other.nearest(asked(moved), 0, arm)
        assert likenesses(ours) == pytest.approx(likenesses(theirs), abs=1e-6)


@given(hide=st.sets(st.sampled_from(FEATURES), min_size=1), at=st.integers(0, 59))
@settings(max_examples=40, deadline=None)
def test_the_unknown_never_counts_as_alike(hide: set[str], at: int) -> None:
    whole = state(DISTINCT, at)
    told = {n: None if n in hide else v for n, v in whole.items()}
    known, hidden = (sum(v is not None for v in one.values()) for one in (told, whole))
    arm = Arm(DISTINCT["executed"].iloc[at])
    found = OF_DISTINCT.nearest(asked(told), 0, arm, k=60)
    if 2 * known < len(FEATURES):
        assert not found.cases
        assert f"only {known} of {len(FEATURES)} features are known" in found.says
        return
    of_itself = [c.likeness for c in found.cases if c.entity and c.entity.id == str(at)]
    # The same in all that both know, yet only as alike as that is of what either knows.
    assert of_itself == [pytest.approx(known / hidden)] * (known / hidden >= cases.ALIKE)


def test_what_both_do_not_know_says_nothing_of_how_alike_they_are() -> None:
    frame = log(state_frequency=np.nan, state_ctr_trend_7d=np.nan)
    found = remembered(frame).nearest(asked(state(frame, 3)), 0, Arm(frame["executed"].iloc[3]))
    assert found.cases[0].likeness == 1.0, "the same in all that is known, though much is not"


def test_two_cases_at_random_are_not_alike_in_the_mean() -> None:
    frame = log(600).drop(columns="state_learning_phase").assign(executed="pause")
    random = np.random.default_rng(1)
    memory = cases.empty(context.learned(frame, FEATURES[:4])).learned(frame)
    shelf = memory._shelves["act_1", EntityType.ADSET, Arm.PAUSE]
    values = memory.rows.features
    found = [cases._likeness(shelf, values[at])[0].mean() for at in random.integers(0, 600, 100)]
    assert np.mean(found) == pytest.approx(0.0, abs=0.1)


@given(cuts=st.sets(st.integers(1, 299), max_size=3))
@settings(max_examples=12, deadline=None)
def test_the_same_cases_are_kept_however_the_log_was_cut(cuts: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(case_rows, "MOST", 50)
        frame = log(300, ad_account_id=[f"act_{i % 3}" for i in range(300)])
        whole = remembered(frame)
        at_once, parts = whole.rows, cases.empty(whole.context)
        edges = [0, *sorted(cuts), 300]
        for start, end in itertools.pairwise(edges):
            parts = parts.learned(frame.iloc[start:end])
        assert len(at_once) == 50
        assert same(parts.rows, at_once)


def test_memory_is_bounded_and_rare_arms_are_kept_whole() -> None:
    rows = 4 * case_rows.MOST
    rare = np.arange(rows) % 100 == 0
    frame = log(rows, executed=np.where(rare, "pause", "maintain"))
    memory = remembered(frame)
    assert len(memory) == case_rows.MOST
    assert (memory.rows.arm == ARMS.index(Arm.PAUSE)).sum() == rare.sum()


def test_a_decision_told_again_is_kept_once_as_it_was_told_last() -> None:
    frame = log(40)
    memory = remembered(frame).learned(frame.assign(reward=0.5))
    assert len(memory) == 40
    assert set(memory.rows.outcomes[:, 0]) == {0.5}


@given(days=st.floats(0, 40))
@settings(max_examples=30, deadline=None)
def test_no_outcome_is_shown_before_it_was_known(days: float) -> None:
    at = LONG_AGO - timedelta(days=25) + timedelta(days=days)
    question = asked({"cpa_ratio": 3.0, "roas": 1.3, "frequency": 3.0, "ctr_trend_7d": 0.0}, at=at)
    for arm in ARMS:
        found = OF_DISTINCT.nearest(question, 0, arm, k=50)
        assert all(c.moment + timedelta(hours=72) <= at for c in found.cases if c.moment)


def test_an_outcome_that_was_measured_late_is_not_known_before() -> None:
    frame = log(60, measured_at=LONG_AGO + timedelta(days=10))
    row = state(frame, 0)
    arm = Arm(frame["executed"].iloc[0])
    memory = remembered(frame)
    for days, is_known in ((9.9, False), (10.1, True)):
        found = memory.nearest(asked(row, at=LONG_AGO + timedelta(days=days)), 0, arm)
        assert bool(found.cases) is is_known


def test_without_moment_account_or_outcome_nothing_is_remembered() -> None:
    frame = log()
    for name in ("as_of", "ad_account_id"):
        assert not len(remembered(frame.drop(columns=name)))
    assert not len(remembered(frame.assign(reward=np.nan)))
    assert not len(remembered(frame.assign(as_of=np.arange(60))))
    assert not len(remembered(frame.assign(ad_account_id=None)))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("executed", "explode"),
        ("executed", None),
        ("entity_type", "planet"),
        ("reward", np.inf),
        ("as_of", None),
        ("as_of", "yesterday"),
        ("ad_account_id", None),
    ],
)
def test_what_makes_no_sense_is_not_remembered(column: str, value: object) -> None:
    frame = log(20).astype(dict.fromkeys(["executed", "entity_type", "as_of"], object))
    frame.loc[:4, column] = value
    assert len(cases.empty(OF_DISTINCT.context).learned(frame)) == 15


def test_fewer_than_one_case_cannot_be_asked_for() -> None:
    with pytest.raises(InvalidValueError, match="k"):
        OF_DISTINCT.nearest(asked(ROW), 0, Arm.PAUSE, k=0)


def two_accounts(shares: bool | list[bool | None]) -> pd.DataFrame:  # noqa: FBT001  # a column
    ours, theirs = log(60), log(60, seed=1, ad_account_id="act_2", entity_id="secret")
    both = pd.concat([ours, theirs], ignore_index=True)
    return both.assign(share_learning=shares).astype({"share_learning": object})


def test_an_account_that_does_not_share_is_not_even_counted() -> None:
    both = two_accounts(shares=False)
    memory, alone = remembered(both), remembered(both)
    alone = cases.empty(memory.context).learned(both[both["ad_account_id"] == "act_1"])
    for arm in ARMS:
        found = memory.nearest(asked(ROW), 0, arm, k=50)
        assert found == alone.nearest(asked(ROW), 0, arm, k=50)
        assert all(case.entity and case.entity.account == "act_1" for case in found.cases)


@pytest.mark.parametrize("who", [0, 1])
def test_one_that_shares_alone_neither_lends_nor_borrows(who: int) -> None:
    shares = [(at < 60) == (who == 0) for at in range(120)]
    memory = remembered(two_accounts(shares))
    for account in ("act_1", "act_2"):
        found = memory.nearest(asked(ROW, account=account), 0, Arm.PAUSE, k=50)
        assert found.cases
        assert {case.entity.account for case in found.cases if case.entity} == {account}
        assert all(case.entity for case in found.cases)


def test_those_that_share_count_each_other_without_a_name() -> None:
    memory = remembered(two_accounts(shares=True))
    found = memory.nearest(asked(ROW), 0, Arm.PAUSE, k=50)
    lent = [case for case in found.cases if case.entity is None]
    assert lent
    assert all(case.moment is None for case in lent)
    assert len(lent) < len(found.cases)
    assert found.says.endswith(f"; {len(lent)} of them in other accounts that share.")
    assert "secret" not in repr(found)
    assert "act_2" not in repr(found)


def test_who_stops_sharing_is_counted_no_more() -> None:
    memory = remembered(two_accounts(shares=True))
    later = log(5, seed=9, ad_account_id="act_2", share_learning=False)
    found = memory.learned(later).nearest(asked(ROW), 0, Arm.PAUSE, k=50)
    assert found.cases
    assert all(case.entity for case in found.cases)


def test_an_account_of_no_name_is_told_nothing() -> None:
    memory = remembered(two_accounts(shares=True))
    assert not memory.nearest(asked(ROW, account=""), 0, Arm.PAUSE).cases


def test_another_level_is_another_thing() -> None:
    found = remembered(log()).nearest(asked(ROW, kind=EntityType.CAMPAIGN), 0, Arm.PAUSE)
    assert found.says == (
        f"{NOTHING_ALIKE}: no outcome is known yet of any campaign that was paused."
    )


def test_where_the_nearest_is_too_far_it_says_so_and_in_what() -> None:
    far = ROW | {"frequency": 5_000.0, "learning_phase": "ACTIVE"}
    found = remembered(log()).nearest(asked(far), 0, Arm.PAUSE)
    assert not found.cases
    assert found.says.startswith(f"{NOTHING_ALIKE}: the nearest of ")
    assert found.says.endswith("it differs most in Frequency.")


def test_a_number_that_never_varied_is_alike_only_where_it_is_the_same() -> None:
    frame = log(state_frequency=2.0)
    memory, row = remembered(frame), state(frame, 5)
    arm = Arm(frame["executed"].iloc[5])
    assert memory.nearest(asked(row), 0, arm).cases[0].likeness == 1.0
    for other in (2.001, 2e6):
        found = memory.nearest(asked(row | {"frequency": other}), 0, arm)
        known = sum(value is not None for value in row.values())
        assert found.cases[0].likeness == pytest.approx(1 - 1 / known)


def test_alike_cases_earned_alike() -> None:
    frame = log(900, noise=5.0)
    memory, random = remembered(frame), np.random.default_rng(7)
    missed, usual = [], []
    for at in random.integers(0, len(frame), 80):
        arm = Arm(frame["executed"].iloc[at])
        others = frame.drop(index=at)
        found = memory.nearest(asked(state(frame, at)), 0, arm, k=6).cases[1:]
        if found:
            truth = frame["reward"].iloc[at]
            missed.append(abs(np.median([case.reward for case in found]) - truth))
            usual.append(abs(others["reward"][others["executed"] == arm].median() - truth))
    assert len(missed) > 60
    assert np.mean(missed) < 0.7 * np.mean(usual)
