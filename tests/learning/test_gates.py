"""A model.toml lists candidates, or one algorithm as before; a wrong line is named, with a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.gates import MOST_CANDIDATES, ModelDescription, read_card, read_model

PROJECT = Path(__file__).parents[2]
HEAD = """
name = "mine"
type = "reinforcement"
description = "A model of a test."

[training]
features = ["cpa_ratio", "roas"]
"""
TAIL = """
[gates.shadow]
min_samples = 10

[gates.champion]
"""
ONE = """
[[training.candidates]]
name = "plain"
algorithm = "ridge"
parameters = { alpha = 0.0 }
"""
OTHER = """
[[training.candidates]]
name = "vw"
algorithm = "vw"
"""


def _read(tmp_path: Path, text: str) -> ModelDescription:
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "model.toml").write_text(text)
    return read_model(folder)


def test_candidates_keep_their_order_and_their_parameters(tmp_path: Path) -> None:
    found = _read(tmp_path, HEAD + ONE + OTHER + TAIL).training
    assert [one.name for one in found.considered] == ["plain", "vw"]
    assert found.considered[0].parameters == {"alpha": 0.0}


def test_a_file_with_one_algorithm_is_as_valid_as_before(tmp_path: Path) -> None:
    text = f'{HEAD}algorithm = "ridge"\n[training.parameters]\nalpha = 0.1\n{TAIL}'
    [alone] = _read(tmp_path, text).training.considered
    assert (alone.name, alone.algorithm, alone.parameters) == ("ridge", "ridge", {"alpha": 0.1})


@pytest.mark.parametrize("name", ["campaign-policy", "campaign-archetypes", "campaign-imitation"])
def test_the_committed_models_say_what_is_made(name: str) -> None:
    described = read_model(PROJECT / "models" / name)
    assert described.training.considered[0].algorithm
    assert read_card(PROJECT / "models" / name)


def test_a_card_longer_than_the_registry_keeps_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "card.md").write_text("ä" * 5_000)
    assert len(read_card(tmp_path)) == 5_000
    (tmp_path / "card.md").write_text("ä" * 5_001)
    with pytest.raises(InvalidValueError, match=r"card\.md: 5,001 characters are more than 5,000"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            ONE.replace("parameters", "paramters"),
            "candidates.0.paramters.*Did you mean 'parameters'",
        ),
        (ONE.replace("alpha", "alhpa"), "candidates.plain: .*'alhpa'.*Did you mean 'alpha'"),
        (ONE.replace("alpha = 0.0", "floor = 0.9"), "candidates.plain.floor"),
        (ONE.replace("alpha = 0.0", "seed = 3"), "candidates.plain.parameters.seed: is given by"),
        (ONE.replace("ridge", "rigde"), "candidates.plain: .*Did you mean 'ridge'"),
        (ONE.replace('"plain"', '"a name, with a comma"'), "candidates.0.name"),
        (ONE + ONE, "two candidates are called plain"),
        (f'algorithm = "ridge"\n{ONE}', "either one algorithm or a list"),
        ("", "either one algorithm or a list"),
        (f"{ONE}[training.parameters]\nalpha = 1.0\n", "belong to a candidate each"),
        (f"selection_share = 1.0\n{ONE}", "training.selection_share"),
        (f"selection_step = 2\n{ONE}", "selection_step: .*Did you mean 'selection_steps'"),
        (
            "".join(ONE.replace("plain", f"c{at}") for at in range(MOST_CANDIDATES + 1)),
            "at most 20 items",
        ),
    ],
)
def test_a_wrong_candidate_is_named(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(InvalidValueError, match=where):
        _read(tmp_path, HEAD + text + TAIL)


def test_a_wrong_key_of_a_gate_has_its_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="Did you mean 'min_samples'"):
        _read(tmp_path, HEAD + ONE + TAIL.replace("min_samples", "min_sample"))
