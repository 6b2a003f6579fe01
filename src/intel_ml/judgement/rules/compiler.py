"""Rules as column masks: one pass over all entities for each rule, in three-valued logic.

Reads   a tree of conditions and the columns of `States`.
Gives   a `Truth` for each row: true, false, or neither, which is unknown (Kleene).
Never   calls a comparison with a missing number true: NaN and None are unknown on either side.
"""

from __future__ import annotations

import operator as arithmetic
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from intel_ml.features.catalogue import feature
from intel_ml.features.states import States
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

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

_COMPILED_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Truth:
    """What is definitely true and what is definitely false; the rest is unknown."""

    true: Mask
    false: Mask

    @property
    def unknown(self) -> Mask:
        """Where the answer hangs on a value that is missing."""
        return ~(self.true | self.false)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of states as rules need them, each prepared once for all rules."""

    states: States
    _numbers: dict[str, tuple[Numbers, Mask]] = field(default_factory=dict)
    _words: dict[str, tuple[NDArray[np.intp], Mask, Mapping[str, int]]] = field(
        default_factory=dict
    )

    def numbers(self, name: str) -> tuple[Numbers, Mask]:
        """Return the values of a field and where they are finite."""
        if name not in self._numbers:
            column = self.states.columns.get(name)
            values = np.full(len(self.states), np.nan) if column is None else _as_numbers(column)
            self._numbers[name] = (values, np.isfinite(values))
        return self._numbers[name]

    def words(self, name: str) -> tuple[NDArray[np.intp], Mask, Mapping[str, int]]:
        """Return the words of a field as numbers, where they are known, and each word's number."""
        if name not in self._words:
            column = self.states.columns.get(name)
            values = [None] * len(self.states) if column is None else column.tolist()
            numbers: dict[str, int] = {}
            codes = np.fromiter(
                (
                    numbers.setdefault(value, len(numbers)) if isinstance(value, str) else -1
                    for value in values
                ),
                dtype=np.intp,
                count=len(values),
            )
            self._words[name] = (codes, codes >= 0, numbers)
        return self._words[name]


Compiled = Callable[[Columns], Truth]


@lru_cache(maxsize=_COMPILED_KEPT)
def compiled(node: Node) -> Compiled:
    """Return the function that answers `node` for whole columns; the same tree is compiled once."""
    if isinstance(node, Condition):
        return _word_condition(node) if feature(node.field).is_word else _number_condition(node)
    parts = tuple(compiled(part) for part in node.parts)
    return _GROUPS[node.join](parts)


def _negation(parts: tuple[Compiled, ...]) -> Compiled:
    def answer(columns: Columns) -> Truth:
        inner = parts[0](columns)
        return Truth(true=inner.false, false=inner.true)

    return answer


def _all(parts: tuple[Compiled, ...]) -> Compiled:
    def answer(columns: Columns) -> Truth:
        truths = [part(columns) for part in parts]
        return Truth(
            true=reduce(arithmetic.and_, (one.true for one in truths)),
            false=reduce(arithmetic.or_, (one.false for one in truths)),
        )

    return answer


def _any(parts: tuple[Compiled, ...]) -> Compiled:
    def answer(columns: Columns) -> Truth:
        truths = [part(columns) for part in parts]
        return Truth(
            true=reduce(arithmetic.or_, (one.true for one in truths)),
            false=reduce(arithmetic.and_, (one.false for one in truths)),
        )

    return answer


_GROUPS: dict[Join, Callable[[tuple[Compiled, ...]], Compiled]] = {
    Join.AND: _all,
    Join.OR: _any,
    Join.NOT: _negation,
}

