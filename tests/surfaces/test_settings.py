from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.surfaces.settings import Settings, load_settings

#: The plan's §13, name by name, with the value it gives.
PLAN = {
    "ENABLE_INTELLIGENCE": False,
    "ENABLE_INSIGHTS_COLLECTION": True,
    "ENABLE_RULES_ENGINE": True,
    "ENABLE_ML_PREDICTIONS": False,
    "ENABLE_ACTION_EXECUTOR": False,
    "MAX_AUTO_ACTIONS_PER_HOUR": 10,
    "REQUIRE_APPROVAL_FOR_DAYS": 30,
    "MIN_CONFIDENCE_FOR_AUTO": 0.85,
    "MAX_BUDGET_CHANGE_PERCENT": 30,
    "ACTION_COOLDOWN_HOURS": 4,
    "INSIGHTS_COLLECTION_INTERVAL": 60,
    "INITIAL_HISTORICAL_DAYS": 30,
    "ACTIVE_MODEL_VERSION": "rules_only",
    "ML_SHADOW_MODE": True,
    "MIN_TRAINING_SAMPLES": 1000,
}


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    file = tmp_path / "settings.env"
    file.write_text("")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    return file


@pytest.mark.usefixtures("env_file")
def test_every_control_of_the_plan_has_its_name_and_default():
    settings = load_settings()
    assert {name: getattr(settings, name.lower()) for name in PLAN} == PLAN


def test_the_environment_wins_over_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch):
    env_file.write_text("# a comment\nMAX_AUTO_ACTIONS_PER_HOUR=5\nMIN_TRAINING_SAMPLES='7'\n")
    monkeypatch.setenv("MAX_AUTO_ACTIONS_PER_HOUR", "3")
    settings = load_settings()
    assert (settings.max_auto_actions_per_hour, settings.min_training_samples) == (3, 7)


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("ENABLE_INTELIGENCE=true", "ENABLE_INTELLIGENCE"),
        ("MAX_AUTO_ACTION_PER_HOUR=3", "MAX_AUTO_ACTIONS_PER_HOUR"),
    ],
)
def test_an_unknown_setting_comes_with_the_nearest_in_file_and_environment(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, line: str, near: str
):
    env_file.write_text(line)
    with pytest.raises(UnknownNameError, match=f"Did you mean '{near}'"):
        load_settings()
    env_file.write_text("")
    monkeypatch.setenv(*line.split("="))
    with pytest.raises(UnknownNameError, match=f"Did you mean '{near}'"):
        load_settings()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("HOLDOUT_SHARE=0.9", "HOLDOUT_SHARE"),
        ("MAX_AUTO_ACTIONS_PER_HOUR=many", "MAX_AUTO_ACTIONS_PER_HOUR"),
        ("no equals sign", "line 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(env_file: Path, line: str, name: str):
    env_file.write_text(line)
    with pytest.raises(InvalidValueError, match=name):
        load_settings()


def test_only_the_executor_is_given_the_write_token(env_file: Path):
    env_file.write_text("META_WRITE_TOKEN=secret-write\n")
    assert load_settings().meta_write_token is None
    token = load_settings(with_write_token=True).meta_write_token
    assert token is not None
    assert "secret-write" not in repr(load_settings(with_write_token=True))
    assert token.get_secret_value() == "secret-write"
