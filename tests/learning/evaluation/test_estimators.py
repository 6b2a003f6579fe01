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
