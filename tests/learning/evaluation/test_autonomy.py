from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation.autonomy import (
    Promise,
    contradiction,
    earned,
    earned_so_far,
    fixed_sequence,
)

N = 300


def _person(random: np.random.Generator, steepness: float) -> tuple[np.ndarray, np.ndarray]:
    """How sure a model was, uniform, and whether a person agreed: less where it was less sure."""
    sure = random.random(N)
    return sure, random.random(N) >= steepness * (1 - sure)


def _risk(threshold: float | None, steepness: float) -> float:
    """The true disagreement above a threshold: the mean of steepness * (1 - s) over s > t."""
    return 0.0 if threshold is None else steepness * (1 - threshold) / 2


@pytest.mark.parametrize("steepness", [0.12, 0.25, 0.6])
def test_a_promise_is_broken_no_more_often_than_said(steepness: float):
    random = np.random.default_rng(3)
    found = [earned(*_person(random, steepness)).threshold for _ in range(600)]
    broken = np.mean([_risk(threshold, steepness) > 0.05 for threshold in found])
    # Four standard errors of 600 draws above delta would be .149; nine in ten do not come near it.
    assert broken <= 0.12


def test_naive_thresholds_break_the_same_promise_far_more_often():
    random, broken = np.random.default_rng(4), 0
    for _ in range(300):
        sure, agreed = _person(random, 0.25)
        order = np.argsort(-sure)
        risk = (~agreed[order]).cumsum() / np.arange(1, N + 1)
        threshold = sure[order][np.flatnonzero(risk <= 0.05).max()]
        broken += _risk(threshold, 0.25) > 0.05
    assert broken / 300 > 0.3


def _often_broken(
    disagrees: Callable[[np.ndarray], np.ndarray], *, n: int, risk: float, times: int = 80
) -> float:
    """How often the true disagreement above the answer is more than promised; sureness uniform."""
    grid = np.linspace(0, 1, 4001)
    above = np.append(disagrees(grid)[::-1].cumsum()[::-1] / np.arange(4001, 0, -1), 0.0)
    random, broken = np.random.default_rng(7), 0
    for _ in range(times):
        sure = random.random(n)
        agreed = random.random(n) >= disagrees(sure)
        found = earned(sure, agreed, promise=Promise(risk=risk)).threshold
        broken += found is not None and above[int(np.ceil(found * 4000))] > risk * 1.001
    return broken / times


@pytest.mark.parametrize(("n", "risk"), [(100, 0.05), (300, 0.05), (1000, 0.01)])
@pytest.mark.parametrize(
    "shape",
    [
        lambda s: 1.02 + 0 * s,
        lambda s: np.where(s > 0.4, 0.98, 8.0),
        lambda s: np.where(s > 0.75, 1.02, np.where(s > 0.5, 0.0, 2.04)),
        lambda s: np.where(np.floor(s * 10) % 2 == 0, 2.2, 0.0),
        lambda s: np.where(s > 0.8, 2.4, 0.6),
    ],
    ids=["just too often", "cliff", "dip", "to and fro", "worst where surest"],
)
def test_no_shape_of_disagreement_breaks_it_more_often(
    shape: Callable[[np.ndarray], np.ndarray], n: int, risk: float
):
    # Two standard errors of 80 draws above delta would be .167.
    assert _often_broken(lambda s: np.minimum(risk * shape(s), 1.0), n=n, risk=risk) <= 0.15


def test_more_runs_by_itself_than_by_the_plain_walk():
    random = np.random.default_rng(5)
    for steepness in (0.06, 0.12):
        people = [_person(random, steepness) for _ in range(150)]
        ours = np.mean([earned(*one).coverage for one in people])
        assert ours > 1.1 * np.mean([fixed_sequence(*one).coverage for one in people])


def test_sureness_that_never_varies_is_one_plain_test():
    least = Promise().least
    assert earned(np.full(least, 0.7), np.ones(least, dtype=bool)).coverage == 1.0
    assert not earned(np.full(least - 1, 0.7), np.ones(least - 1, dtype=bool)).has_passed


def test_a_model_that_is_always_wrong_earns_nothing():
    assert not earned(np.linspace(0, 1, 1000), np.zeros(1000, dtype=bool)).has_passed


