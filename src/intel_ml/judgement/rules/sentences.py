"""Why a rule fired, in words a person reads: what was observed beside what it was held against.

Reads   the conditions that decided, and the state they decided on.
Gives   one `Reason` a condition: "spent 68.50 USD with no purchase".
Never   is asked for an entity no rule fired on: only hits are explained.
"""

from __future__ import annotations

from collections.abc import Mapping

from intel_ml.core.money import money_from_major
from intel_ml.core.recommendations import Reason
from intel_ml.features.catalogue import Feature, Kind, feature
from intel_ml.features.states import Value
from intel_ml.judgement.rules.conditions import (
    Condition,
    Multiple,
    Node,
    Operator,
    Threshold,
)
from intel_ml.judgement.rules.rows import Evidence, State, evidence, threshold

_RELATIONS: Mapping[Operator, str] = {
    Operator.OVER: "over",
    Operator.UNDER: "under",
    Operator.AT_LEAST: "at least",
    Operator.AT_MOST: "at most",
    Operator.EQUAL: "exactly",
    Operator.NOT_EQUAL: "not",
    Operator.BETWEEN: "between",
    Operator.FOR_HOURS: "at least",
    Operator.FOR_DAYS: "at least",
    Operator.IN: "one of",
    Operator.NOT_IN: "none of",
}
_OPPOSITES: Mapping[Operator, Operator] = {
    Operator.OVER: Operator.AT_MOST,
    Operator.UNDER: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.UNDER,
    Operator.AT_MOST: Operator.OVER,
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.FOR_HOURS: Operator.UNDER,
    Operator.FOR_DAYS: Operator.UNDER,
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
}

#: What is said of a value, with {} in its place; a field without an entry is "label {}".
_SAYINGS: Mapping[str, str] = {
    "spend": "spent {}",
    "spend_today": "spent {} today",
    "spend_7d": "spent {} in 7 days",
    "conversion_value": "sold for {}",
    "cpa": "{} per purchase",
    "cpa_today": "{} per purchase today",
    "cpa_7d": "{} per purchase in 7 days",
    "cpc": "{} per click",
    "cpm": "{} per 1,000 impressions",
    "impressions": "{} impressions",
    "reach": "{} people reached",
    "clicks": "{} clicks",
    "frequency": "seen {} times by each person",
    "cpa_ratio": "cost per purchase is {} times the target",
    "days_active": "running for {}",
    "hours_since_conversion": "{} without a purchase",
    "days_since_edit": "last edited {} ago",
    "daily_budget": "daily budget of {}",
    "budget_utilization": "{} of the day's budget spent",
    "budget_pacing": "on course for {} of the day's budget",
    "hour_of_day": "it is {} o'clock in the account",
    "day_of_week": "it is {} in the account",
    "effective_status": "status is {}",
}
_PHASES: Mapping[str, str] = {
    "LEARNING": "still in the learning phase",
    "LEARNING_LIMITED": "learning is limited: too few results",
    "ACTIVE": "done learning",
}
_PURCHASES: Mapping[str, str] = {
    "conversions": "",
    "conversions_today": " today",
    "conversions_7d": " in 7 days",
}
_CHANGES: Mapping[str, str] = {
    "cpa_trend_3d": "cost per purchase is {} than in the 3 days before",
    "ctr_trend_3d": "CTR is {} than in the 3 days before",
    "cpa_trend_7d": "cost per purchase is {} than in the 4 days before",
    "ctr_trend_7d": "CTR is {} than in the 4 days before",
    "roas_trend_7d": "ROAS is {} than in the 4 days before",
}
#: Which sign a change has that is more than a threshold on this side.
_STEEPER: Mapping[Operator, int] = {Operator.UNDER: -1, Operator.OVER: 1}
_SHARES = frozenset({"budget_utilization", "budget_pacing"})
_SPENDING = frozenset({"spend", "spend_today", "spend_7d"})
#: Fields that say how much there is to judge by: a rule needs enough of it.
_AMOUNTS = _SPENDING | {*_PURCHASES, "impressions", "clicks", "reach", "days_active"}
_NEEDS = frozenset({Operator.OVER, Operator.AT_LEAST})
_TARGETS = frozenset({"target_cpa", "target_roas"})
_NOTHING = frozenset(f"no purchase{when}" for when in _PURCHASES.values())
_SMALL = 10


def reasons(node: Node, state: State, *, currency: str | None) -> tuple[Reason, ...]:
    """Return why `node` holds for `state`; amounts are in major units of `currency`."""
    decided = list(evidence(node, state))
    no_purchase = any(
        one.condition.field == "conversions" and state.get("conversions") == 0 for one in decided
    )
    return tuple(
        _reason(one, state, currency=currency, is_without_purchase=no_purchase) for one in decided
    )


