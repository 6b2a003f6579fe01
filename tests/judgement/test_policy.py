from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy import make_policy
from intel_ml.judgement.policy import NO_RULE, OTHER_RULE, Policy
from intel_ml.judgement.rules import parse_rule
from tests.intelligence.policy import worlds

WASTED = {"spend": 80.0, "conversions": 0.0, "impressions": 5000.0, "cpa": None, "roas": 0.0}
WINNER = {"spend": 90.0, "spend_7d": 500.0, "conversions": 30.0, "roas": 4.0, "cpa": 3.0}
QUIET = {"spend": 10.0, "conversions": 2.0, "impressions": 900.0, "roas": 1.0, "cpa": 5.0}
UNKNOWN: dict[str, Any] = dict.fromkeys(WASTED)
STATES = worlds.states([WASTED, WINNER, QUIET, UNKNOWN])
EVERY = np.ones((4, len(ARMS)), dtype=bool)
KEYS = list("abcd")


def _rule(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Dear",
        "category": "loss_prevention",
        "conditions": {"field": "cpa", "operator": ">", "value": 2},
        "action_type": "decrease_budget",
        "action_params": {"percentage": 20},
        "applies_to": "adset",
        **changes,
    }


def test_it_does_what_the_rules_say_and_leaves_the_rest_alone() -> None:
    found = make_policy("rules", currency="USD").choose(STATES, allowed=EVERY, keys=KEYS)
    assert [ARMS[a] for a in found.greedy] == [
        Arm.PAUSE,
        Arm.SCALE_20,
        Arm.MAINTAIN,
        Arm.MAINTAIN,  # a missing value fires nothing
    ]
    assert found.pmf[0].tolist() == pytest.approx([0.9, *[0.02] * 5])


def test_what_is_not_allowed_becomes_maintain() -> None:
    allowed = EVERY.copy()
    allowed[0, ARMS.index(Arm.PAUSE)] = False
    found = make_policy("rules", currency="USD").choose(STATES, allowed=allowed, keys=KEYS)
    assert found.arm(0) in ARMS
    assert ARMS[found.greedy[0]] is Arm.MAINTAIN
    assert found.pmf[0, 0] == 0


def test_rules_may_be_given_as_json_or_as_rules() -> None:
    for rule in (_rule(), parse_rule(_rule())):
        found = Policy(rules=[rule]).choose(STATES, allowed=EVERY, keys=KEYS)
        assert [ARMS[a] for a in found.greedy[1:3]] == [Arm.REDUCE_20, Arm.REDUCE_20]


@pytest.mark.parametrize(
    "changes",
    [
        {"action_type": "notify_only", "action_params": {"message": "look"}},
        {"execution_mode": "suggestion_only"},
        {"is_active": False},
        {"applies_to": "ad"},
    ],
)
def test_what_only_speaks_does_not_act(changes: dict[str, Any]) -> None:
    found = Policy(rules=[_rule(**changes)]).choose(STATES, allowed=EVERY, keys=KEYS)
    assert [ARMS[a] for a in found.greedy] == [Arm.MAINTAIN] * 4


def test_it_reads_the_fields_of_its_rules_and_no_others() -> None:
    relative = _rule(conditions={"field": "cpa", "operator": ">", "value": "{target_cpa * 2}"})
    assert Policy(rules=[relative]).features == ("cpa", "target_cpa")
    assert Policy(rules=[]).features == ()


def test_it_says_which_condition_decided() -> None:
    policy = make_policy("rules", currency="USD")
    assert policy.explain(STATES, 0, Arm.PAUSE)[0].field == "spend"
    assert policy.explain(STATES, 2, Arm.MAINTAIN)[0].text == NO_RULE
    assert policy.explain(STATES, 2, Arm.PAUSE)[0].text == OTHER_RULE


def test_it_takes_what_a_models_file_gives_to_any_policy() -> None:
    assert make_policy("rules", features=["cpa_ratio"], seed=3, floor=0.05).name == "rules"
