"""Rules, trees and states for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.catalogue import Kind, Role, feature, names
from intel_ml.features.states import States, Value, states_of
from intel_ml.judgement.rules import Rule, parse_rule

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDS = ("learning_phase", "day_of_week", "effective_status")
NUMBERS = (
    "spend",
    "cpa",
    "target_cpa",
    "roas",
    "ctr_trend_7d",
    "hours_since_conversion",
    "days_active",
)
#: Few values, so that equalities and bounds are met; and everything a value can be by accident.
ODD = (
    None,
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    2.0,
    4.0,
    5.0,
    -5.0,
    24.0,
    1e308,
    -1e308,
)

thresholds = st.one_of(
    st.sampled_from([0, 1, 2.0, 4, 5, -5, 24, 1e308]),
    st.sampled_from(
        ["{target_cpa * 2}", "{target_cpa}", "{2 * spend}", {"field": "cpa", "times": 1e10}]
    ),
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from((*NUMBERS, *WORDS)))
    if name in WORDS:
        operator = draw(st.sampled_from(["is", "is_not", "=", "!=", "in", "not_in"]))
        one = st.sampled_from(feature(name).words)
        value = draw(st.lists(one, min_size=1, max_size=3) if "in" in operator else one)
        return {"field": name, "operator": operator, "value": value}
    possible = [">", "<", ">=", "<=", "=", "!=", "between", "in", "not_in"]
    kind = feature(name).kind
    possible += ["increasing", "decreasing", "stable"] if kind is Kind.CHANGE else []
    possible += ["for_hours", "for_days"] if kind in (Kind.HOURS, Kind.DAYS) else []
    operator = draw(st.sampled_from(possible))
    if operator in ("increasing", "decreasing", "stable"):
        return {"field": name, "operator": operator}
    if operator == "between":
        pair = draw(st.tuples(thresholds, thresholds))
        plain = [one for one in pair if isinstance(one, int | float)]
        return {
            "field": name,
            "operator": operator,
            "value": sorted(plain) if len(plain) == 2 else list(pair),
        }
    value = draw(st.lists(thresholds, min_size=1, max_size=3) if "in" in operator else thresholds)
    return {"field": name, "operator": operator, "value": value}


def _groups(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        st.builds(
            lambda join, rules: {"operator": join, "rules": rules},
            st.sampled_from(["AND", "OR"]),
            several,
        ),
        st.builds(lambda rule: {"operator": "NOT", "rules": [rule]}, parts),
    )


trees = st.recursive(conditions(), _groups, max_leaves=8)
rows = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(ODD) for name in NUMBERS},
        **{name: st.one_of(st.none(), st.sampled_from(feature(name).words)) for name in WORDS},
    },
)


def rule(conditions: Any, **more: Any) -> Rule:
    return parse_rule(
        {
            "name": "a rule",
            "category": "loss_prevention",
            "conditions": conditions,
            "action_type": "pause",
            "applies_to": "adset",
            **more,
        }
    )


def all_of(*conditions: Sequence[Any]) -> dict[str, Any]:
    keys = ("field", "operator", "value")
    return {"operator": "AND", "rules": [dict(zip(keys, one, strict=False)) for one in conditions]}


def states(*given: dict[str, Value], kind: EntityType = EntityType.ADSET) -> States:
    entities = [Entity(AdAccountId("act_1"), kind, EntityId(str(n))) for n in range(len(given))]
    return states_of(given, entities=entities, moments=[NOW] * len(given))


assert set(NUMBERS) | set(WORDS) <= set(names(role=Role.RULE))
