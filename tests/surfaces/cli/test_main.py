from __future__ import annotations

import json
from pathlib import Path

import pytest

from intel_ml.surfaces.cli.main import run


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "settings.env"
    file.write_text(f"ENABLE_INTELLIGENCE=true\nINTEL_HOME={tmp_path}\n")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    return file


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["statsu"], "status"),
        (["up", "--dmeo"], "--demo"),
        (["process", "executer"], "Did you mean 'executor'?"),
        (["import", "csv", "no-such.csv", "--account", "act_1"], "There is no file 'no-such.csv'"),
        (["kill"], "--reason"),
    ],
)
@pytest.mark.usefixtures("env_file")
def test_wrong_use_is_one_line_with_the_way_out_and_exit_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
):
    monkeypatch.setattr("sys.argv", ["intel-ml", *arguments])
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_a_misspelt_setting_is_exit_2(env_file: Path, capsys: pytest.CaptureFixture[str]):
    env_file.write_text("ENABLE_INTELIGENCE=true\n")
    assert run(["status"]) == 2
    assert "Did you mean 'ENABLE_INTELLIGENCE'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["up"], ["run", "collect"], ["kill", "--reason", "x"], ["lab"]]
)
def test_switched_off_every_command_refuses_politely(
    env_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    env_file.write_text("ENABLE_INTELLIGENCE=false\n")
    assert run(arguments) == 2
    assert "ENABLE_INTELLIGENCE=true" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_one_line_and_exit_1(
    env_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    env_file.write_text(
        f"ENABLE_INTELLIGENCE=true\nINTEL_DATABASE_URL=postgresql://nobody@/none?host={tmp_path}\n"
    )
    assert run(["status"]) == 1
    error = capsys.readouterr().err
    assert "The database does not answer." in error
    assert len(error.splitlines()) == 1


def test_doctor_says_ok_or_what_to_do_and_as_json_too(
    env_file: Path, capsys: pytest.CaptureFixture[str]
):
    env_file.write_text("ENABLE_INTELLIGENCE=false\nINTEL_DATABASE_URL=mysql://x/y\n")
    assert run(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "FIX  switches: Set ENABLE_INTELLIGENCE=true" in text
    assert "FIX  database: INTEL_DATABASE_URL" in text
    assert run(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"name", "is_ok", "finding"} == set(found[0])
