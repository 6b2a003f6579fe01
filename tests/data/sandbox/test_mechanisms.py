"""Mechanisms: each keeps what its formula promises, and does nothing when switched off."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.data.sandbox.mechanisms.bidding import Bidding, normal_share
from intel_ml.data.sandbox.mechanisms.diminishing import Diminishing
from intel_ml.data.sandbox.mechanisms.drift import Drift
from intel_ml.data.sandbox.mechanisms.fatigue import Fatigue
from intel_ml.data.sandbox.mechanisms.lag import Lag
from intel_ml.data.sandbox.mechanisms.learning import Learning, Stage
from intel_ml.data.sandbox.mechanisms.noise import Noise
from intel_ml.data.sandbox.mechanisms.outside import Outside
from intel_ml.data.sandbox.mechanisms.pacing import Pacing
from intel_ml.data.sandbox.mechanisms.pixel import Pixel
from intel_ml.data.sandbox.mechanisms.reach import Reach
from intel_ml.data.sandbox.mechanisms.season import NamedSeason, Season
from intel_ml.data.sandbox.mechanisms.shocks import Shocks
from intel_ml.data.sandbox.randomness import Purpose, poisson, stream
from intel_ml.data.sandbox.worldfile import WorldFile

impressions = st.integers(0, 10**7)


@given(first=impressions, second=impressions, audience=st.floats(100, 1e7))
def test_reach_is_at_most_impressions_and_two_windows_share_people(
    first: int, second: int, audience: float
) -> None:
    asked = np.array([first, second, first + second])
    one, two, both = Reach().people(impressions=asked, audience=np.array([audience]))
    assert 0 <= one <= first
    assert max(one, two) <= both <= min(one + two + 1, audience + 1)


def test_an_audience_takes_so_many_impressions_an_hour_and_no_bound_when_switched_off() -> None:
    people = np.array([500.0, 0.0])
    assert Reach(most_per_hour=3.0).most(audience=people).tolist() == [1500.0, 0.0]
    assert Reach(enabled=False).most(audience=people[:1]).tolist() == [np.inf]


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
    noon, sure = np.array([12, 12]), np.zeros((2, 2))
    nobody = Outside(enabled=False)
    assert not nobody.moved(luck=sure, hour=noon, chance=1.0).rows.size
    assert not nobody.paused(luck=sure, hour=noon)[0].size
    assert not nobody.renamed(luck=sure, hour=noon).size
    assert (Pixel(enabled=False).outage_left(left=np.zeros(2, int), luck=np.zeros(2)) == 0).all()
    late = Lag(enabled=False).reports(expected=ones * 5, luck=np.full((2, 8), 0.5))
    assert not late[:, 1:].any()
    stages = np.array([int(Stage.LEARNING)])
    assert (
        Learning(enabled=False).stage(stage=stages, results=stages, hours=stages)[0]
        == Stage.SUCCESS
    )
    assert (Pixel(enabled=False, match_loss=1.0).attributed(np.zeros(2)) == 1).all()
    days = np.array([739_000, 739_180])
    assert all((one == 1).all() for one in Season(enabled=False).factors(days))
    shocks, drift = Shocks(enabled=False), Drift(enabled=False)
    hit = {"luck": np.zeros(2), "draw": ones, "chance": 1.0, "size": 1.0}
    assert (shocks.step(ones * 0, **hit) == 0).all()
    assert (shocks.factor(ones) == 1).all()
    assert (drift.step(ones * 0, walk=1.0, draw=ones, jump=ones) == 0).all()
    assert (drift.factor(ones) == 1).all()
    limits = Bidding(enabled=False).limits(bid=ones, price=ones * 99, is_cost_cap=ones > 0)
    assert (limits[0] == np.inf).all()
    assert (limits[1] == 1).all()


@given(
    low=st.floats(0.01, 50),
    more=st.floats(1.0, 10),
    price=st.floats(0.5, 40),
    is_cap=st.booleans(),
)
def test_a_higher_bid_never_delivers_less_nor_pays_less(
    low: float, more: float, price: float, *, is_cap: bool
) -> None:
    share, paid = Bidding().limits(
        bid=np.array([low, low * more]),
        price=np.array([price, price]),
        is_cost_cap=np.array([is_cap, is_cap]),
    )
    assert 0 <= share[0] <= share[1] + 1e-9 <= Bidding().headroom + 2e-9
    assert paid[0] <= paid[1] + 1e-9 <= 1 + 1e-3
    # Nobody pays more than the cap: each time under a bid cap, on average under a cost cap.
    assert share[0] < 1e-6 or paid[0] * price <= low * 1.001


def test_a_cost_cap_buys_more_than_the_same_number_as_a_bid_cap() -> None:
    share, paid = Bidding().limits(
        bid=np.array([8.0, 8.0]),
        price=np.array([10.0, 10.0]),
        is_cost_cap=np.array([False, True]),
    )
    assert share[0] < share[1]
    assert abs(paid[1] * 10 - 8) < 0.01


def test_half_the_market_is_won_by_bidding_its_middle() -> None:
    z = np.linspace(-5, 5, 101)
    exact = [NormalDist().cdf(float(one)) for one in z]
    assert np.abs(normal_share(z) - exact).max() < 1e-6


def test_a_season_ramps_up_holds_and_ramps_down_over_new_year() -> None:
    named = NamedSeason("break", "12-30", "01-02", price=2.0, conversion=0.5, ramp_days=1)
    season = Season(enabled=True, price_amplitude=0.0, conversion_amplitude=0.0, named=(named,))
    first = date(2026, 12, 28).toordinal()
    price, conversion = season.factors(np.arange(first, first + 8))
    assert price.tolist() == [1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 1.5, 1.0]
    assert conversion.tolist() == [1.0, 0.75, 0.5, 0.5, 0.5, 0.5, 0.75, 1.0]


def test_the_year_swings_once_around_one() -> None:
    days = np.arange(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    price, _ = Season(enabled=True, price_amplitude=0.2, price_peak_day=340).factors(days)
    assert abs(price.mean() - 1) < 0.01
    assert abs(int(np.argmax(price)) + 1 - 340) <= 1
    assert abs(price.max() - 1.2) < 0.001


def test_a_shock_hits_now_and_then_and_is_half_gone_after_its_half_life() -> None:
    shocks, draws = Shocks(enabled=True), stream(3, hour=0, purpose=Purpose.ACCOUNT_SHOCK)
    struck = shocks.step(
        np.zeros(1), luck=np.zeros(1), draw=np.ones(1), chance=0.5, size=shocks.price_size
    )
    state = struck
    for _ in range(60):
        state = shocks.step(state, luck=np.ones(1), draw=np.ones(1), chance=0.5, size=9.0)
    assert abs(state[0] / struck[0] - 0.5) < 1e-9
    states, hits = np.zeros(500), 0
    for _ in range(200):
        luck = draws.random(500)
        hits += int((luck < 0.002).sum())
        states = shocks.step(
            states, luck=luck, draw=draws.standard_normal(500), chance=0.002, size=0.35
        )
    assert 120 < hits < 280
    assert (np.abs(states) < 0.05).mean() > 0.5
    assert np.abs(states).max() > 0.3


def test_drift_wanders_off_and_does_not_come_back_by_itself() -> None:
    drift, draws = Drift(enabled=True), stream(4, hour=0, purpose=Purpose.ADSET_DRIFT)
    state, seen = np.zeros(600), {}
    for hour in range(1, 721):
        jump = drift.jumps(luck=draws.random(600), draw=draws.standard_normal(600))
        state = drift.step(state, walk=0.012, draw=draws.standard_normal(600), jump=jump)
        seen[hour] = state
    assert seen[168].std() > 0.2
    assert seen[720].std() > 1.5 * seen[168].std()
    assert np.abs(state).max() <= drift.farthest
    assert np.corrcoef(seen[360], seen[720])[0, 1] > 0.4


def test_fewer_recognised_buyers_mean_fewer_attributed_purchases() -> None:
    pixel = Pixel(match_loss=0.4)
    assert pixel.attributed(np.array([10.0, 5.0, 0.0])).tolist() == [1.0, 0.8, 0.6]
    week = np.array([pixel.match_quality(np.array([6.0]), hour=hour)[0] for hour in range(168)])
    assert abs(week.mean() - 6) < 1e-9
    assert abs(week.max() - 6.3) < 1e-3


def test_a_website_has_more_visitors_in_the_evening() -> None:
    hours = np.arange(24)
    none = np.zeros(24, dtype=np.int64)
    visits = Pixel().events(clicks=none, purchases=none, draw=np.zeros(24), hour=hours)[:, 0]
    assert int(np.argmax(visits)) == Pixel().peak_hour
    assert visits.min() < 0.5 * visits.max()


FILES = [
    path
    for path in (Path(__file__).parents[3] / "src/intel_ml/data/sandbox/mechanisms").glob("*.py")
    if path.stem != "__init__"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mechanism_is_one_file_with_its_formula_and_source(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))
    told = ast.get_docstring(module, clean=False) or ""
    assert re.search(r"^    \S", told, re.MULTILINE), "a formula stands set in"
    assert re.search(r"\b(18|19|20)\d\d\b|Meta\b|Marketing API", told), "a source is named"
    classes = [one.name.lower() for one in module.body if isinstance(one, ast.ClassDef)]
    assert path.stem in classes
    assert path.stem in {one.name for one in fields(WorldFile)}
