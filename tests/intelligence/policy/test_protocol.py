"""What is refused: wrong names, wrong numbers, files that are no policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intel_ml.core.errors import InvalidValueError, ModelRefusedError, UnknownNameError
from intel_ml.intelligence.policy import load_policy, make_policy
from tests.intelligence.policy import worlds

RIDGE = make_policy("ridge", alpha=0.1).fit(worlds.judged(200))


@pytest.mark.parametrize("name", ["ridge", "imitation", "vw"])
def test_a_feature_the_log_lacks_is_named_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'cpa_ratio'"):
        make_policy(name, features=["cpa_rato"]).fit(worlds.judged(50))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ridge", {"alhpa": 1.0}, "alpha"),
        ("ridge", {"floor": 0.0}, "floor"),
        ("ridge", {"penalty": float("nan")}, "penalty"),
        ("ridge", {"exploration": "thomson"}, "Did you mean 'thompson'"),
        ("ridge", {"exploration": 1.0}, "exploration"),
        ("ridge", {"landmarks": 2.5}, "landmarks"),
        ("vw", {"exploration": "regcbop"}, "Did you mean 'regcbopt'"),
        ("vw", {"floor": 0.9}, "floor"),
        ("vw", {"weight_clip": 0.5}, "weight_clip"),
        ("rules", {"floor": 0.0}, "floor"),
        ("rules", {"rules": [{"name": "x"}]}, r"rules\[0\]"),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises((UnknownNameError, InvalidValueError), match=message):
        make_policy(name, **parameters)


def test_an_unknown_policy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ridge'"):
        make_policy("rigde")


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_model_with_numbers_that_are_not_finite_is_refused(tmp_path: Path, poison: float) -> None:
    RIDGE.save(tmp_path)
    with np.load(tmp_path / "policy.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["theta"][0, 0] = poison
    np.savez(tmp_path / "policy.npz", **arrays)
    with pytest.raises(ModelRefusedError, match="theta"):
        load_policy(tmp_path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    RIDGE.save(tmp_path)
    np.savez(tmp_path / "policy.npz", theta=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ModelRefusedError):
        load_policy(tmp_path)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="not a saved policy"):
        load_policy(tmp_path)


def test_a_model_vowpalwabbit_cannot_read_is_refused(tmp_path: Path) -> None:
    make_policy("vw").fit(worlds.log(60)).save(tmp_path)
    with np.load(tmp_path / "policy.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["model"] = arrays["model"][:40]
    np.savez(tmp_path / "policy.npz", **arrays)
    with pytest.raises(ModelRefusedError, match="VowpalWabbit"):
        load_policy(tmp_path)


def test_rules_that_are_no_rules_are_refused(tmp_path: Path) -> None:
    make_policy("rules").save(tmp_path)
    words = json.loads((tmp_path / "policy.json").read_text())
    words["rules"][0]["action_type"] = "explode"
    (tmp_path / "policy.json").write_text(json.dumps(words))
    with pytest.raises(ModelRefusedError, match="action_type"):
        load_policy(tmp_path)


@pytest.mark.parametrize("name", ["ridge", "imitation", "vw", "rules"])
def test_a_model_without_its_words_is_refused(name: str, tmp_path: Path) -> None:
    make_policy(name).fit(worlds.judged(80)).save(tmp_path)
    (tmp_path / "policy.json").write_text(json.dumps({"format": 1, "kind": name}))
    with pytest.raises(ModelRefusedError, match="incomplete"):
        load_policy(tmp_path)


def test_a_ridge_saved_before_there_were_landmarks_still_loads(tmp_path: Path) -> None:
    RIDGE.save(tmp_path)
    words = json.loads((tmp_path / "policy.json").read_text())
    for name in ("landmarks", "straight", "bent", "patience", "exploration"):
        del words["settings"][name]
    del words["used"]
    (tmp_path / "policy.json").write_text(json.dumps(words))
    with np.load(tmp_path / "policy.npz") as stored:
        arrays = {name: stored[name] for name in stored.files if "landmark" not in name}
    np.savez(tmp_path / "policy.npz", **arrays)
    again = load_policy(tmp_path)
    states = worlds.states([{"cpa_ratio": 3.0}])
    before, after = (
        one.choose(states, allowed=np.ones((1, 6), dtype=bool), keys=["k"])
        for one in (RIDGE, again)
    )
    assert (before.pmf == after.pmf).all()
