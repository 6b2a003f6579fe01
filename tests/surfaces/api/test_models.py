"""Which models serve: the newest that works, or the one before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from intel_ml.core.errors import ModelRefusedError
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.api.models import (
    ModelKeeper,
    Models,
    loader,
    measured_outcomes,
    wanted_version,
)
from intel_ml.surfaces.settings import Settings

WORKING = Models(warning="the one that works")


def settings(home: Path, **values: object) -> Settings:
    return Settings.model_validate({"enable_intelligence": True, "intel_home": home} | values)


def test_a_broken_model_never_replaces_one_that_works() -> None:
    failures: list[Exception] = [
        ModelRefusedError("Its hash is another."),
        ValueError("NaN"),
        OSError(),
    ]

    def load(_: Models) -> Models:
        if failures:
            raise failures.pop()
        return WORKING

    keeper = ModelKeeper(load)
    while failures:
        kept = keeper.check()
        assert (kept.policy, kept.archetypes) == (None, {})
        assert kept.warning is not None
        assert "rules alone decide" in kept.warning
    assert keeper.check() is WORKING
    assert keeper.current is WORKING


def test_newer_models_are_found_in_the_background() -> None:
    found = threading.Event()

    def load(before: Models) -> Models:
        if before is WORKING:
            found.set()
        return WORKING

    keeper = ModelKeeper(load, every_s=0.01)
    keeper.start()
    assert found.wait(timeout=10)
    keeper.stop()


@pytest.mark.parametrize(
    ("version", "shadow", "wanted"),
    [
        ("rules_only", True, "shadow"),
        ("rules_only", False, None),
        ("champion", False, "champion"),
        ("7", True, "7"),
    ],
)
def test_the_settings_say_which_version_is_wanted(
    tmp_path: Path, version: str, *, shadow: bool, wanted: str | None
) -> None:
    chosen = settings(
        tmp_path, enable_ml_predictions=True, ml_shadow_mode=shadow, active_model_version=version
    )
    assert wanted_version(chosen) == wanted


def test_without_predictions_no_registry_is_asked(store: Store, tmp_path: Path) -> None:
    models = ModelKeeper(loader(store, settings(tmp_path))).check()
    assert models.policy is None
    assert models.warning == "No policy decided: ENABLE_ML_PREDICTIONS=false."


def test_a_registry_that_is_away_leaves_the_rules_alone(store: Store, tmp_path: Path) -> None:
    away = settings(tmp_path, enable_ml_predictions=True, intel_mlflow_port=9)
    models = ModelKeeper(loader(store, away)).check()
    assert models.policy is None
    assert models.warning is not None
    assert "does not answer" in models.warning


def test_outcomes_are_counted_once_measured(store: Store) -> None:
    assert measured_outcomes(store) == 0
