"""Rules are read whole or refused with the place of the mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError
from intel_ml.judgement.rules import parse_rule, rule_json
from intel_ml.judgement.rules.conditions import Multiple
from intel_ml.judgement.rules.parsing import parse_conditions
from tests.judgement.rules.rule_samples import all_of, rule, trees

GOOD: dict[str, Any] = {
    "name": "Zero Conversions Stop Loss",
    "category": "loss_prevention",
    "conditions": all_of(("spend", ">", 50), ("conversions", "=", 0)),
    "action_type": "decrease_budget",
    "action_params": {"percentage": 50, "message": "look"},
    "execution_mode": "approval_required",
    "applies_to": "adset",
}

texts = st.text(max_size=5)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=10,
)


@given(trees, st.integers(1, 99))
def test_writing_is_the_inverse_of_reading(tree: dict[str, Any], percent: int) -> None:
    one = rule(tree, action_type="decrease_budget", action_params={"percentage": percent})
    assert parse_rule(json.loads(json.dumps(rule_json(one)))) == one


@given(st.sampled_from([*GOOD, "id", "version", "priority", "is_active"]), json_values)
def test_any_value_anywhere_is_read_or_refused_with_its_path(key: str, value: Any) -> None:
    try:
        parse_rule({**GOOD, key: value})
    except InvalidValueError as error:
        assert error.path.split(".")[0].split("[")[0] in (key, "action_params")  # noqa: PT017  # either may happen


@given(json_values)
def test_any_conditions_are_read_or_refused(value: Any) -> None:
    for tree in (value, {"operator": "AND", "rules": [value]}, all_of(("spend", ">", value))):
        try:
            parse_conditions(tree, path="conditions")
        except InvalidValueError as error:
            assert error.path.startswith("conditions")  # noqa: PT017  # either may happen


@pytest.mark.parametrize(
    ("tree", "path", "hint"),
    [
        (
            all_of(("spend", ">", 1), ("spnd", ">", 1)),
            "conditions.rules[1].field",
            "Did you mean 'spend'?",
        ),
        (all_of(("spend", ">", 1), ("spend", "over", 1)), "conditions.rules[1].operator", "Known"),
        ({"operator": "AN", "rules": []}, "conditions.operator", "Did you mean 'AND'?"),
        ({"operator": "AND", "rules": []}, "conditions.rules", ""),
        ({"operator": "NOT", "rules": [{}, {}]}, "conditions.rules", ""),
        (
            all_of(("learning_phase", "is", "LEARNIG")),
            "conditions.rules[0].value",
            "Did you mean 'LEARNING'?",
        ),
        (all_of(("learning_phase", ">", 1)), "conditions.rules[0].operator", "Possible"),
        (all_of(("spend", "is", 1)), "conditions.rules[0].operator", "Possible"),
        (all_of(("spend", "stable")), "conditions.rules[0].operator", "Possible"),
        (all_of(("ctr_trend_7d", "stable", 1)), "conditions.rules[0].value", ""),
        (all_of(("spend", "between", [1, 2, 3])), "conditions.rules[0].value", ""),
        (all_of(("spend", "between", [2, 1])), "conditions.rules[0].value", ""),
        (all_of(("spend", "in", [1, "x"])), "conditions.rules[0].value[1]", "Example"),
        (all_of(("spend", ">", float("nan"))), "conditions.rules[0].value", ""),
        (all_of(("spend", ">", float("inf"))), "conditions.rules[0].value", ""),
        (all_of(("spend", ">", 10**400)), "conditions.rules[0].value", ""),
        (all_of(("spend", ">", True)), "conditions.rules[0].value", ""),
        (all_of(("spend", ">", "50")), "conditions.rules[0].value", "Example"),
        (all_of(("spend", ">", "{target_cpa * nan}")), "conditions.rules[0].value", ""),
        (
            all_of(("spend", ">", "{traget_cpa * 2}")),
            "conditions.rules[0].value",
            "Did you mean 'target_cpa'?",
        ),
        (all_of(("spend", ">", "{learning_phase}")), "conditions.rules[0].value", ""),
        (all_of(("spend", ">", "{__import__('os').system('x')}")), "conditions.rules[0].value", ""),
        (all_of(("__class__", ">", 1)), "conditions.rules[0].field", ""),
        (all_of(("'; drop table", ">", 1)), "conditions.rules[0].field", ""),
        ({"field": "spend", "operator": ">", "value": 1, "extra": 1}, "conditions.extra", ""),
        ("spend > 5", "conditions", ""),
        (None, "conditions", ""),
    ],
)
def test_a_mistake_is_named_by_its_path(tree: Any, path: str, hint: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_rule({**GOOD, "conditions": tree})
    assert caught.value.path == path
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nam": "x"}, "nam"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"category": "loss"}, "category"),
        ({"applies_to": "adsets"}, "applies_to"),
        ({"execution_mode": "auto"}, "execution_mode"),
        ({"action_type": "delete"}, "action_type"),
        ({"action_params": {}}, "action_params.percentage"),
        ({"action_params": {"percentage": 0}}, "action_params.percentage"),
        ({"action_params": {"percentage": 100}}, "action_params.percentage"),
        ({"action_params": {"percentage": 10.5}}, "action_params.percentage"),
        ({"action_params": {"percentage": float("nan")}}, "action_params.percentage"),
        ({"action_params": {"amount": 10}}, "action_params.amount"),
        ({"action_type": "pause"}, "action_params.percentage"),
        ({"is_active": 1}, "is_active"),
        ({"priority": "high"}, "priority"),
    ],
)
def test_every_part_of_a_rule_is_checked(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_rule({**GOOD, **change})
    assert caught.value.path == path


@pytest.mark.parametrize("missing", ["name", "category", "conditions", "action_type", "applies_to"])
def test_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_rule({key: value for key, value in GOOD.items() if key != missing})
    assert caught.value.path == missing


def test_a_decrease_is_a_negative_change_however_it_is_written() -> None:
    for percent in (50, -50):
        one = parse_rule({**GOOD, "action_params": {"percentage": percent}})
        assert one.action == Action(ActionType.DECREASE_BUDGET, -50)


@pytest.mark.parametrize(
    "text",
    [
        "{target_cpa * 2}",
        "{2 * target_cpa}",
        " { target_cpa*2.0 } ",
        {"field": "target_cpa", "times": 2},
    ],
)
def test_a_multiple_can_be_written_in_several_ways(text: object) -> None:
    one = rule(all_of(("cpa", ">", text)))
    assert one.conditions.parts[0].values == (Multiple("target_cpa", 2.0),)  # type: ignore[union-attr]


def nested(depth: int) -> Any:
    tree: Any = {"field": "spend", "operator": ">", "value": 1}
    for _ in range(depth - 1):
        tree = {"operator": "NOT", "rules": [tree]}
    return tree


def test_eight_levels_are_read_and_nine_are_not() -> None:
    rule(nested(8))
    with pytest.raises(InvalidValueError, match="at most 8"):
        rule(nested(9))


def test_ten_thousand_levels_are_refused_like_nine() -> None:
    with pytest.raises(InvalidValueError, match="at most 8"):
        rule(nested(10_000))


def test_two_hundred_nodes_are_read_and_more_are_not() -> None:
    rule(all_of(*[("spend", ">", 1)] * 199))
    with pytest.raises(InvalidValueError, match="at most 200"):
        rule(all_of(*[("spend", ">", 1)] * 200))


def test_a_word_of_ten_megabytes_is_refused_in_a_short_message() -> None:
    with pytest.raises(InvalidValueError) as caught:
        rule(all_of(("x" * 10**7, ">", 1)))
    assert len(str(caught.value)) < 1_000
