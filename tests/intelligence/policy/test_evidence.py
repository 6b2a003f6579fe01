from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import Arm
from intel_ml.intelligence.policy import evidence
from intel_ml.learning.rewards import earned

MONEY = st.floats(0, 1e4)


def a_log(spend: float, conversions: float, target: float, *, executed: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "executed": [executed],
            "p_executed": [0.5],
            "reward": [0.3],
            "reward_earned": [0.5],
            "state_spend": [spend],
            "state_conversions": [conversions],
            "state_target_cpa": [target],
        }
    )


@given(spend=MONEY, conversions=st.floats(0, 200), target=st.floats(0.01, 500))
def test_what_a_pause_would_have_earned_is_what_a_pause_earns(
    spend: float, conversions: float, target: float
):
    both = evidence.with_pauses(a_log(spend, conversions, target, executed="scale_10"))
    assert list(both["executed"]) == ["scale_10", Arm.PAUSE.value]
    before = {"spend": spend, "conversions": conversions, "target_cpa": target}
    paused = earned(before, {"spend": 0.0, "conversions": 0.0, "target_cpa": target})
    left_alone_earned = 0.5 - 0.3
    assert both["reward"].iloc[1] == pytest.approx((paused or 0.0) - left_alone_earned)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (a_log(50, 0, 20, executed="pause"), "it was paused: what it earned is known"),
        (a_log(np.nan, 0, 20, executed="maintain"), "unknown spend"),
        (a_log(50, 0, np.nan, executed="maintain"), "no target"),
        (a_log(50, 0, 20, executed="maintain").drop(columns="state_spend"), "a log without money"),
    ],
)
def test_nothing_is_imagined_where_it_was_tried_or_cannot_be_known(log: pd.DataFrame, why: str):
    assert len(evidence.with_pauses(log)) == 1, why
