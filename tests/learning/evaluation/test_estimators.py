"""Claims about all estimators of a policy's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from estimators.bandits import ips as peer_ips
from estimators.bandits import snips as peer_snips
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation import dm, dr, dr_os, ips, sndr, snips, switch_dr
from intel_ml.learning.evaluation.logged import Estimate, LoggedDecisions
from tests.learning.evaluation import bandits

Estimator = Callable[[LoggedDecisions], Estimate]
ALL: dict[str, Estimator] = {
    "ips": ips.estimate,
    "snips": snips.estimate,
    "dr": dr.estimate,
    "dr_os": dr_os.estimate,
    "sndr": sndr.estimate,
    "switch_dr": switch_dr.estimate,
    "dm": dm.estimate,
}
UNBIASED = {name: ALL[name] for name in ("ips", "snips", "dr", "dr_os", "sndr", "switch_dr")}
every = pytest.mark.parametrize("estimate", ALL.values(), ids=ALL)
honest = pytest.mark.parametrize("estimate", UNBIASED.values(), ids=UNBIASED)


@pytest.mark.parametrize("name", ["snips", "dr", "dr_os", "sndr", "switch_dr", "dm"])
def test_where_every_reward_is_ten_the_value_is_ten(name: str) -> None:
    log = bandits.logged(300, uplift=0.3, seed=0)
    ten = replace(log, rewards=np.full(300, 10.0), reward_model=np.full((300, 6), 10.0))
    found = ALL[name](ten)
    assert found.value == pytest.approx(10.0)
    assert found.high - found.low < 1e-9


@every
def test_a_policy_that_is_the_log_is_worth_what_was_seen(estimate: Estimator) -> None:
    log = bandits.logged(400, uplift=0.3, seed=0)
    same = replace(
        log,
        pmf_new=np.repeat(bandits.INCUMBENT[None], 400, axis=0),
        reward_model=np.repeat(log.rewards[:, None], 6, axis=1),
    )
    found = estimate(same)
    assert found.value == pytest.approx(log.rewards.mean())
    assert found.ess == pytest.approx(400)
    assert found.mean_weight == pytest.approx(1)


@every
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_decisions_does_not_matter(estimate: Estimator, seed: int) -> None:
    log = bandits.logged(200, uplift=0.3, seed=seed)
    order = np.random.default_rng(seed).permutation(200)
    one, other = estimate(log), estimate(log.take(order))
    assert other.value == pytest.approx(one.value)
    assert other.low == pytest.approx(one.low)


@every
def test_more_decisions_make_it_tighter(estimate: Estimator) -> None:
    few = estimate(bandits.logged(500, uplift=0.3, seed=1))
    many = estimate(bandits.logged(20_000, uplift=0.3, seed=1))
    assert many.high - many.low < few.high - few.low


@honest
def test_the_interval_covers_the_truth(estimate: Estimator) -> None:
    runs = [estimate(bandits.logged(1500, uplift=0.3, seed=seed)) for seed in range(150)]
    true = bandits.value(0.3)
    covered = np.mean([run.low <= true <= run.high for run in runs])
    assert covered >= 0.88
    assert abs(np.mean([run.value for run in runs]) - true) < 0.03


@honest
@pytest.mark.parametrize("rewards", ["0 or 1", "skewed"])
def test_the_interval_covers_the_truth_wherever_the_log_is_enough_to_conclude(
    estimate: Estimator, rewards: str
) -> None:
    """Rewards of 0 or 1, or exponential ones of the same mean; a model that is a third off."""
    true, covered, runs = bandits.value(0.3), 0, 120
    for seed in range(runs):
        log = bandits.logged(1000, uplift=0.3, seed=seed)
        means = bandits.truth(0.3)[_contexts(log), log.actions]
        drawn = np.random.default_rng([2, seed]).exponential(means)
        off = np.repeat(bandits.MEANS[None] * np.linspace(0.7, 1.3, 6), 1000, axis=0)
        found = estimate(
            replace(log, rewards=drawn if rewards == "skewed" else log.rewards, reward_model=off)
        )
        covered += found.low <= true <= found.high
    assert covered / runs >= 0.90


def _contexts(log: LoggedDecisions) -> NDArray[np.intp]:
    favourites = log.pmf_new.argmax(axis=1)
    return np.argsort(bandits.FAVOURITES)[np.searchsorted(np.sort(bandits.FAVOURITES), favourites)]


@pytest.mark.parametrize("name", ["dr_os", "switch_dr"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(5, 300))
def test_a_value_that_leans_on_the_model_claims_no_more_than_the_unbiased_one(
    name: str, seed: int, n: int
) -> None:
    log = bandits.logged(n, uplift=0.3, seed=seed)
    mine, unbiased = ALL[name](log), dr.estimate(log)
    assert mine.low <= min(unbiased.low, mine.value)
    assert mine.high >= max(unbiased.high, mine.value)


def _of_units(seed: int, *, near: float) -> LoggedDecisions:
    """Return 40 units' 25 days; a policy near the log, outcomes of three days sharing theirs."""
    random = np.random.default_rng(seed)
    units = np.repeat(np.arange(40), 25)
    actions = random.choice(6, 1000, p=bandits.INCUMBENT).astype(np.intp)
    days = random.normal(0, 0.5, (40, 27))
    shared = (days[:, :-2] + days[:, 1:-1] + days[:, 2:]).ravel() / np.sqrt(3)
    pmf = near * bandits.INCUMBENT + (1 - near) / 6
    return LoggedDecisions(
        pmf_logged=bandits.INCUMBENT[actions],
        rewards=bandits.MEANS[actions] + shared,
        actions=actions,
        pmf_new=np.repeat(pmf[None], 1000, axis=0),
        reward_model=np.repeat(bandits.MEANS[None], 1000, axis=0),
        units=units.astype(np.intp),
    )


