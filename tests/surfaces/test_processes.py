from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.surfaces.processes import QUIET, environment, process_names, process_spec
from intel_ml.surfaces.settings import Settings

EVERYTHING = ["mlflow", "executor", "api", "ui", "scheduler"]


@pytest.mark.parametrize("name", ["mlflow", "api", "ui", "scheduler", "executor", "sandbox"])
def test_only_who_is_to_write_finds_the_write_token_in_its_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("META_WRITE_TOKEN", "secret")
    given = environment(env_file=None, name=name)
    assert ("META_WRITE_TOKEN" in given) == (name in {"executor", "sandbox"})


def test_a_child_with_a_settings_file_sees_no_setting_of_the_shell_it_was_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("META_ACCESS_TOKEN", "a-real-one")
    monkeypatch.setenv("INTEL_DATABASE_URL", "postgresql://a-real-one")
    given = environment(env_file=tmp_path / "settings.env", name="executor")
    assert not {name.upper() for name in Settings.model_fields} & set(given)
    assert given["INTEL_ENV_FILE"] == str(tmp_path / "settings.env")


def test_every_child_is_quiet_and_compiles_what_it_imports(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    given = environment(env_file=None)
    assert QUIET.items() <= given.items()
    assert "PYTHONDONTWRITEBYTECODE" not in given


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(enable_action_executor=True), EVERYTHING),
        (Settings(), [n for n in EVERYTHING if n != "executor"]),
        (
            Settings(enable_insights_collection=False, enable_rules_engine=False),
            ["mlflow", "api", "ui"],
        ),
        (Settings(intel_sandbox_world="demo"), ["sandbox", "mlflow", "api", "ui", "scheduler"]),
    ],
)
def test_the_settings_decide_which_processes_there_are(settings: Settings, names: list[str]):
    assert process_names(settings) == names


def test_every_server_is_asked_on_loopback_whether_it_is_ready():
    settings = Settings(intel_sandbox_world="demo", enable_action_executor=True)
    urls = [process_spec(n, settings, env_file=None).ready_url for n in process_names(settings)]
    assert all(url is None or url.startswith("http://127.0.0.1:") for url in urls)
    assert sum(url is not None for url in urls) == 4
