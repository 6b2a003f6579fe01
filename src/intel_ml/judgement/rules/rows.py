"""One condition tree against one state: the plain reading of what `compiler` does for columns.

Reads   a tree and the values of one entity.
Gives   True, False, or None for unknown; and which conditions made it so.
Never   differs from the columns: a property test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from intel_ml.features.catalogue import feature
from intel_ml.features.states import Value
from intel_ml.judgement.rules.conditions import (
    LISTS,
    STABLE_PERCENT,
    Condition,
    Join,
    Multiple,
    Node,
    Operator,
    Threshold,
)

State = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A condition that decided, and whether it did so by being false (under a NOT)."""

    condition: Condition
    is_negated: bool


def holds(node: Node, state: State) -> bool | None:
    """Return whether `node` holds for `state`, None when that hangs on a missing value."""
    if isinstance(node, Condition):
        return _word(node, state) if feature(node.field).is_word else _number(node, state)
    answers = [holds(part, state) for part in node.parts]
    if node.join is Join.NOT:
        return _negated(answers[0])
    return _both(answers) if node.join is Join.AND else _negated(_both(map(_negated, answers)))


def evidence(node: Node, state: State, *, answer: bool = True) -> Iterator[Evidence]:
    """Yield the conditions that make `node` come out as `answer`; none when it does not."""
    if holds(node, state) is not answer:
        return
    if isinstance(node, Condition):
        yield Evidence(node, is_negated=not answer)
        return
    inner = answer if node.join is not Join.NOT else not answer
    for part in node.parts:
        yield from evidence(part, state, answer=inner)


def threshold(value: Threshold, state: State) -> float | str | None:
    """Return what a threshold amounts to for `state`, None when it is unknown."""
    if not isinstance(value, Multiple):
        return value
    base = _finite(state.get(value.field))
    return None if base is None else _finite(base * value.times)


def _both(answers: Iterator[bool | None] | list[bool | None]) -> bool | None:
    seen = list(answers)
    if False in seen:
        return False
    return None if None in seen else True


def _negated(answer: bool | None) -> bool | None:  # noqa: FBT001  # the value itself
    return None if answer is None else not answer


def _number(condition: Condition, state: State) -> bool | None:
    value = _finite(state.get(condition.field))
    if value is None:
        return None
    if not condition.values:
        return {
            Operator.INCREASING: value > 0,
            Operator.DECREASING: value < 0,
            Operator.STABLE: abs(value) < STABLE_PERCENT,
        }[condition.operator]
    limits = [_finite(threshold(one, state)) for one in condition.values]
    if condition.operator is Operator.BETWEEN:
        least, most = limits
        return _both(
            [None if least is None else value >= least, None if most is None else value <= most]
        )
    if condition.operator in LISTS:
        outside = _both([None if limit is None else value != limit for limit in limits])
        return outside if condition.operator is Operator.NOT_IN else _negated(outside)
    return None if limits[0] is None else _compare(condition, value * condition.scale, limits[0])


def _compare(condition: Condition, value: float, limit: float) -> bool:
    return {
        Operator.OVER: value > limit,
        Operator.UNDER: value < limit,
        Operator.AT_LEAST: value >= limit,
        Operator.AT_MOST: value <= limit,
        Operator.EQUAL: value == limit,
        Operator.NOT_EQUAL: value != limit,
        Operator.FOR_HOURS: value >= limit,
        Operator.FOR_DAYS: value >= limit,
    }[condition.operator]


def _word(condition: Condition, state: State) -> bool | None:
    value = state.get(condition.field)
    if not isinstance(value, str):
        return None
    is_among = value in condition.values
    is_negated = condition.operator in (Operator.IS_NOT, Operator.NOT_EQUAL, Operator.NOT_IN)
    return not is_among if is_negated else is_among


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
