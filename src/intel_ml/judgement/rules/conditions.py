"""The tree of a rule: conditions on fields, joined by AND, OR and NOT.

Reads   nothing.
Gives   `Condition`, `Group`, `Multiple` and the operators, as frozen values: data, never code.
Never   evaluates itself: `compiler` does for columns, `rows` for one state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """What a condition can ask of a field."""

    OVER = ">"
    UNDER = "<"
    AT_LEAST = ">="
    AT_MOST = "<="
    EQUAL = "="
    NOT_EQUAL = "!="
    BETWEEN = "between"
    FOR_HOURS = "for_hours"
    FOR_DAYS = "for_days"
    INCREASING = "increasing"
    DECREASING = "decreasing"
    STABLE = "stable"
    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"


class Join(StrEnum):
    """How the parts of a group make one answer."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"


#: A trend within this many percent of nothing is stable.
STABLE_PERCENT = 5.0

COMPARISONS = frozenset(
    {
        *(Operator.OVER, Operator.UNDER, Operator.AT_LEAST, Operator.AT_MOST),
        *(Operator.EQUAL, Operator.NOT_EQUAL),
    }
)
DURATIONS = frozenset({Operator.FOR_HOURS, Operator.FOR_DAYS})
TRENDS = frozenset({Operator.INCREASING, Operator.DECREASING, Operator.STABLE})
LISTS = frozenset({Operator.IN, Operator.NOT_IN})
WORDS = frozenset({Operator.IS, Operator.IS_NOT, Operator.EQUAL, Operator.NOT_EQUAL}) | LISTS


@dataclass(frozen=True, slots=True)
class Multiple:
    """A threshold that follows another field: `times` that field's value."""

    field: str
    times: float = 1.0

    def __str__(self) -> str:
        short = f"{self.times:g}"
        return f"{{{self.field} * {short if float(short) == self.times else repr(self.times)}}}"


Threshold = float | str | Multiple


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about one field: no value for a trend, two for between, else one or a list.

    The field times `scale` is in the unit of the values: hours asked of a field in days.
    """

    field: str
    operator: Operator
    values: tuple[Threshold, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """Parts joined by AND, OR or (a single part) NOT."""

    join: Join
    parts: tuple[Node, ...]


Node = Condition | Group
