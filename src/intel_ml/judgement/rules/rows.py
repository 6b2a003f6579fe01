"""One condition tree against one state: the plain reading of what `compiler` does for columns.

Reads   a tree and the values of one entity.
Gives   True, False, or None for unknown; and which conditions made it so.
Never   differs from the columns: a property test holds the two together.
"""

from __future__ import annotations

import math
import operator as arithmetic
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from intel_ml.features.catalogue import feature
from intel_ml.features.states import Value
from intel_ml.judgement.rules.conditions import (
    STABLE_PERCENT,
    Condition,
    Join,
    Multiple,
    Node,
    Operator,
    Threshold,
)

State = Mapping[str, Value]

_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.OVER: arithmetic.gt,
    Operator.UNDER: arithmetic.lt,
    Operator.AT_LEAST: arithmetic.ge,
    Operator.AT_MOST: arithmetic.le,
    Operator.EQUAL: arithmetic.eq,
    Operator.NOT_EQUAL: arithmetic.ne,
    Operator.FOR_HOURS: arithmetic.ge,
    Operator.FOR_DAYS: arithmetic.ge,
}
_TREND: Mapping[Operator, Callable[[float], bool]] = {
    Operator.INCREASING: lambda trend: trend > 0,
    Operator.DECREASING: lambda trend: trend < 0,
    Operator.STABLE: lambda trend: abs(trend) < STABLE_PERCENT,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A condition that decided, and whether it did so by being false (under a NOT)."""

    condition: Condition
    is_negated: bool


def holds(node: Node, state: State) -> bool | None:
    """Return whether `node` holds for `state`, None when that hangs on a missing value.

    A part that decides its group (false in AND, true in OR) ends it: the rest is not looked at.
    """
    if isinstance(node, Condition):
        return _word(node, state) if _is_word(node.field) else _number(node, state)
    if node.join is Join.NOT:
        return _negated(holds(node.parts[0], state))
    decides = node.join is Join.OR
    answer: bool | None = not decides
    for part in node.parts:
        one = holds(part, state)
        if one is decides:
            return decides
        if one is None:
            answer = None
    return answer


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


@cache
def _is_word(name: str) -> bool:
    return feature(name).is_word


def _both(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _negated(answer: bool | None) -> bool | None:  # noqa: FBT001  # the value itself
    return None if answer is None else not answer


def _number(condition: Condition, state: State) -> bool | None:
    value = _finite(state.get(condition.field))
    if value is None:
        return None
    if not condition.values:
        return _TREND[condition.operator](value)
    compare = _COMPARE.get(condition.operator)
    if compare is not None:
        limit = _finite(threshold(condition.values[0], state))
        return None if limit is None else compare(value * condition.scale, limit)
    limits = [_finite(threshold(one, state)) for one in condition.values]
    if condition.operator is Operator.BETWEEN:
        least, most = limits
        return _both(
            [None if least is None else value >= least, None if most is None else value <= most]
        )
    outside = _both([None if limit is None else value != limit for limit in limits])
    return outside if condition.operator is Operator.NOT_IN else _negated(outside)


def _word(condition: Condition, state: State) -> bool | None:
    value = state.get(condition.field)
    if not isinstance(value, str):
        return None
    is_among = value in condition.values
    is_negated = condition.operator in (Operator.IS_NOT, Operator.NOT_EQUAL, Operator.NOT_IN)
    return not is_among if is_negated else is_among


def _finite(value: object) -> float | None:
    if not isinstance(value, float) and (isinstance(value, bool) or not isinstance(value, int)):
        return None
    return float(value) if math.isfinite(value) else None
