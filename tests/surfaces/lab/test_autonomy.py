"""The study of what could have run by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.surfaces.lab.autonomy import study
from tests.intelligence.policy import worlds


def _said(rows: int, *, whim: float) -> pd.DataFrame:
    """A person who approves what the state speaks for, and by whim says the opposite."""
    log = worlds.log(rows, seed=4)
    right = log["executed"] == log["proposed"]
    said = right ^ (np.random.default_rng(5).random(rows) < whim)
    return log.assign(
        as_of=pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC"),
        verdict=np.where(said, "approved", "rejected"),
        executed=np.where(said, log["proposed"], "maintain"),
        archetype=np.where(log["state_cpa_ratio"] > 2, "Dear", None),
    )


def test_a_steady_person_could_be_spared_most_questions() -> None:
    found = study(_said(1200, whim=0.0), risk=0.05, delta=0.1, newest=0.5)
    assert found.found.coverage > 0.5
    assert found.cells["runs"].sum() == found.found.automatic
    assert set(found.cells["archetype"]) == {"Dear", "none"}
    assert found.brier < 0.1
    assert "could run by itself" in found._repr_html_()
    for figure in (found.figure(), found.calibration()):
        assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)


def test_a_moody_one_is_asked_everything() -> None:
    found = study(_said(600, whim=0.3), risk=0.05, delta=0.1, newest=0.5)
    assert found.found.threshold is None
    assert found.cells["runs"].sum() == 0


def test_too_few_verdicts_are_said_to_be_too_few() -> None:
    with pytest.raises(NotEnoughDataError, match="judged"):
        study(_said(12, whim=0.0), risk=0.05, delta=0.1, newest=0.5)
