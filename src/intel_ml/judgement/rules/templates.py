"""The rules every account starts with.

Reads   the account's currency.
Gives   the plan's five default rules, in the account's own scale.
Never   carries dollars into another currency: there, amounts are multiples of the account's target.

The plan's amounts belong to its target of 20 for a result. In US dollars they are taken as they
stand; elsewhere 50 becomes 2.5 and 100 becomes 5 times the target cost per result, and what is
compared with them stays unknown while no target is set.
"""

from __future__ import annotations

from typing import Any

from intel_ml.core.accounts import Account
from intel_ml.judgement.rules.language import Rule, parse_rule

_PLAN_CURRENCY = "USD"
_PLAN_TARGET = 20
_WASTED = 50
_PROVEN = 100


def default_rules(account: Account) -> list[Rule]:
    """Return the five rules for `account`."""
    return rules_in(account.currency)


def rules_in(currency: str) -> list[Rule]:
    """Return the five rules in a currency; any but US dollars gives multiples of the target."""
    return [parse_rule(one) for one in _templates(currency)]


def _templates(currency: str) -> list[dict[str, Any]]:
    wasted, proven = _amount(_WASTED, currency), _amount(_PROVEN, currency)
    return [
        {
            "name": "Zero Conversions Stop Loss",
            "description": "Money was spent, people saw it, nobody bought.",
            "category": "loss_prevention",
            "conditions": _all_of(
                ("spend", ">", wasted), ("conversions", "=", 0), ("impressions", ">", 1000)
            ),
            "action_type": "pause",
            "execution_mode": "approval_required",
            "applies_to": "adset",
        },
        {
            "name": "CPA Exceeds 2x Target",
            "description": "Results come, at more than twice what they may cost.",
            "category": "loss_prevention",
            "conditions": _all_of(
                ("cpa", ">", "{target_cpa * 2}"), ("conversions", ">=", 3), ("spend", ">", proven)
            ),
            "action_type": "decrease_budget",
            "action_params": {"percentage": 50},
            "execution_mode": "approval_required",
            "applies_to": "adset",
        },
        {
            "name": "Scale High ROAS Winners",
            "description": "Proven to bring back far more than it costs.",
            "category": "scaling",
            "conditions": _all_of(
                ("roas", ">", 2.5), ("spend_7d", ">", proven), ("conversions", ">=", 10)
            ),
            "action_type": "increase_budget",
            "action_params": {"percentage": 20},
            "execution_mode": "approval_required",
            "applies_to": "adset",
        },
        {
            "name": "Protect Learning Phase",
            "description": "Edits restart Meta's learning.",
            "category": "learning_protection",
            "conditions": _all_of(("learning_phase", "is", "LEARNING"), ("days_active", "<", 7)),
            "action_type": "notify_only",
            "action_params": {"message": "Ad set in learning phase - avoid edits"},
            "execution_mode": "automatic",
            "applies_to": "adset",
        },
        {
            "name": "Creative Fatigue Alert",
            "description": "The same people see it too often and click less.",
            "category": "fatigue_detection",
            "conditions": _all_of(("frequency", ">", 3.5), ("ctr_trend_7d", "<", -15)),
            "action_type": "notify_only",
            "action_params": {"message": "Creative fatigue detected - consider refresh"},
            "execution_mode": "automatic",
            "applies_to": "ad",
        },
    ]


def _all_of(*conditions: tuple[str, str, Any]) -> dict[str, Any]:
    rules = [{"field": name, "operator": how, "value": value} for name, how, value in conditions]
    return {"operator": "AND", "rules": rules}


def _amount(plan: int, currency: str) -> int | str:
    return plan if currency == _PLAN_CURRENCY else f"{{target_cpa * {plan / _PLAN_TARGET:g}}}"
