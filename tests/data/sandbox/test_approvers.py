"""Simulated approvers: steady, sensible, and honest about what they don't know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import UnknownNameError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.sandbox.approvers import PROFILES, Approver

numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)
states = st.fixed_dictionaries(
    {},
    optional={
        "cpa_ratio": numbers,
        "cpa": numbers,
        "target_cpa": numbers,
        "spend": numbers,
        "conversions": numbers,
        "frequency": numbers,
        "learning_phase": st.sampled_from([None, "LEARNING", "ACTIVE"]),
    },
)


@given(
    profile=st.sampled_from(sorted(PROFILES)),
    arm=st.sampled_from(ARMS),
    key=st.text(),
    state=states,
)
def test_the_same_question_gets_the_same_answer_whatever_is_unknown(
    profile: str, arm: Arm, key: str, state: dict[str, float | str | None]
) -> None:
    first = Approver(profile, 5).judge(key=key, arm=arm, state=state)
    assert Approver(profile, 5).judge(key=key, arm=arm, state=state) == first
    assert first.reason
    assert (first.verdict is Verdict.MODIFIED) == (first.alternative is not None)


def share(
    profile: str, verdict: Verdict | None, *, arm: Arm, state: dict[str, float | str | None]
) -> float:
    approver = Approver(profile, 1)
    return (
        sum(approver.judge(key=str(n), arm=arm, state=state).verdict is verdict for n in range(200))
        / 200
    )


LOSER: dict[str, float | str | None] = {
    "cpa_ratio": 3.0,
    "conversions": 8.0,
    "spend": 480.0,
    "target_cpa": 20.0,
}
WINNER: dict[str, float | str | None] = {
    "cpa_ratio": 0.5,
    "conversions": 30.0,
    "spend": 300.0,
    "target_cpa": 20.0,
}


def test_careful_people_approve_what_is_proven_and_reject_what_is_not() -> None:
    assert share("careful", Verdict.APPROVED, arm=Arm.PAUSE, state=LOSER) > 0.95
    assert share("careful", Verdict.APPROVED, arm=Arm.SCALE_20, state=WINNER) > 0.95
    assert share("careful", Verdict.APPROVED, arm=Arm.PAUSE, state=WINNER) < 0.05
    assert share("careful", Verdict.APPROVED, arm=Arm.SCALE_20, state=LOSER) < 0.05


def test_nobody_careful_pauses_on_missing_data() -> None:
    assert share("careful", Verdict.APPROVED, arm=Arm.PAUSE, state={"cpa_ratio": None}) == 0


def test_busy_people_let_half_expire_and_contrarians_oppose() -> None:
    assert 0.35 < share("busy", None, arm=Arm.PAUSE, state=LOSER) < 0.65
    assert share("contrarian", Verdict.REJECTED, arm=Arm.PAUSE, state=LOSER) > 0.5
    assert share("trusting", Verdict.APPROVED, arm=Arm.PAUSE, state={}) > 0.9


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="careful"):
        Approver("carefull", 1)
