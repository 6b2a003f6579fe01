"""Simulated approvers: steady, sensible, and honest about what they don't know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.core.recommendations import Verdict
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.approvers import PROFILES, Approver, hidden_quality

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
    """Return how often a person says so of 200 cases that are nearly the same."""
    approver, spend = Approver(profile, 1), state.get("spend")
    cases = [state if spend is None else {**state, "spend": float(spend) + n} for n in range(200)]
    said = [approver.judge(key=str(n), arm=arm, state=case) for n, case in enumerate(cases)]
    return sum(one.verdict is verdict for one in said) / 200


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


BORDERLINE: dict[str, float | str | None] = {
    "cpa_ratio": 1.5,
    "conversions": 8.0,
    "spend": 200.0,
    "target_cpa": 20.0,
}


def same_answers(profile: str, consistency: float, *, arm: Arm) -> float:
    """Return how often a person, asked twice about one case, says the same."""
    person = Approver(profile, 3, consistency=consistency)
    same = answered = 0
    for n in range(600):
        state = {**BORDERLINE, "spend": 100.0 + n}
        first = person.judge(key=f"monday-{n}", arm=arm, state=state).verdict
        second = person.judge(key=f"tuesday-{n}", arm=arm, state=state).verdict
        if first is not None and second is not None:
            answered += 1
            same += first == second
    return same / answered


@pytest.mark.parametrize("profile", ["busy", "contrarian"])
def test_people_are_as_consistent_as_they_are_told_to_be(profile: str) -> None:
    steady, fickle = (same_answers(profile, c, arm=Arm.PAUSE) for c in (0.95, 0.0))
    assert steady >= 0.92  # 0.95, less the luck of a few hundred answers
    assert fickle < steady - 0.15
    assert same_answers(profile, 1.0, arm=Arm.PAUSE) == 1.0


def test_consistency_is_a_share() -> None:
    with pytest.raises(InvalidValueError, match="consistency"):
        Approver("careful", 1, consistency=1.5)


def test_careful_people_take_a_milder_step_where_the_proof_is_thin() -> None:
    thin = {**LOSER, "cpa_ratio": 1.6}
    answers = {
        Approver("careful", 1).judge(key=str(n), arm=Arm.REDUCE_50, state=thin) for n in range(100)
    }
    modified = [one for one in answers if one.verdict is Verdict.MODIFIED]
    assert modified
    assert {one.alternative for one in modified} == {Arm.REDUCE_20}


def test_every_rejection_has_a_reason_in_the_words_of_the_case() -> None:
    said = Approver("careful", 1).judge(key="1", arm=Arm.SCALE_20, state=LOSER)
    assert (said.verdict, said.reason) == (
        Verdict.REJECTED,
        "Over target; don't spend more.",
    )


def test_insiders_know_what_the_state_does_not_show(demo: World) -> None:
    quality = hidden_quality(demo)
    kinds = demo.population.adset_traits.kind
    of = {kind: demo.population.adsets[kinds.index(kind)].id for kind in ("winner", "dud")}
    assert quality[of["winner"]] > 0.2 > -0.8 > quality[of["dud"]]
    person = Approver("insider", 1, knows=quality)
    stranger = Approver("insider", 1)
    for n in range(20):
        asked = {"key": str(n), "arm": Arm.PAUSE, "state": LOSER}
        assert stranger.judge(**asked, entity_id=of["winner"]).verdict is Verdict.APPROVED
        kept = person.judge(**asked, entity_id=of["winner"])
        assert kept.verdict is not Verdict.APPROVED
        assert kept.reason.endswith("better than it looks.")
        assert person.judge(**asked, entity_id=of["dud"]).verdict is Verdict.APPROVED
    scaled = person.judge(key="1", arm=Arm.SCALE_20, state=WINNER, entity_id=of["dud"])
    assert scaled.verdict is Verdict.REJECTED