def test_who_changes_their_mind_after_the_grant_is_noticed_in_few_audits():
    random = np.random.default_rng(12)
    sure, agreed = _person(random, 0.1)
    bar = earned(sure, agreed).threshold
    assert bar is not None
    seen = []
    for _ in range(100):
        changed = (random.random(200) < 0.3).cumsum()
        looks = [contradiction(asked=n + 1, disagreed=int(changed[n])) for n in range(200)]
        seen.append(int(np.argmax(np.array(looks) >= 10)))
    assert np.median(seen) < 15


def test_one_early_mishap_does_not_end_the_walk():
    sure = np.linspace(1, 0, N)
    agreed = np.arange(N) != 10
    assert fixed_sequence(sure, agreed).automatic == 0
    assert earned(sure, agreed).automatic == N - 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=120),
    st.sampled_from([0.0, 0.5, 0.85]),
)
def test_the_answer_counts_what_it_says(rows: list[tuple[float, bool]], floor: float):
    sure = np.array([s for s, _ in rows])
    agreed = np.array([a for _, a in rows], dtype=bool)
    found = earned(sure, agreed, floor=floor)
    if found.threshold is None:
        assert found.automatic == 0
        return
    above = sure > found.threshold
    assert found.threshold >= floor
    assert (found.automatic, found.disagreed) == (above.sum(), (~agreed[above]).sum())
    assert found.automatic >= found.promise.least
    assert found.disagreed / found.automatic < found.promise.risk


def test_decisions_as_sure_as_each_other_stand_and_fall_together():
    sure = np.repeat([0.9, 0.6], 100)
    found = earned(sure, np.repeat([True, False], 100))
    assert (found.threshold, found.automatic) == (0.6, 100)


def test_too_few_prove_nothing():
    least = Promise().least
    assert not earned(np.ones(least - 1), np.ones(least - 1, dtype=bool)).has_passed
    assert fixed_sequence(np.ones(least), np.ones(least, dtype=bool)).has_passed
    assert not earned(np.array([]), np.array([], dtype=bool)).has_passed
    assert "Nothing yet" in earned(np.array([]), np.array([], dtype=bool)).text


def test_asking_again_and_again_does_not_wear_a_promise_out():
    random, broken = np.random.default_rng(8), 0
    for _ in range(300):
        sure = random.random(800)
        agreed = random.random(800) >= 0.06
        looks = [earned_so_far(sure[:n], agreed[:n]).has_passed for n in range(100, 801, 100)]
        broken += any(looks)
    # Every threshold has a risk of .06: whatever passes is broken.
    assert broken / 300 <= 0.10


@pytest.mark.parametrize("n", [100, 150, 300])
def test_a_hundred_agreed_with_prove_it_at_the_first_look(n: int):
    assert earned_so_far(np.linspace(0.9, 1, n), np.ones(n, dtype=bool)).coverage > 0.9


def test_a_kept_promise_is_seldom_contradicted_and_a_broken_one_soon():
    random = np.random.default_rng(6)
    kept = [_ever(random.random(200) < 0.05) for _ in range(200)]
    broken = [_ever(random.random(200) < 0.2) for _ in range(200)]
    assert np.mean(kept) <= 0.10
    assert np.mean(broken) > 0.9


def _ever(disagreed: np.ndarray) -> bool:
    k = disagreed.cumsum()
    return any(contradiction(asked=n + 1, disagreed=int(k[n])) >= 10 for n in range(len(k)))


def test_what_is_no_probability_is_refused():
    with pytest.raises(InvalidValueError, match="sure"):
        earned(np.array([1.2]), np.array([True]))
    with pytest.raises(InvalidValueError, match="agreed"):
        earned(np.array([0.2]), np.array([True, False]))
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        Promise(risk=0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-4, 0.999),
    st.floats(1e-6, 0.9),
    st.integers(0, 400),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    st.integers(0, 9),
)
def test_any_promise_can_be_asked_for(risk: float, delta: float, n: int, often: float, digits: int):
    random = np.random.default_rng(n)
    sure, agreed = np.round(random.random(n), digits), random.random(n) >= often
    found = earned(sure, agreed, promise=Promise(risk=risk, delta=delta))
    if found.has_passed:
        assert found.p_value is not None
        assert found.p_value <= delta
        assert found.automatic >= found.promise.least
