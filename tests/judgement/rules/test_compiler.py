"""Columns and rows agree on everything, the missing included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.features.states import States, Value
from intel_ml.judgement.rules import evaluate
from intel_ml.judgement.rules.compiler import Columns, compiled
from intel_ml.judgement.rules.conditions import Operator
from intel_ml.judgement.rules.parsing import parse_conditions
from intel_ml.judgement.rules.rows import evidence, holds
from tests.judgement.rules.rule_samples import all_of, rows, rule, states, trees


@given(trees, st.lists(rows, min_size=1, max_size=6))
def test_columns_and_rows_agree(tree: dict[str, Any], given_rows: list[dict[str, Value]]) -> None:
    node = parse_conditions(tree, path="conditions")
    truth = compiled(node)(Columns(states(*given_rows)))
    for row, state in enumerate(given_rows):
        expected = holds(node, state)
        answer = True if truth.true[row] else False if truth.false[row] else None
        assert answer is expected
        assert bool(truth.unknown[row]) is (expected is None)


@given(trees, rows)
def test_nothing_is_both_true_and_false(tree: dict[str, Any], state: dict[str, Value]) -> None:
    truth = compiled(parse_conditions(tree, path="conditions"))(Columns(states(state)))
    assert not (truth.true & truth.false).any()


@given(trees, rows)
def test_a_missing_value_found_later_never_turns_a_definite_answer(
    tree: dict[str, Any], state: dict[str, Value]
) -> None:
    node = parse_conditions(tree, path="conditions")
    blind = {
        name: None if name in ("spend", "target_cpa", "learning_phase") else v
        for name, v in state.items()
    }
    if holds(node, blind) is not None:
        assert holds(node, state) is holds(node, blind)


@given(trees, rows)
def test_evidence_is_given_exactly_for_what_holds(
    tree: dict[str, Any], state: dict[str, Value]
) -> None:
    node = parse_conditions(tree, path="conditions")
    for answer in (True, False):
        found = list(evidence(node, state, answer=answer))
        assert bool(found) is (holds(node, state) is answer)
        assert all(holds(one.condition, state) is not one.is_negated for one in found)


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("operator", [">", "<", ">=", "<=", "=", "!=", "in", "not_in", "between"])
def test_no_comparison_with_a_missing_number_fires(operator: str, missing: float | None) -> None:
    value: Any = [1, 2] if operator in ("in", "not_in", "between") else 1
    evaluation = evaluate([rule(all_of(("roas", operator, value)))], states({"roas": missing}, {}))
    assert evaluation.hits == ()
    assert evaluation.unknown == {"a rule": 2}


@pytest.mark.parametrize("operator", ["is", "is_not", "in", "not_in"])
def test_no_comparison_with_a_missing_word_fires(operator: str) -> None:
    value: Any = ["LEARNING"] if "in" in operator else "LEARNING"
    evaluation = evaluate(
        [rule(all_of(("learning_phase", operator, value)))], states({"learning_phase": None})
    )
    assert (evaluation.hits, evaluation.unknown) == ((), {"a rule": 1})


@pytest.mark.parametrize(
    ("field", "operator", "value", "observed", "fires"),
    [
        ("spend", ">", 50, 50.0, False),
        ("spend", ">=", 50, 50.0, True),
        ("spend", "<", 50, 49.99, True),
        ("spend", "<=", 50, 50.01, False),
        ("conversions", "=", 0, 0.0, True),
        ("conversions", "!=", 0, 0.0, False),
        ("cpa", "between", [10, 20], 20.0, True),
        ("cpa", "between", [10, 20], 20.01, False),
        ("hours_since_conversion", "for_hours", 48, 48.0, True),
        ("hours_since_conversion", "for_days", 2, 47.0, False),
        ("hours_since_conversion", "for_days", 2, 48.0, True),
        ("days_active", "for_hours", 24, 1.0, True),
        ("days_active", "for_days", 7, 6.9, False),
        ("ctr_trend_7d", "increasing", None, 0.1, True),
        ("ctr_trend_7d", "decreasing", None, 0.0, False),
        ("ctr_trend_7d", "stable", None, -4.9, True),
        ("ctr_trend_7d", "stable", None, 5.0, False),
        ("learning_phase", "is", "LEARNING", "LEARNING", True),
        ("learning_phase", "is_not", "LEARNING", "ACTIVE", True),
        ("day_of_week", "in", ["Saturday", "Sunday"], "Sunday", True),
        ("day_of_week", "not_in", ["Saturday", "Sunday"], "Sunday", False),
        ("hour_of_day", "in", [0, 1, 2], 1.0, True),
        ("hour_of_day", "not_in", [0, 1, 2], 3.0, True),
    ],
)
def test_each_operator_means_what_the_plan_says(
    field: str, operator: str, value: Any, observed: Any, *, fires: bool
) -> None:
    condition = {"field": field, "operator": operator} | ({} if value is None else {"value": value})
    tree = {"operator": "AND", "rules": [condition]}
    assert bool(evaluate([rule(tree)], states({field: observed})).hits) is fires


def test_every_operator_of_the_plan_is_known() -> None:
    plan = (
        "> < >= <= = != between for_hours for_days increasing decreasing stable is is_not in not_in"
    )
    assert {str(one) for one in Operator} == set(plan.split())


def test_an_unknown_target_leaves_a_multiple_unknown() -> None:
    above = rule(all_of(("cpa", ">", "{target_cpa * 2}")))
    evaluation = evaluate(
        [above], states({"cpa": 41.0, "target_cpa": 20.0}, {"cpa": 41.0, "target_cpa": None})
    )
    assert [hit.row for hit in evaluation.hits] == [0]
    assert evaluation.unknown == {"a rule": 1}


def test_states_without_rows_are_judged_too() -> None:
    nothing = States(entities=(), moments=(), columns={"spend": np.array([])})
    evaluation = evaluate([rule(all_of(("spend", ">", 1)))], nothing)
    assert (evaluation.hits, evaluation.checked) == ((), 0)
