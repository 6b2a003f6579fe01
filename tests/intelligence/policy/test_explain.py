from __future__ import annotations

import pytest

from intel_ml.core.actions import Arm
from intel_ml.features.states import Value
from intel_ml.intelligence.policy.explain import LEARNED, Contribution, reasons


@pytest.mark.parametrize(
    ("state", "arm", "text"),
    [
        ({"cpa_ratio": 2.3}, Arm.PAUSE, "CPA is 130% above target"),
        ({"cpa_ratio": 2.0}, Arm.PAUSE, LEARNED),  # at the line, not over it
        ({"cpa_ratio": 2.3}, Arm.MAINTAIN, LEARNED),
        (
            {"frequency": 3.8, "ctr_trend_7d": -12.0},
            Arm.REDUCE_20,
            "Frequency 3.8 with declining CTR suggests fatigue",
        ),
        ({"frequency": 3.8, "ctr_trend_7d": None}, Arm.REDUCE_20, LEARNED),
        ({"roas": 3.2}, Arm.SCALE_10, "ROAS 3.2x suggests room to scale"),
        ({"roas": 3.2}, Arm.REDUCE_20, LEARNED),
        ({}, Arm.SCALE_20, LEARNED),
    ],
)
def test_the_plans_sentence_is_said_where_it_definitely_holds(
    state: dict[str, Value], arm: Arm, text: str
) -> None:
    assert reasons(state, arm, [])[0].text == text


def test_what_speaks_against_an_arm_is_no_reason_for_it() -> None:
    parts = [Contribution("roas", -0.5, 2.0), Contribution("frequency", 0.4, 2.0)]
    found = reasons({"roas": 1.0, "frequency": 4.0}, Arm.PAUSE, parts)
    assert [reason.field for reason in found] == ["frequency"]
    assert found[0].text == "Frequency is 4, above the usual 2"