def _reason(
    one: Evidence, state: State, *, currency: str | None, is_without_purchase: bool
) -> Reason:
    condition, known = one.condition, feature(one.condition.field)
    value = state.get(condition.field)
    text = _observed(known, value, currency)
    if condition.field in _SPENDING and is_without_purchase:
        text = f"{text} with no purchase"
    elif condition.values and not known.is_word and text not in _NOTHING:
        text = f"{text}{_held_against(one, state, currency)}"
    limits = [threshold(limit, state) for limit in condition.values]
    return Reason(
        text=text,
        field=condition.field,
        observed=value,
        operator=f"not {condition.operator}" if one.is_negated else str(condition.operator),
        threshold=limits[0] if len(limits) == 1 else " to ".join(map(_plain, limits)) or None,
        unit=(currency if known.kind is Kind.MONEY else known.unit) or None,
    )


def _observed(known: Feature, value: Value, currency: str | None) -> str:
    if known.name in _PURCHASES:
        return f"{_purchases(value)}{_PURCHASES[known.name]}"
    if known.name in _CHANGES and isinstance(value, float):
        return _CHANGES[known.name].format(_change(value))
    if known.name == "learning_phase" and value in _PHASES:
        return _PHASES[str(value)]
    shown = _amount(known, value, currency)
    return _SAYINGS.get(known.name, f"{known.label} {{}}").format(shown)


def _held_against(one: Evidence, state: State, currency: str | None) -> str:
    """Return what follows a value: " (needs over 125.00 EUR)" or ", over 2.50"."""
    condition = one.condition
    if condition.field in _CHANGES and condition.operator in _STEEPER and not one.is_negated:
        least = threshold(condition.values[0], state)
        if isinstance(least, float) and least * _STEEPER[condition.operator] > 0:
            return f" (needs over {_change(least)})"
    is_enough = condition.field in _AMOUNTS and condition.operator in _NEEDS
    if not is_enough or one.is_negated:
        return f", {_limit(one, state, currency)}"
    limit = _amount(feature(condition.field), threshold(condition.values[0], state), currency)
    return f" (needs {_RELATIONS[condition.operator]} {limit})"


def _limit(one: Evidence, state: State, currency: str | None) -> str:
    """Return the relation and the threshold: "over 2 x the target of 20.00 USD"."""
    condition, operator = one.condition, one.condition.operator
    known = feature(condition.field)
    limits = [_limit_amount(known, limit, state, condition, currency) for limit in condition.values]
    if operator is Operator.BETWEEN:
        relation = "not between" if one.is_negated else "between"
        return f"{relation} {limits[0]} and {limits[1]}"
    relation = _RELATIONS[_OPPOSITES[operator] if one.is_negated else operator]
    return f"{relation} {', '.join(limits)}"


def _limit_amount(
    known: Feature, limit: Threshold, state: State, condition: Condition, currency: str | None
) -> str:
    if isinstance(limit, Multiple):
        base = feature(limit.field)
        shown = _amount(base, state.get(limit.field), currency)
        name = "the target" if limit.field in _TARGETS else f"the {base.label}"
        times = "" if limit.times == 1 else f"{limit.times:g} x "
        return f"{times}{name} of {shown}"
    if condition.operator is Operator.FOR_DAYS:
        return f"{_plain(limit)} days"
    if condition.operator is Operator.FOR_HOURS:
        return f"{_plain(limit)} hours"
    return _amount(known, limit, currency)


def _amount(known: Feature, value: Value, currency: str | None) -> str:
    """Return a value the way its kind is read."""
    if value is None or isinstance(value, str):
        return value or "unknown"
    if known.name in _SHARES:
        return f"{100 * value:.0f}%"
    if known.kind is Kind.MONEY:
        return str(money_from_major(repr(value), currency)) if currency else f"{value:,.2f}"
    if known.kind in (Kind.HOURS, Kind.DAYS):
        return f"{value:.{0 if value >= _SMALL or value.is_integer() else 1}f} {known.unit}"
    if known.kind in (Kind.PERCENT, Kind.CHANGE):
        return f"{value:.2f}%" if known.kind is Kind.PERCENT else f"{value:+.0f}%"
    return f"{value:,.0f}" if known.kind is Kind.COUNT and value.is_integer() else f"{value:,.2f}"


def _purchases(value: Value) -> str:
    if not isinstance(value, float):
        return "unknown purchases"
    if value == 0:
        return "no purchase"
    count = f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    return f"{count} purchase" if value == 1 else f"{count} purchases"


def _change(percent: float) -> str:
    return f"{abs(percent):.0f}% {'higher' if percent >= 0 else 'lower'}"


def _plain(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
