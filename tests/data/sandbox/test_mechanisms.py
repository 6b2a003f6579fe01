"""Mechanisms: each keeps what its formula promises, and does nothing when switched off."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.data.sandbox.mechanisms.diminishing import Diminishing
from intel_ml.data.sandbox.mechanisms.fatigue import Fatigue
from intel_ml.data.sandbox.mechanisms.lag import Lag
from intel_ml.data.sandbox.mechanisms.learning import Learning, Stage
from intel_ml.data.sandbox.mechanisms.noise import Noise
from intel_ml.data.sandbox.mechanisms.outside import Outside
from intel_ml.data.sandbox.mechanisms.pacing import Pacing
from intel_ml.data.sandbox.mechanisms.pixel import Pixel
from intel_ml.data.sandbox.mechanisms.reach import Reach
from intel_ml.data.sandbox.randomness import Purpose, poisson, stream

impressions = st.integers(0, 10**7)


@given(first=impressions, second=impressions, audience=st.floats(100, 1e7))
def test_reach_is_at_most_impressions_and_two_windows_share_people(
    first: int, second: int, audience: float
) -> None:
    asked = np.array([first, second, first + second])
    one, two, both = Reach().people(impressions=asked, audience=np.array([audience]))
    assert 0 <= one <= first
    assert max(one, two) <= both <= min(one + two + 1, audience + 1)


@given(mean=st.floats(0, 200), low=st.floats(0.001, 0.998))
def test_counts_grow_with_their_mean_and_with_luck(mean: float, low: float) -> None:
    lucks = np.array([low, low + 0.001])
    less, more = poisson(np.array([mean, mean]), lucks)
    assert less <= more
    assert poisson(np.array([mean + 40]), lucks[:1])[0] >= less


def test_counts_have_the_mean_and_spread_of_poisson() -> None:
    luck = stream(1, hour=1, purpose=Purpose.AD_UNIFORM).random(40_000)
    for mean in (0.2, 3.0, 25.0, 80.0):
        drawn = poisson(np.full(luck.shape, mean), luck)
        assert abs(drawn.mean() / mean - 1) < 0.03
        assert abs(drawn.var() / mean - 1) < 0.06


def test_a_longer_stream_begins_like_a_shorter_one() -> None:
    short = stream(5, hour=9, purpose=Purpose.AD_NORMAL).standard_normal((3, 3))
    long = stream(5, hour=9, purpose=Purpose.AD_NORMAL).standard_normal((9, 3))
    assert (long[:3] == short).all()


def test_noise_has_mean_one_and_remembers() -> None:
    noise, draws = Noise(), stream(1, hour=0, purpose=Purpose.POPULATION)
    state, states = draws.standard_normal(400), []
    for _ in range(500):
        state = noise.step(state, draws.standard_normal(400))
        states.append(state)
    path = np.array(states)
    assert abs(noise.factor(path.ravel(), sigma=0.38).mean() - 1) < 0.03
    assert abs(np.corrcoef(path[:-1].ravel(), path[1:].ravel())[0, 1] - noise.rho) < 0.01


def test_pacing_spends_the_whole_day_and_no_more() -> None:
    left, spent = 1.0, []
    for share in Pacing().shares():
        spent.append(left * share)
        left -= spent[-1]
    assert abs(sum(spent) - 1) < 1e-12
    assert np.argmax(spent) == 19


def test_learning_ends_in_success_or_limited() -> None:
    stage = np.array([int(Stage.LEARNING)] * 3 + [int(Stage.SUCCESS)])
    after = Learning().stage(
        stage=stage, results=np.array([50, 10, 10, 0]), hours=np.array([20, 20, 168, 500])
    )
    assert [Stage(one).name for one in after] == ["SUCCESS", "LEARNING", "FAIL", "SUCCESS"]


def test_what_is_switched_off_changes_nothing() -> None:
    ones = np.ones(2)
    assert (
        Diminishing(enabled=False).quality(budget=ones * 9, reference=ones, eta=ones) == 1
    ).all()
    assert (Fatigue(enabled=False).wear(exposure=ones * 9, rate=ones) == 1).all()
    assert (Noise(enabled=False).factor(ones, sigma=1.0) == 1).all()
    assert not Outside(enabled=False).edits(luck=np.zeros((2, 2)), hour=np.array([12, 12]))[0].size
    assert (Pixel(enabled=False).outage_left(left=np.zeros(2, int), luck=np.zeros(2)) == 0).all()
    late = Lag(enabled=False).reports(expected=ones * 5, luck=np.full((2, 8), 0.5))
    assert not late[:, 1:].any()
    stages = np.array([int(Stage.LEARNING)])
    assert (
        Learning(enabled=False).stage(stage=stages, results=stages, hours=stages)[0]
        == Stage.SUCCESS
    )
