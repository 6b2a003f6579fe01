"""What is said of past cases: never more than is known of each."""

from __future__ import annotations

import pytest

from intel_ml.core.actions import Arm
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.recall import Case, Whose, outcomes, verdicts

ADSETS = EntityType.ADSET


def case(earned: float | None, against: float | None) -> Case:
    reward = against if against is not None else earned
    return Case(0.9, Arm.REDUCE_20, reward=reward, earned=earned, against_left_alone=against)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            [case(0.1, 0.06), case(0.2, 0.12), case(0.0, -0.02)],
            "In the 3 most alike past cases that were reduced by 20%, 2 earned more than those "
            "left alone (median +6% of what was spent).",
        ),
        (
            [case(0.1, None), case(-0.2, None)],
            "In the 2 most alike past cases that were reduced by 20%, 1 earned more than before "
            "(median \N{MINUS SIGN}5% of what was spent, compared with none left alone).",
        ),
        (
            [case(0.1, 0.06), case(-0.2, None), case(0.1, None)],
            "In the 3 most alike past cases that were reduced by 20%, 2 earned more (median +6% "
            "of what was spent; 1 against those left alone, 2 against before).",
        ),
        (
            [case(0.1, 0.06)],
            "In the one alike past case that was reduced by 20%, it earned more than those left "
            "alone (+6% of what was spent).",
        ),
        (
            [case(0.1, -0.06)],
            "In the one alike past case that was reduced by 20%, it did not earn more than those "
            "left alone (\N{MINUS SIGN}6% of what was spent).",
        ),
        (
            [Case(0.9, Arm.REDUCE_20, reward=reward) for reward in (30.0, -2.0, 12.5)],
            "In the 3 most alike past cases that were reduced by 20%, 2 had a reward above 0 "
            "(median +12.5).",
        ),
    ],
)
def test_a_sentence_claims_the_comparison_there_was(told: list[Case], says: str) -> None:
    assert outcomes(Arm.REDUCE_20, told, Whose(ADSETS, len(told))).says == says


def test_what_was_left_alone_is_not_compared_with_what_was_left_alone() -> None:
    told = [Case(0.9, Arm.MAINTAIN, reward=0.0, earned=0.3, against_left_alone=0.0)] * 2
    assert outcomes(Arm.MAINTAIN, told, Whose(ADSETS, 2)).says == (
        "In the 2 most alike past cases that were left alone, 2 earned more than before (median "
        "+30% of what was spent)."
    )


def test_cases_of_few_ad_sets_and_of_other_accounts_are_said_to_be() -> None:
    told = [case(0.1, 0.06)] * 5
    says = outcomes(Arm.REDUCE_20, told, Whose(ADSETS, 1, lent=2)).says
    assert says.startswith("In the 5 most alike past cases that were reduced by 20% (1 ad set), 5")
    assert says.endswith("; 2 of them in other accounts that share.")


def test_people_who_changed_a_proposal_did_not_approve_it() -> None:
    said = [Verdict.APPROVED, Verdict.MODIFIED, Verdict.REJECTED]
    told = [Case(0.9, Arm.REDUCE_20, verdict=one) for one in said]
    assert verdicts(Arm.REDUCE_20, told, Whose(ADSETS, 3)).says == (
        "In the 3 most alike proposals to reduce the budget by 20% people approved 1 and changed 1."
    )
