"""The default rules are the plan's, in the account's own scale."""

from __future__ import annotations

import pytest

from intel_ml.core.money import Money
from intel_ml.features.states import Value
from intel_ml.judgement.rules import evaluate, rule_json
from intel_ml.judgement.rules.templates import default_rules
from tests.features.histories import account
from tests.judgement.rules.rule_samples import states

NAMES = [
    *("Zero Conversions Stop Loss", "CPA Exceeds 2x Target", "Scale High ROAS Winners"),
    *("Protect Learning Phase", "Creative Fatigue Alert"),
]


def amounts(currency: str) -> list[object]:
    rules = default_rules(account(currency=currency, target_cpa=None))
    return [
        one["value"]
        for rule in rules
        for one in rule_json(rule)["conditions"]["rules"]
        if one["field"] in ("spend", "spend_7d")
    ]


def test_the_plan_s_five_rules() -> None:
    rules = default_rules(account())
    assert [one.name for one in rules] == NAMES
    assert [one.applies_to.value for one in rules] == ["adset"] * 4 + ["ad"]
    assert [one.action.percent for one in rules] == [None, -50, 20, None, None]
    assert all(one.message for one in rules[3:])


def test_dollars_stay_and_others_follow_the_target() -> None:
    assert amounts("USD") == [50.0, 100.0, 100.0]
    assert amounts("JPY") == ["{target_cpa * 2.5}", "{target_cpa * 5}", "{target_cpa * 5}"]


LOSER: dict[str, Value] = {"conversions": 0.0, "impressions": 1001.0}


@pytest.mark.parametrize(
    ("currency", "spend", "target", "hits", "unknown"),
    [
        ("USD", 50.01, None, 1, 0),
        ("USD", 50.0, None, 0, 0),
        ("JPY", 5001.0, 2000.0, 1, 0),
        ("JPY", 5000.0, 2000.0, 0, 0),
        ("JPY", 9999.0, None, 0, 1),
    ],
)
def test_stop_loss_fires_above_its_amount_and_never_on_an_unknown_one(
    currency: str, spend: float, target: float | None, hits: int, unknown: int
) -> None:
    (stop_loss, *_) = default_rules(account(currency=currency, target_cpa=Money(1, currency)))
    evaluation = evaluate([stop_loss], states({**LOSER, "spend": spend, "target_cpa": target}))
    assert (len(evaluation.hits), evaluation.unknown[NAMES[0]]) == (hits, unknown)
