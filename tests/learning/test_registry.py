"""The registry against a real tracking server; what a checkpoint refuses needs none."""

from __future__ import annotations

import json
import math
import shutil
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import ModelRefusedError, UnavailableError
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.artifacts import folder_sha256, refuse_unusable
from intel_ml.learning.registry import Registration, Registry, server_command
from tests.tracking import free_port

FEATURES = ["cpa_ratio", "roas", "frequency"]


def _name() -> str:
    return f"policy-{uuid.uuid4().hex[:8]}"


def _register(registry: Registry, name: str) -> tuple[str, str]:
    with registry.run("tests", "train") as run:
        registration = Registration(
            name, run.id, {"samples": 120.0}, {"data_range": "x"}, "# A card"
        )
        version = registry.register_policy(
            make_policy("ridge", alpha=0.1, features=FEATURES), registration=registration
        )
    return version, run.id


@pytest.mark.server
def test_what_is_registered_comes_back_by_alias_and_by_version(registry: Registry) -> None:
    name = _name()
    version, run_id = _register(registry, name)
    registry.set_alias(name, "shadow", version)
    by_alias = registry.load_policy(name, "shadow")
    by_version = registry.load_policy(name, version)
    assert by_alias is not None
    assert by_version is not None
    assert by_alias.policy.features == tuple(FEATURES)
    assert (by_alias.version, by_alias.run_id, by_alias.sha256) == (
        version,
        run_id,
        by_version.sha256,
    )
    [listed] = registry.versions(name)
    assert listed.aliases == ("shadow",)
    assert listed.card == "# A card"
    assert listed.tags["metric.samples"] == "120"
    assert {"sha256", "features_hash", "git_revision", "data_range"} <= set(listed.tags)


@pytest.mark.server
def test_what_is_not_registered_is_none(registry: Registry) -> None:
    name = _name()
    assert registry.load_policy(name, "champion") is None
    version, _ = _register(registry, name)
    assert registry.load_policy(name, "champion") is None
    assert registry.load_policy(name, str(int(version) + 1)) is None
    registry.set_alias(name, "champion", version)
    assert registry.load_policy(name, "champion") is not None
    registry.remove_alias(name, "champion")
    assert registry.load_policy(name, "champion") is None


@pytest.mark.server
def test_a_changed_artifact_is_refused(registry: Registry) -> None:
    name = _name()
    version, _ = _register(registry, name)
    registry.tag(name, version, tags={"sha256": "0" * 64})
    with pytest.raises(ModelRefusedError, match="hashes to"):
        registry.load_policy(name, version)


@pytest.mark.server
def test_a_model_of_other_features_is_refused(registry: Registry) -> None:
    name = _name()
    version, _ = _register(registry, name)
    registry.tag(name, version, tags={"features_hash": "another"})
    with pytest.raises(ModelRefusedError, match="other features"):
        registry.load_policy(name, version)


@pytest.mark.server
def test_the_newest_candidate_is_found_with_what_it_was_trained_on(registry: Registry) -> None:
    name = _name()
    assert registry.load_candidate(name) is None
    for alpha in (0.1, 0.7):
        with registry.run("tests", "train") as run:
            policy = make_policy("ridge", alpha=alpha, features=FEATURES)
            registry.save_candidate(policy, name=name, run_id=run.id, tags={"trained_rows": "7"})
    found = registry.load_candidate(name)
    assert found is not None
    assert found[1]["trained_rows"] == "7"
    assert found[1]["run_id"] == run.id


@pytest.mark.server
def test_a_run_that_raises_ends_failed(registry: Registry) -> None:
    ids = []

    def fail() -> None:
        with registry.run("tests", "x") as run:
            ids.append(run.id)
            run.log_metrics({"known": 1.0, "unknown": None})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    found = registry._client.get_run(ids[0])
    assert found.info.status == "FAILED"
    assert dict(found.data.metrics) == {"known": 1.0}


def test_a_server_that_does_not_answer_is_one_line() -> None:
    lonely = Registry(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError) as error:
        lonely.load_policy("campaign-policy", "champion")
    assert "\n" not in str(error.value)
    assert "intel-ml up" in str(error.value)


def test_the_servers_command_line_holds_no_password(tmp_path: Path) -> None:
    argv, environment = server_command(
        "postgresql+psycopg://u:secret@h/d",
        artifacts=tmp_path,
        host="127.0.0.1",
        port=1,
        python=sys.executable,
    )
    assert not any("secret" in part for part in argv)
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def _folder(path: Path, numbers: list[float], words: str) -> Path:
    path.mkdir()
    np.savez(path / "arrays.npz", weights=np.array(numbers))
    (path / "words.json").write_text(words)
    return path


@given(numbers=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5))
def test_arrays_are_accepted_exactly_when_every_number_is_finite(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    folder = _folder(tmp_path_factory.mktemp("m") / "model", numbers, "{}")
    if all(math.isfinite(n) for n in numbers):
        refuse_unusable(folder, sha256=folder_sha256(folder), what="it")
    else:
        with pytest.raises(ModelRefusedError, match="not finite"):
            refuse_unusable(folder, sha256=folder_sha256(folder), what="it")


def test_the_hash_sees_every_byte_and_every_name(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", [1.0], "{}")
    same = tmp_path / "same"
    shutil.copytree(one, same)
    assert folder_sha256(one) == folder_sha256(same)
    (same / "words.json").write_text("{ }")
    assert folder_sha256(one) != folder_sha256(same)
    renamed = tmp_path / "renamed"
    shutil.copytree(one, renamed)
    (renamed / "words.json").rename(renamed / "other.json")
    assert folder_sha256(one) != folder_sha256(renamed)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("model.pkl", b"x", "neither npz nor json"),
        ("model.npz", b"x", "cannot be read"),
        ("model.json", b"{", "not json"),
        ("model.json", json.dumps({"a": math.inf}).encode(), "not finite"),
        ("model.json", b'{"a": 1e999}', "not finite"),
    ],
)
def test_what_is_no_model_is_refused_with_the_file_named(
    tmp_path: Path, file: str, content: bytes, why: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelRefusedError, match=why) as error:
        refuse_unusable(tmp_path, sha256=None, what="it")
    assert file in str(error.value)


def test_an_array_of_objects_is_refused_without_unpickling(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", weights=np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelRefusedError, match=r"a\.npz"):
        refuse_unusable(tmp_path, sha256=None, what="it")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="no files"):
        refuse_unusable(tmp_path, sha256=None, what="it")
