"""Claims every policy has to keep, checked on all of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.features.states import States, Value
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.apart import Policy as Apart
from intel_ml.intelligence.policy.assumptions import Assumptions
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.intelligence.policy.settings import MIN_FLOOR
from tests.intelligence.policy import worlds

STATES = worlds.states(
    [
        {"cpa_ratio": 3.3, "roas": 1.2, "frequency": 4.0, "learning_phase": "ACTIVE"},
        {"cpa_ratio": 0.4, "roas": 10.0, "frequency": 2.0, "learning_phase": "LEARNING"},
        {"cpa_ratio": None, "roas": None, "frequency": None, "learning_phase": None},
    ]
)
EVERY = np.ones((3, len(ARMS)), dtype=bool)
KEYS = ["a", "b", "c"]
LOG = worlds.judged(400)
MAKE: dict[str, Callable[[], Policy]] = {
    "ridge": lambda: make_policy("ridge", alpha=0.1),
    "ridge, careful": lambda: make_policy("ridge", alpha=0.0, caution=1.0),
    "ridge on waves": lambda: make_policy("ridge", alpha=0.1, fourier=40, seed=3),
    "ridge on landmarks": lambda: make_policy("ridge", landmarks=30, bandwidth=0.7, patience=200),
    "ridge, Thompson": lambda: make_policy("ridge", alpha=1.0, exploration="thompson"),
    "sharing, alone": lambda: make_policy("sharing"),
    "sharing": lambda: make_policy("sharing", sharing=["act_1", "act_2"]),
    "vw, SquareCB": lambda: make_policy("vw"),
    "vw, RegCB": lambda: make_policy("vw", exploration="regcb"),
    "vw, RegCB optimistic": lambda: make_policy("vw", exploration="regcbopt"),
    "imitation": lambda: make_policy("imitation"),
    "rules": lambda: make_policy("rules", currency="USD"),
    "uniform": lambda: make_policy("uniform"),
    "response": lambda: make_policy("response"),
    "ridge, one an account": lambda: Apart(make_policy("ridge", alpha=0.1)),
    "vw, one for those that share": lambda: Apart(make_policy("vw"), sharing=["act_1", "act_2"]),
}
#: `assumptions` says why this policy keeps a smaller one.
FLOORS = {"response": Assumptions().pause_floor}
LEARNED = {name: make().fit(LOG) for name, make in MAKE.items()}
NEW = {f"{name}, new": make() for name, make in MAKE.items()}
LEARNERS = [name for name in MAKE if name not in ("rules", "uniform")]

everyone = pytest.mark.parametrize("policy", (LEARNED | NEW).values(), ids=LEARNED | NEW)
everyone_learned = pytest.mark.parametrize("policy", LEARNED.values(), ids=LEARNED)
learners = pytest.mark.parametrize("name", LEARNERS)

NUMBER = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 10))
ROW = st.fixed_dictionaries(
    {
        "cpa_ratio": NUMBER,
        "roas": NUMBER,
        "spend": NUMBER,
        "impressions": NUMBER,
        "conversions": NUMBER,
        "learning_phase": st.sampled_from([None, "ACTIVE", "LEARNING", "never heard of"]),
        "a_feature_of_next_year": NUMBER,
    }
)
MASK = st.lists(st.booleans(), min_size=6, max_size=6).filter(any)


def _one(row: dict[str, Value]) -> States:
    return worlds.states([row])


@everyone
@settings(max_examples=12, deadline=None)
@given(rows=st.lists(st.tuples(ROW, MASK), min_size=1, max_size=3))
def test_a_pmf_sums_to_one_is_zero_where_forbidden_and_floored_elsewhere(
    policy: Policy, rows: list[tuple[dict[str, Value], list[bool]]]
) -> None:
    allowed = np.array([mask for _, mask in rows])
    states = worlds.states([row for row, _ in rows])
    found = policy.choose(states, allowed=allowed, keys=KEYS[: len(rows)])
    assert np.allclose(found.pmf.sum(axis=1), 1)
    assert (found.pmf[~allowed] == 0).all()
    assert (found.pmf[allowed] >= FLOORS.get(policy.name, MIN_FLOOR)).all()
    at = np.arange(len(rows))
    assert allowed[at, found.arms].all()
    assert allowed[at, found.greedy].all()
    assert ((found.confidence > 0) & (found.confidence <= 1)).all()


@everyone
@settings(max_examples=12, deadline=None)
@given(row=ROW, other=ROW, mask=MASK, key=st.text(max_size=30))
def test_the_same_key_draws_the_same_arm_whatever_stands_beside_it(
    policy: Policy, row: dict[str, Value], other: dict[str, Value], mask: list[bool], key: str
) -> None:
    both = policy.choose(worlds.states([row, other]), allowed=np.array([mask] * 2), keys=[key, "x"])
    alone = policy.choose(_one(row), allowed=np.array([mask]), keys=[key])
    assert np.allclose(alone.pmf[0], both.pmf[0], rtol=1e-6, atol=1e-9)
    assert np.isclose(alone.confidence[0], both.confidence[0], rtol=1e-6)
    assert alone.arms[0] == both.arms[0]
    again = policy.choose(_one(row), allowed=np.array([mask]), keys=[key])
    assert (again.pmf == alone.pmf).all()


@everyone
@pytest.mark.parametrize("arm", range(len(ARMS)))
def test_the_only_arm_allowed_is_certain(policy: Policy, arm: int) -> None:
    only = np.zeros((1, len(ARMS)), dtype=bool)
    only[0, arm] = True
    found = policy.choose(STATES.take([0]), allowed=only, keys=["k"])
    assert found.pmf[0, arm] == pytest.approx(1)
    assert found.arms[0] == found.greedy[0] == arm


@everyone_learned
def test_draws_follow_the_pmf(policy: Policy) -> None:
    n = 1000
    many = worlds.states([{"cpa_ratio": 1.0, "roas": 2.0}] * n)
    mask = np.ones((n, 6), dtype=bool)
    found = policy.choose(many, allowed=mask, keys=[f"k{i}" for i in range(n)])
    shares = np.bincount(found.arms, minlength=6) / n
    assert np.abs(shares - found.pmf[0]).max() < 4 * 0.5 / np.sqrt(n)


@everyone
def test_a_saved_policy_chooses_the_same_to_the_last_bit(policy: Policy, tmp_path: Path) -> None:
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    assert type(again) is type(policy)
    for rows in ([0, 1, 2], [0], [2]):
        states, allowed, keys = STATES.take(rows), EVERY[rows], [KEYS[row] for row in rows]
        before = policy.choose(states, allowed=allowed, keys=keys)
        after = again.choose(states, allowed=allowed, keys=keys)
        assert (before.pmf == after.pmf).all()
        assert (before.confidence == after.confidence).all()
    assert again.features == policy.features
    assert again.explain(STATES, 0, Arm.PAUSE) == policy.explain(STATES, 0, Arm.PAUSE)
    again.save(tmp_path / "again")
    for name in ("policy.json", "policy.npz"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@everyone
def test_another_process_is_handed_the_same_policy(policy: Policy) -> None:
    handed = pickle.loads(pickle.dumps(policy))  # noqa: S301  # our own, as processes hand it over
    before, after = (p.choose(STATES, allowed=EVERY, keys=KEYS) for p in (policy, handed))
    assert (before.pmf == after.pmf).all()


@learners
def test_a_saved_policy_goes_on_learning_like_the_one_that_stayed(
    name: str, tmp_path: Path
) -> None:
    first, more = worlds.judged(120), worlds.judged(60, seed=5)
    stayed = MAKE[name]().fit(first)
    stayed.save(tmp_path)
    loaded = load_policy(tmp_path)
    ours, theirs = (
        one.learn(more).choose(STATES, allowed=EVERY, keys=KEYS) for one in (stayed, loaded)
    )
    assert (ours.pmf == theirs.pmf).all()


@learners
def test_nothing_to_learn_from_is_said_at_first_and_changes_nothing_later(name: str) -> None:
    nothing = LOG.head(0)
    with pytest.raises(NotEnoughDataError):
        MAKE[name]().fit(nothing)
    learned = MAKE[name]().fit(LOG.head(100))
    before = learned.choose(STATES, allowed=EVERY, keys=KEYS)
    after = learned.learn(nothing).choose(STATES, allowed=EVERY, keys=KEYS)
    assert (before.pmf == after.pmf).all()


@pytest.mark.parametrize("name", [one for one in LEARNERS if one != "imitation"])
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_reward_that_is_no_number_does_not_teach(name: str, poison: float) -> None:
    log = worlds.log(150)
    spoilt = log.assign(reward=log["reward"].where(log.index < 100, poison))
    found = [
        MAKE[name]().fit(one).choose(STATES, allowed=EVERY, keys=KEYS)
        for one in (spoilt, log.head(100))
    ]
    assert (found[0].pmf == found[1].pmf).all()


@learners
def test_features_that_are_no_numbers_are_unknown_and_harm_nobody(name: str) -> None:
    log = worlds.judged(150)
    holes = np.resize([np.nan, np.inf, -np.inf, 1e300], len(log))
    learned = MAKE[name]().fit(log.assign(state_frequency=holes))
    assert np.isfinite(learned.choose(STATES, allowed=EVERY, keys=KEYS).pmf).all()


@pytest.mark.parametrize("name", [one for one in MAKE if one.startswith("ridge")])
def test_the_order_of_the_log_does_not_matter_to_ridge(name: str) -> None:
    shuffled = LOG.sample(frac=1, random_state=1)
    found = [
        MAKE[name]().fit(one).choose(STATES, allowed=EVERY, keys=KEYS) for one in (LOG, shuffled)
    ]
    assert np.allclose(found[0].pmf, found[1].pmf, atol=1e-6)


@everyone
def test_every_arm_has_a_reason(policy: Policy) -> None:
    for arm in ARMS:
        for row in range(3):
            reasons = policy.explain(STATES, row, arm)
            assert reasons
            assert all(reason.text for reason in reasons)


@everyone
def test_a_row_that_allows_nothing_is_refused(policy: Policy) -> None:
    with pytest.raises(InvalidValueError, match="allows no arm"):
        policy.choose(STATES, allowed=~EVERY, keys=KEYS)
    with pytest.raises(InvalidValueError, match="allows no arm"):
        policy.choose(STATES.take([0]), allowed=~EVERY[:1], keys=["k"])


@everyone
def test_a_mask_or_keys_of_another_shape_are_refused(policy: Policy) -> None:
    with pytest.raises(InvalidValueError, match="allowed"):
        policy.choose(STATES.take([0]), allowed=EVERY, keys=["k"])
    with pytest.raises(InvalidValueError, match="keys"):
        policy.choose(STATES, allowed=EVERY, keys=["k"])


@pytest.mark.parametrize("policy", NEW.values(), ids=NEW)
def test_who_knows_nothing_leaves_things_alone(policy: Policy) -> None:
    states = worlds.states([{"cpa_ratio": 1.0}] * 3)
    found = policy.choose(states, allowed=EVERY, keys=KEYS)
    assert [ARMS[arm] for arm in found.greedy] == [Arm.MAINTAIN] * 3
