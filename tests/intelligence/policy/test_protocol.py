"""Claims every policy has to keep, checked on all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, ModelRefusedError, UnknownNameError
from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.protocol import Policy
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


def _learned() -> dict[str, Policy]:
    log = worlds.judged(400)
    return {
        "ridge": make_policy("ridge", alpha=0.1).fit(log),
        "ridge on waves": make_policy("ridge", alpha=0.1, fourier=40, seed=3).fit(log),
        "imitation": make_policy("imitation").fit(log),
        "uniform": make_policy("uniform"),
        "ridge that knows nothing": make_policy("ridge"),
        "imitation that knows nothing": make_policy("imitation"),
    }


LEARNED = _learned()
everyone = pytest.mark.parametrize("policy", LEARNED.values(), ids=LEARNED)


@everyone
@settings(max_examples=25, deadline=None)
@given(mask=st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=3, max_size=3))
def test_a_pmf_sums_to_one_is_zero_where_forbidden_and_floored_elsewhere(
    policy: Policy, mask: list[list[bool]]
) -> None:
    allowed = np.array(mask)
    allowed[:, 1] = True
    found = policy.choose(STATES, allowed=allowed, keys=KEYS)
    assert np.allclose(found.pmf.sum(axis=1), 1)
    assert (found.pmf[~allowed] == 0).all()
    assert (found.pmf[allowed] >= 0.01).all()
    rows = np.arange(3)
    assert allowed[rows, found.arms].all()
    assert allowed[rows, found.greedy].all()
    assert ((found.confidence > 0) & (found.confidence <= 1)).all()


@everyone
def test_the_same_key_draws_the_same_arm_whatever_stands_beside_it(policy: Policy) -> None:
    whole = policy.choose(STATES, allowed=EVERY, keys=KEYS)
    for row, key in enumerate(KEYS):
        alone = policy.choose(STATES.take([row]), allowed=EVERY[:1], keys=[key])
        assert alone.arms[0] == whole.arms[row]


@everyone
def test_draws_follow_the_pmf(policy: Policy) -> None:
    n = 4000
    many = worlds.states([{"cpa_ratio": 1.0, "roas": 2.0}] * n)
    mask = np.ones((n, 6), dtype=bool)
    found = policy.choose(many, allowed=mask, keys=[f"k{i}" for i in range(n)])
    shares = np.bincount(found.arms, minlength=6) / n
    assert np.abs(shares - found.pmf[0]).max() < 4 * 0.5 / np.sqrt(n)


@everyone
def test_a_saved_policy_chooses_the_same_to_the_last_bit(policy: Policy, tmp_path: Path) -> None:
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    before = policy.choose(STATES, allowed=EVERY, keys=KEYS)
    after = again.choose(STATES, allowed=EVERY, keys=KEYS)
    assert (before.pmf == after.pmf).all()
    assert (before.confidence == after.confidence).all()
    assert again.features == policy.features
    again.save(tmp_path / "again")
    for name in ("policy.json", "policy.npz"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


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


@pytest.mark.parametrize("name", ["ridge", "imitation"])
def test_who_knows_nothing_leaves_things_alone(name: str) -> None:
    found = make_policy(name).choose(STATES, allowed=EVERY, keys=KEYS)
    assert [ARMS[arm] for arm in found.greedy] == [Arm.MAINTAIN] * 3


@pytest.mark.parametrize("name", ["ridge", "imitation"])
def test_a_feature_the_log_lacks_is_named_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'cpa_ratio'"):
        make_policy(name, features=["cpa_rato"]).fit(worlds.judged(50))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"alhpa": 1.0}, "alpha"), ({"floor": 0.0}, "floor"), ({"penalty": float("nan")}, "penalty")],
)
def test_a_wrong_parameter_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises((UnknownNameError, InvalidValueError), match=message):
        make_policy("ridge", **parameters)


def test_an_unknown_policy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ridge'"):
        make_policy("rigde")


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_model_with_numbers_that_are_not_finite_is_refused(tmp_path: Path, poison: float) -> None:
    LEARNED["ridge"].save(tmp_path)
    with np.load(tmp_path / "policy.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["theta"][0, 0] = poison
    np.savez(tmp_path / "policy.npz", **arrays)
    with pytest.raises(ModelRefusedError, match="theta"):
        load_policy(tmp_path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    LEARNED["ridge"].save(tmp_path)
    np.savez(tmp_path / "policy.npz", theta=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ModelRefusedError):
        load_policy(tmp_path)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="not a saved policy"):
        load_policy(tmp_path)
