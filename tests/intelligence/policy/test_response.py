"""The response policy: scales what pays, cuts what is dear, pauses only what is hopeless."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import load_policy, make_policy, response
from intel_ml.intelligence.policy.assumptions import Assumptions
from intel_ml.intelligence.policy.protocol import Expects
from intel_ml.intelligence.policy.windows import FEATURES
from intel_ml.intelligence.policy.yields import ELASTICITIES
from tests.intelligence.policy import worlds

PAUSE, MAINTAIN = ARMS.index(Arm.PAUSE), ARMS.index(Arm.MAINTAIN)
EVERY = np.ones((1, len(ARMS)), dtype=bool)


def state(ratio: float, *, budget: float = 200.0, **more: Value) -> dict[str, Value]:
    """Return a week at a steady pace, at so many times the target of 20 per result."""
    daily = budget / (20.0 * ratio)
    return {
        "spend": 2.5 * budget,
        "conversions": 2.5 * daily,
        "spend_7d": 6.5 * budget,
        "conversions_7d": 6.5 * daily,
        "target_cpa": 20.0,
        "daily_budget": budget,
        "frequency": 2.5,
        "hour_of_day": 12.0,
    } | more


def greedy(one: dict[str, Value], policy: response.Policy | None = None) -> Arm:
    chosen = policy or response.Policy()
    return ARMS[chosen.choose(worlds.states([one]), allowed=EVERY, keys=["k"]).greedy[0]]


def test_it_scales_what_pays_cuts_what_is_dear_and_pauses_what_is_hopeless() -> None:
    assert greedy(state(0.5)) is Arm.SCALE_20
    assert greedy(state(1.35, frequency=6.0)) in (Arm.REDUCE_20, Arm.REDUCE_50)
    assert greedy(state(3.5)) is Arm.PAUSE
    assert greedy(state(0.5) | {"conversions": 0.0, "conversions_7d": 0.0}) is Arm.PAUSE


def test_a_crowded_audience_is_scaled_later() -> None:
    roomy, crowded = (
        response.Policy().view(worlds.states([state(0.75, frequency=f)])) for f in (2.5, 9.0)
    )
    assert roomy.yields.elasticity[0] < crowded.yields.elasticity[0]
    at = ARMS.index(Arm.SCALE_20)
    assert roomy.gains[0, at] > crowded.gains[0, at]


def test_little_evidence_pauses_nothing() -> None:
    few = state(3.5, budget=8.0)  # 52 spent in a week, not one result to be expected at target
    found = response.Policy().choose(worlds.states([few]), allowed=EVERY, keys=["k"])
    assert ARMS[found.greedy[0]] is not Arm.PAUSE
    assert found.pmf[0, PAUSE] == pytest.approx(Assumptions().pause_floor)


@given(
    ratios=st.tuples(st.floats(0.2, 5.0), st.floats(0.2, 5.0)),
    budget=st.floats(50.0, 5000.0),
    frequency=st.floats(1.0, 12.0),
)
@settings(deadline=None, max_examples=40)
def test_cheaper_results_never_make_more_budget_look_worse(
    ratios: tuple[float, float], budget: float, frequency: float
) -> None:
    cheap, dear = sorted(ratios)
    rows = [state(one, budget=budget, frequency=frequency) for one in (cheap, dear)]
    view = response.Policy().view(worlds.states(rows))
    at = ARMS.index(Arm.SCALE_20)
    assert view.yields.mean[0] >= view.yields.mean[1] - 1e-9
    assert view.gains[0, at] >= view.gains[1, at] - 1e-9
    assert view.hopeless[0] <= view.hopeless[1] + 1e-9


@given(
    names=st.dictionaries(
        st.sampled_from(FEATURES),
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
    ),
    mask=st.lists(st.booleans(), min_size=6, max_size=6).filter(any),
)
@settings(deadline=None, max_examples=60)
def test_whatever_is_unknown_or_absurd_a_pmf_is_a_pmf(
    names: dict[str, float | None], mask: list[bool]
) -> None:
    allowed = np.array([mask])
    states = worlds.states([state(1.0) | names])
    found = response.Policy().choose(states, allowed=allowed, keys=["k"])
    assert np.isclose(found.pmf.sum(), 1.0)
    assert (found.pmf[~allowed] == 0).all()
    assert (found.pmf[allowed] >= Assumptions().pause_floor).all()
    assert 0 < found.confidence[0] <= 1
    assert allowed[0, found.greedy[0]]


def test_a_share_too_small_to_divide_by_is_no_budget() -> None:
    names: dict[str, Value] = {"spend_today": 1.0, "budget_utilization": 2e-309}
    found = response.Policy().choose(
        worlds.states([state(1.0) | {"daily_budget": None} | names]), allowed=EVERY, keys=["k"]
    )
    assert np.isclose(found.pmf.sum(), 1.0)


def siblings(*ratios: float) -> States:
    """Return ad sets that share a campaign's budget of 600, each with a third of it."""
    rows = [
        state(one, daily_budget=None, spend_today=100.0, budget_utilization=100.0 / 600.0)
        for one in ratios
    ]
    for row, one in enumerate(rows):
        others = [other for at, other in enumerate(rows) if at != row]
        for name in ("spend_7d", "conversions_7d"):
            told = [float(other[name] or 0.0) for other in others]
            one[f"siblings_{name}"] = sum(told) if told else None
    return worlds.states(rows)


