from __future__ import annotations

import json
import os
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
        (["kill", "--reason", " "], "--reason: is empty"),
        (["audit", "0"], "greater than or equal to 1"),
        (["run", "collect", "--set", "x"], "'x' is not parameter=value"),
        (["run", "collect", "--set", "x=NaN"], "NaN is not a finite number"),
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
    "arguments",
    [
        ["up"],
        ["run", "collect"],
        ["kill", "--reason", "x"],
        ["lab"],
        ["status"],
        ["audit", "1"],
        ["account", "list"],
        ["account", "targets", "act_1", "--cpa", "3"],
        ["token", "create", "--user", "ana"],
        ["sandbox", "clock"],
    ],
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


def test_what_nobody_foresaw_is_one_line_too(
    env_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert env_file.exists()

    def broken() -> None:
        raise ZeroDivisionError("division\nby access_token=EAAsecret zero")

    monkeypatch.setattr("intel_ml.surfaces.cli.opening.opened", broken)
    monkeypatch.setattr("intel_ml.surfaces.cli.running.opened", broken)
    assert run(["status"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ZeroDivisionError: division")
    assert len(error.splitlines()) == 1


def test_no_command_keeps_the_write_token(env_file: Path, monkeypatch: pytest.MonkeyPatch):
    """A notebook's kernel inherits the environment of the command that runs it."""
    file_says = env_file.read_text()
    env_file.write_text(file_says + "INTEL_DATABASE_URL=postgresql://nobody@127.0.0.1:9/none\n")
    monkeypatch.setenv("META_WRITE_TOKEN", "EAAwrite")
    assert run(["run", "collect"]) == 1
    assert "META_WRITE_TOKEN" not in os.environ