_COMPARE: dict[Operator, Callable[[Numbers, Numbers], Mask]] = {
    Operator.OVER: np.greater,
    Operator.UNDER: np.less,
    Operator.AT_LEAST: np.greater_equal,
    Operator.AT_MOST: np.less_equal,
    Operator.EQUAL: np.equal,
    Operator.NOT_EQUAL: np.not_equal,
    Operator.FOR_HOURS: np.greater_equal,
    Operator.FOR_DAYS: np.greater_equal,
}
_TREND: dict[Operator, Callable[[Numbers], Mask]] = {
    Operator.INCREASING: lambda trend: trend > 0,
    Operator.DECREASING: lambda trend: trend < 0,
    Operator.STABLE: lambda trend: np.abs(trend) < STABLE_PERCENT,
}


def _number_condition(condition: Condition) -> Compiled:
    if condition.operator in _TREND:
        return _trend(condition)
    if condition.operator is Operator.BETWEEN:
        return _between(condition)
    if condition.operator in LISTS:
        return _among(condition)
    compare = _COMPARE[condition.operator]

    def answer(columns: Columns) -> Truth:
        values, known = columns.numbers(condition.field)
        limit, limit_known = _threshold(columns, condition.values[0])
        return _truth(compare(_scaled(values, condition), limit), known & limit_known)

    return answer


def _trend(condition: Condition) -> Compiled:
    test = _TREND[condition.operator]

    def answer(columns: Columns) -> Truth:
        values, known = columns.numbers(condition.field)
        return _truth(test(values), known)

    return answer


def _between(condition: Condition) -> Compiled:
    least, most = condition.values

    def answer(columns: Columns) -> Truth:
        values, known = columns.numbers(condition.field)
        low, low_known = _threshold(columns, least)
        high, high_known = _threshold(columns, most)
        above, below = (
            _truth(values >= low, known & low_known),
            _truth(values <= high, known & high_known),
        )
        return Truth(true=above.true & below.true, false=above.false | below.false)

    return answer


def _among(condition: Condition) -> Compiled:
    is_negated = condition.operator is Operator.NOT_IN

    def answer(columns: Columns) -> Truth:
        values, known = columns.numbers(condition.field)
        true = np.zeros(len(values), dtype=np.bool_)
        false = np.ones(len(values), dtype=np.bool_)
        for one in condition.values:
            limit, limit_known = _threshold(columns, one)
            equal = _truth(values == limit, known & limit_known)
            true, false = true | equal.true, false & equal.false
        return Truth(true=false, false=true) if is_negated else Truth(true=true, false=false)

    return answer


def _word_condition(condition: Condition) -> Compiled:
    is_negated = condition.operator in (Operator.IS_NOT, Operator.NOT_EQUAL, Operator.NOT_IN)

    def answer(columns: Columns) -> Truth:
        codes, known, numbers = columns.words(condition.field)
        wanted = [code for word, code in numbers.items() if word in condition.values]
        same = reduce(
            arithmetic.or_, (codes == one for one in wanted), np.zeros(len(codes), dtype=np.bool_)
        )
        return _truth(~same if is_negated else same, known)

    return answer


def _threshold(columns: Columns, value: Threshold) -> tuple[Numbers, Mask]:
    if isinstance(value, Multiple):
        values, known = columns.numbers(value.field)
        with np.errstate(over="ignore"):
            product = values * value.times
        return product, known & np.isfinite(product)
    return np.asarray(value, dtype=np.float64), np.asarray(True)  # noqa: FBT003  # numpy's scalar


def _scaled(values: Numbers, condition: Condition) -> Numbers:
    if condition.scale == 1.0:
        return values
    with np.errstate(over="ignore"):
        return values * condition.scale


def _truth(answer: Mask, known: Mask) -> Truth:
    return Truth(true=answer & known, false=~answer & known)


def _as_numbers(column: NDArray[np.float64] | NDArray[np.object_]) -> Numbers:
    if column.dtype != np.object_:
        return np.asarray(column, dtype=np.float64)
    values = [
        float(one) if isinstance(one, int | float) and not isinstance(one, bool) else np.nan
        for one in column.tolist()
    ]
    return np.array(values, dtype=np.float64)