def test_under_a_campaign_budget_the_worst_hands_its_money_to_better_siblings() -> None:
    only = np.zeros((3, len(ARMS)), dtype=bool)
    only[:, [PAUSE, MAINTAIN]] = True
    policy = response.Policy()
    found = policy.choose(siblings(0.4, 0.45, 1.1), allowed=only, keys=["a", "b", "c"])
    assert [ARMS[arm] for arm in found.greedy] == [Arm.MAINTAIN, Arm.MAINTAIN, Arm.PAUSE]
    alone = policy.choose(siblings(0.4, 0.45, 1.1).take([2]), allowed=only[:1], keys=["c"])
    assert ARMS[alone.greedy[0]] is Arm.PAUSE
    alike = policy.choose(siblings(0.9, 1.0, 1.1), allowed=only, keys=["a", "b", "c"])
    assert (alike.greedy == MAINTAIN).all()
    childless = policy.choose(siblings(1.1), allowed=only[:1], keys=["a"])
    assert (childless.greedy == MAINTAIN).all()


WEEK = st.fixed_dictionaries(
    {
        "ratio": st.floats(0.2, 5.0),
        "budget": st.one_of(st.none(), st.floats(5.0, 5000.0)),
        "frequency": st.floats(1.0, 12.0),
        "others": st.one_of(st.none(), st.floats(0.2, 5.0)),
    }
)


def told(week: dict[str, float | None]) -> dict[str, Value]:
    """Return the state of a week, under a campaign's budget where it has none of its own."""
    one = state(week["ratio"] or 1.0, budget=week["budget"] or 200.0, frequency=week["frequency"])
    if week["budget"] is None:
        one |= {"daily_budget": None, "spend_today": 100.0, "budget_utilization": 0.2}
    if (others := week["others"]) is not None:
        one |= {"siblings_spend_7d": 2600.0, "siblings_conversions_7d": 130.0 / others}
    return one


@given(weeks=st.lists(WEEK, min_size=2, max_size=4))
@settings(deadline=None, max_examples=40)
def test_a_question_asked_alone_is_answered_as_one_among_many(
    weeks: list[dict[str, float | None]],
) -> None:
    policy = response.Policy().fit(history(0.3))
    states = worlds.states([told(week) for week in weeks])
    keys = [str(row) for row in range(len(weeks))]
    every = np.ones((len(weeks), len(ARMS)), dtype=bool)
    together, gains = policy.choose(states, allowed=every, keys=keys), policy.gains(states)
    for row in range(len(weeks)):
        one = states.take([row])
        alone = policy.choose(one, allowed=EVERY, keys=[keys[row]])
        expects = policy.gains(one)
        assert np.allclose(alone.pmf[0], together.pmf[row], rtol=1e-9)
        assert np.isclose(alone.confidence[0], together.confidence[row], rtol=1e-9)
        assert (alone.arms[0], alone.greedy[0]) == (together.arms[row], together.greedy[row])
        assert np.allclose(expects.value[0], gains.value[row], atol=1e-9)
        assert np.allclose(expects.deviation[0], gains.deviation[row], atol=1e-9)


def test_nothing_seen_is_left_alone_and_nothing_is_expected_of_it() -> None:
    policy = response.Policy().fit(history(0.3))
    states = states_of(
        [{"target_cpa": 20.0, "daily_budget": 100.0}],
        entities=[Entity(AdAccountId("act_9"), EntityType.ADSET, EntityId("new"))],
        moments=[worlds.NOW],
    )
    found = policy.choose(states, allowed=EVERY, keys=["k"])
    assert found.greedy[0] == MAINTAIN
    assert found.confidence[0] <= 0.5
    assert np.isinf(policy.gains(states).deviation).all()


def test_what_it_expects_is_in_targets_with_a_narrower_interval_the_more_was_seen() -> None:
    policy, up, cut = response.Policy(), ARMS.index(Arm.SCALE_20), ARMS.index(Arm.REDUCE_20)
    assert isinstance(policy, Expects)
    little, much = (
        policy.gains(worlds.states([state(2.0, budget=budget)])) for budget in (100.0, 10_000.0)
    )
    for found in (little, much):
        assert (found.value[:, MAINTAIN] == 0).all()
        assert (found.deviation[:, MAINTAIN] == 0).all()
        assert found.value[0, up] < 0 < found.value[0, cut]
    assert (much.deviation[0, [PAUSE, up, cut]] < little.deviation[0, [PAUSE, up, cut]]).all()
    # Half a result per target: without it all of the money is kept and half of it is missed.
    assert much.value[0, PAUSE] == pytest.approx(0.5, abs=2 * much.deviation[0, PAUSE])