@honest
def test_days_of_one_unit_that_share_their_outcome_are_not_taken_for_so_many(
    estimate: Estimator,
) -> None:
    covered = alone = 0
    true = float((0.9 * bandits.INCUMBENT + 0.1 / 6) @ bandits.MEANS)
    for seed in range(150):
        log = _of_units(seed, near=0.9)
        found, taken_as_many = estimate(log), estimate(replace(log, units=None))
        covered += found.low <= true <= found.high
        alone += taken_as_many.low <= true <= taken_as_many.high
        assert found.high - found.low >= taken_as_many.high - taken_as_many.low - 1e-12
    assert covered / 150 >= 0.90
    assert alone / 150 < 0.88


def test_shrinkage_is_never_much_worse_than_without() -> None:
    true = bandits.value(0.3)
    logs = [bandits.logged(400, uplift=0.3, seed=seed) for seed in range(80)]
    plain, shrunk = (
        np.mean([(estimate(log).value - true) ** 2 for log in logs])
        for estimate in (dr.estimate, dr_os.estimate)
    )
    assert shrunk < 1.25 * plain


def test_a_model_may_be_wrong_where_propensities_are_right() -> None:
    logs = [bandits.logged(2000, uplift=0.3, seed=seed) for seed in range(60)]
    wrong = [log.with_model(np.full((2000, 6), 3.0)) for log in logs]
    found = np.mean([dr.estimate(log).value for log in wrong])
    assert found == pytest.approx(bandits.value(0.3), abs=0.03)
    assert np.mean([dm.estimate(log).value for log in wrong]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"pmf_logged": np.array([0.0, 0.5])}, "pmf_logged"),
        ({"pmf_logged": np.array([1.5, 0.5])}, "pmf_logged"),
        ({"rewards": np.array([np.nan, 1.0])}, "rewards"),
        ({"pmf_new": np.full((2, 6), 0.5)}, "pmf_new"),
        ({"actions": np.array([1], dtype=np.intp)}, "actions"),
        ({"reward_model": np.zeros((2, 5))}, "reward_model"),
        ({"pmf_logged": np.array([np.nan, 0.5])}, "pmf_logged"),
        ({"pmf_logged": np.array([-0.1, 0.5])}, "pmf_logged"),
        ({"rewards": np.array([np.inf, 1.0])}, "rewards"),
        ({"pmf_new": np.full((2, 6), np.nan)}, "pmf_new"),
        ({"pmf_new": np.array([[1.5, -0.5, 0, 0, 0, 0]] * 2)}, "pmf_new"),
        ({"pmf_new": np.ones(2)}, "pmf_new"),
        ({"actions": np.array([1, 6], dtype=np.intp)}, "actions"),
        ({"actions": np.array([-1, 2], dtype=np.intp)}, "actions"),
        ({"reward_model": np.full((2, 6), np.nan)}, "reward_model"),
        ({"units": np.array([0], dtype=np.intp)}, "units"),
        ({"units": np.array([0, -1], dtype=np.intp)}, "units"),
    ],
)
def test_a_log_that_cannot_be_is_refused(change: dict[str, object], path: str) -> None:
    log = bandits.logged(2, uplift=0.3, seed=0)
    with pytest.raises(InvalidValueError, match=path):
        replace(log, **change)  # type: ignore[arg-type]  # wrong on purpose


def test_without_a_reward_model_doubly_robust_says_what_it_needs() -> None:
    log = replace(bandits.logged(20, uplift=0.3, seed=0), reward_model=None)
    with pytest.raises(InvalidValueError, match="cross_fitted"):
        dr.estimate(log)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), uplift=st.sampled_from([0.0, 0.3, 0.6]))
def test_on_the_same_log_they_say_what_vowpal_wabbits_estimators_say(
    seed: int, uplift: float
) -> None:
    log = bandits.logged(200, uplift=uplift, seed=seed)
    chosen = log.pmf_new[np.arange(200), log.actions]
    for mine, peer in ((ips, peer_ips.Estimator()), (snips, peer_snips.Estimator())):
        for p_log, reward, p_pred in zip(log.pmf_logged, log.rewards, chosen, strict=True):
            peer.add_example(p_log, reward, p_pred)
        assert mine.estimate(log).value == pytest.approx(peer.get())


def test_switching_beyond_every_weight_or_at_none_is_one_of_the_two_it_mixes() -> None:
    log = bandits.logged(300, uplift=0.3, seed=2)
    every_weight = switch_dr.estimate(log, tau=float(log.weights.max()))
    assert every_weight.value == pytest.approx(dr.estimate(log).value)
    assert switch_dr.estimate(log, tau=-1.0).value == pytest.approx(dm.estimate(log).value)
