"""Which rule wins, what is a notice, and what a person reads."""

from __future__ import annotations

import pytest

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import RuleRef, Source
from intel_ml.features.states import Value
from intel_ml.judgement.rules import evaluate
from tests.judgement.rules.rule_samples import all_of, rule, states

SPENT = all_of(("spend", ">", 50))
LOSER: dict[str, Value] = {"spend": 68.5, "conversions": 0.0, "impressions": 2000.0}


def test_a_rule_judges_only_its_level() -> None:
    evaluation = evaluate([rule(SPENT)], states(LOSER, kind=EntityType.AD))
    assert (evaluation.hits, evaluation.unknown, evaluation.checked) == ((), {"a rule": 0}, 1)


def test_a_resting_rule_says_nothing() -> None:
    assert evaluate([rule(SPENT, is_active=False)], states(LOSER)).unknown == {}


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        (("increase_budget", 9), ("pause", 1), ActionType.INCREASE_BUDGET),
        (("decrease_budget", 1), ("pause", 1), ActionType.PAUSE),
        (("increase_budget", 1), ("decrease_budget", 1), ActionType.DECREASE_BUDGET),
        (("notify_only", 99), ("increase_budget", 0), ActionType.INCREASE_BUDGET),
    ],
)
def test_priority_wins_then_the_more_protective_action_and_a_notice_never(
    first: tuple[str, int], second: tuple[str, int], winner: ActionType
) -> None:
    rules = [
        rule(
            SPENT,
            name=action,
            action_type=action,
            priority=priority,
            action_params={"percentage": 10} if "budget" in action else {},
        )
        for action, priority in (first, second)
    ]
    for order in (rules, rules[::-1]):
        assert evaluate(order, states(LOSER)).recommendations()[0].action.type is winner


def test_a_notice_alone_is_recommended_and_listed() -> None:
    evaluation = evaluate([rule(SPENT, action_type="notify_only")], states(LOSER))
    assert [hit.row for hit in evaluation.notices] == [0]
    assert evaluation.recommendations()[0].action == Action(ActionType.NOTIFY_ONLY)


def test_a_recommendation_knows_its_entity_and_rule() -> None:
    found = evaluate([rule(SPENT, id=12, version=3)], states({}, LOSER)).recommendations()
    assert list(found) == [1]
    assert found[1].entity.id == "1"
    assert (found[1].source, found[1].rule) == (Source.RULES, RuleRef(12, 3, "a rule"))


@pytest.mark.parametrize(
    ("conditions", "state", "currency", "sentences"),
    [
        (
            all_of(("spend", ">", 50), ("conversions", "=", 0)),
            LOSER,
            "USD",
            ["spent 68.50 USD with no purchase", "no purchase"],
        ),
        (
            all_of(("spend", ">", 50)),
            {"spend": 1234.0},
            "JPY",
            ["spent 1,234 JPY (needs over 50 JPY)"],
        ),
        (
            all_of(("cpa", ">", "{target_cpa * 2}"), ("conversions", ">=", 3)),
            {"cpa": 68.5, "target_cpa": 20.0, "conversions": 3.0},
            "USD",
            [
                "68.50 USD per purchase, over 2 x the target of 20.00 USD",
                "3 purchases (needs at least 3)",
            ],
        ),
        (
            all_of(("spend_7d", ">", "{target_cpa * 5}")),
            {"spend_7d": 14959.46, "target_cpa": 25.0},
            "EUR",
            ["spent 14,959.46 EUR in 7 days (needs over 125.00 EUR)"],
        ),
        (
            all_of(("learning_phase", "is", "LEARNING")),
            {"learning_phase": "LEARNING"},
            "USD",
            ["still in the learning phase"],
        ),
        (
            all_of(("days_active", "<", 7)),
            {"days_active": 3.25},
            "USD",
            ["running for 3.2 days, under 7 days"],
        ),
        (
            all_of(("frequency", ">", 3.5), ("ctr_trend_7d", "<", -15)),
            {"frequency": 3.81, "ctr_trend_7d": -18.2},
            None,
            [
                "seen 3.81 times by each person, over 3.50",
                "CTR is 18% lower than in the 4 days before (needs over 15% lower)",
            ],
        ),
        (
            all_of(("ctr_trend_7d", "decreasing")),
            {"ctr_trend_7d": -18.2},
            None,
            ["CTR is 18% lower than in the 4 days before"],
        ),
        (
            all_of(("hours_since_conversion", "for_days", 2)),
            {"hours_since_conversion": 50.0},
            None,
            ["50 hours without a purchase, at least 2 days"],
        ),
        (
            all_of(("cpa", "between", [10, 20])),
            {"cpa": 12.0},
            "EUR",
            ["12.00 EUR per purchase, between 10.00 EUR and 20.00 EUR"],
        ),
        (
            {"operator": "NOT", "rules": [{"field": "roas", "operator": ">", "value": 1}]},
            {"roas": 0.4},
            None,
            ["ROAS 0.40, at most 1.00"],
        ),
    ],
)
def test_reasons_say_what_was_observed_beside_the_threshold(
    conditions: object, state: dict[str, Value], currency: str | None, sentences: list[str]
) -> None:
    (hit,) = evaluate([rule(conditions)], states(state), currency=currency).hits
    assert [reason.text for reason in hit.reasons] == sentences


def test_a_reason_carries_the_numbers_and_the_unit() -> None:
    (hit,) = evaluate(
        [rule(all_of(("spend", ">", 50), ("cpa", ">", "{target_cpa * 2}")))],
        states({**LOSER, "cpa": 68.5, "target_cpa": 20.0}),
        currency="USD",
    ).hits
    spend, cpa = hit.reasons
    assert (spend.field, spend.observed, spend.operator, spend.threshold, spend.unit) == (
        "spend",
        68.5,
        ">",
        50.0,
        "USD",
    )
    assert cpa.threshold == 40.0


def test_of_an_or_only_what_holds_is_a_reason() -> None:
    either = {"operator": "OR", "rules": [SPENT, all_of(("roas", "<", 1))]}
    (hit,) = evaluate([rule(either)], states({"spend": 68.5, "roas": None})).hits
    assert [reason.field for reason in hit.reasons] == ["spend"]