def test_one_draw_in_a_thousand_at_most_is_not_the_best_where_that_is_clear() -> None:
    found = response.Policy().choose(worlds.states([state(0.3)]), allowed=EVERY, keys=["k"])
    assert ARMS[found.greedy[0]] is Arm.SCALE_20
    assert found.pmf[0, found.greedy[0]] > 0.998
    assert (found.pmf[0] > 0).all()


def history(elasticity: float, *, days: int = 28) -> pd.DataFrame:
    """Return a log of one ad set whose budget doubled each week, results following the curve."""
    rows = []
    for day in range(days):
        pace = 100.0 * 2.0 ** (day / 7)
        cost = 0.5 * (pace / 100.0) ** elasticity
        one = state(cost, budget=pace)
        rows.append(
            {
                "ad_account_id": "act_1",
                "entity_type": "adset",
                "entity_id": "0",
                "as_of": worlds.NOW - timedelta(days=days - day),
                "executed": "maintain",
                "reward": 0.0,
                **{f"state_{name}": value for name, value in one.items()},
            }
        )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("true", "low", "high"), [(0.0, 0.0, 0.1), (0.6, 0.3, 0.8)])
def test_what_more_budget_did_before_tells_what_it_will_do(
    true: float, low: float, high: float
) -> None:
    log = history(true)
    now = state(0.5 * 16**true, budget=1600.0)
    view = response.Policy().fit(log).view(worlds.states([now]))
    assert low <= view.yields.elasticity[0] <= high
    assert (ELASTICITIES >= 0).all()


def test_the_same_days_are_not_counted_twice() -> None:
    log = history(0.0)
    twice = pd.concat([log, log], ignore_index=True)
    now = worlds.states([state(0.5, budget=1600.0)])
    once, again = (response.Policy().fit(one).view(now).yields for one in (log, twice))
    assert np.array_equal(once.shape, again.shape)
    shuffled = response.Policy().fit(log.sample(frac=1, random_state=1)).view(now).yields
    assert np.allclose(once.rate, shuffled.rate)


def test_many_ad_sets_tell_what_a_new_one_may_be_like() -> None:
    logs = [
        history(0.0).assign(
            entity_id=str(n), state_conversions_7d=lambda x: x["state_conversions_7d"] * 2
        )
        for n in range(12)
    ]
    taught = response.Policy().fit(pd.concat(logs, ignore_index=True))
    nothing = worlds.states([{"target_cpa": 20.0, "daily_budget": 100.0}])
    assert taught.view(nothing).yields.mean[0] > response.Policy().view(nothing).yields.mean[0]


def test_it_is_saved_and_loaded_to_the_last_bit_and_goes_on_learning(tmp_path: Path) -> None:
    first, more = history(0.3, days=14), history(0.3).iloc[14:]
    policy = make_policy("response", hope=0.1).fit(first)
    policy.save(tmp_path / "a")
    loaded = load_policy(tmp_path / "a")
    loaded.save(tmp_path / "b")
    for name in ("policy.json", "policy.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    now = worlds.states([state(0.7), state(2.0)])
    every = np.ones((2, len(ARMS)), dtype=bool)
    for one, other in (
        (policy, loaded),
        (policy, pickle.loads(pickle.dumps(policy))),  # noqa: S301  # our own
        (policy.learn(more), loaded.learn(more)),
    ):
        ours, theirs = (each.choose(now, allowed=every, keys=["a", "b"]) for each in (one, other))
        assert np.array_equal(ours.pmf, theirs.pmf)
        assert np.array_equal(ours.confidence, theirs.confidence)


def test_nothing_to_learn_from_is_said_at_first_and_changes_nothing_later() -> None:
    log = history(0.2)
    with pytest.raises(NotEnoughDataError):
        response.Policy().fit(log.head(0))
    policy = response.Policy().fit(log)
    before = policy.view(worlds.states([state(0.5)])).gains
    assert np.array_equal(before, policy.learn(log.head(0)).view(worlds.states([state(0.5)])).gains)


def test_it_explains_in_targets_and_results() -> None:
    states = states_of(
        [state(0.5, roas=4.6, cpa_ratio=0.5)],
        entities=worlds.states([{}]).entities,
        moments=[worlds.NOW],
    )
    said = response.Policy().explain(states, 0, Arm.SCALE_20)
    words = " ".join(reason.text for reason in said)
    assert "room to scale" in words
    assert "of its target, going by 130 results" in words
    assert "with more budget" in words
    (only,) = response.Policy().explain(worlds.states([{}]), 0, Arm.MAINTAIN)
    assert "going by 0 results" in only.text


@pytest.mark.parametrize(
    "wrong",
    [{"floor": 0.0}, {"pause_floor": 0.1}, {"base": 0.9}, {"worth": -1.0}, {"temperature": 0.0}],
)
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError):
        response.Policy(**wrong)
