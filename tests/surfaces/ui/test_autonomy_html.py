"""What may run by itself, as the dashboard shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from intel_ml.core.actions import Arm
from intel_ml.learning.cells import Cell, CellMode, Earned
from intel_ml.learning.evaluation.autonomy import earned_so_far
from intel_ml.reporting.autonomy import command, next_step

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MODEL = "campaign-policy 7"


def cell(mode: CellMode = CellMode.AUTOMATIC, **evidence: Any) -> Cell:
    proof: Mapping[str, Any] = {"model": MODEL, "threshold": 0.9} | evidence
    return Cell("act_1", "Dear", Arm.PAUSE, mode, NOW, "ops", "proven.", 1, proof)


def found(verdicts: int, *, agree: float = 1.0, mine: Cell | None = None) -> Earned:
    sure = np.linspace(0.9, 0.99, verdicts)
    said = np.arange(verdicts) < agree * verdicts
    gate = earned_so_far(sure, said)
    return Earned("act_1", "Dear", Arm.PAUSE, MODEL, gate, mine)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (found(37), "63 more verdicts before it can be proven."),
        (found(99), "1 more verdict before it can be proven."),
        (
            found(120, agree=0.6),
            "People disagreed too often to promise 5% among what would run; "
            "looked at again at 200 verdicts.",
        ),
        (found(200), "Proven. A person with the command line may let it:"),
        (found(200, mine=cell()), "Granted by ops: proven."),
        (
            replace(found(37, mine=cell()), model="campaign-policy 8"),
            "A person is asked again: campaign-policy 8 speaks now, campaign-policy 7 "
            "had earned it.",
        ),
        (
            replace(found(200, mine=cell()), model="campaign-policy 8"),
            "A person is asked again: campaign-policy 8 speaks now, campaign-policy 7 "
            "had earned it. So has this one; it may be let too:",
        ),
    ],
)
def test_what_is_missing_or_can_be_done_is_said_in_plain_words(one: Earned, says: str) -> None:
    assert next_step(one) == says


def test_only_what_is_proven_can_be_granted_and_only_what_is_granted_taken_back() -> None:
    assert command(found(37)) == ""
    assert command(found(200)) == (
        'intel-ml autonomy grant act_1 pause --archetype Dear --reason "…"'
    )
    assert command(found(200, mine=cell())).startswith("intel-ml autonomy revoke act_1 pause")
    assert command(found(120, agree=0.6, mine=cell(CellMode.SHADOW))) == ""
    newer = replace(found(200, mine=cell()), model="campaign-policy 8")
    assert command(newer).startswith("intel-ml autonomy grant act_1 pause")
    assert command(replace(found(37, mine=cell()), model="campaign-policy 8")).startswith(
        "intel-ml autonomy revoke act_1 pause"
    )
