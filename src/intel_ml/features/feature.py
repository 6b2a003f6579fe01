"""What a feature is: a name with a meaning, a unit, a formula and a source.

Reads   nothing.
Gives   `Feature`, `Kind` (how its values are read and printed), `Role` (where it may be used).
Never   holds a value: those are in `States`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How the values of a feature are read and printed."""

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"
    PERCENT = "percent"
    CHANGE = "change"
    HOURS = "hours"
    DAYS = "days"
    WORD = "word"


class Role(StrEnum):
    """Where a feature may be used."""

    STATE = "state"
    RULE = "rule"
    CONTEXT = "context"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: `formula` is its definition in words, `label` how a sentence calls it.

    `words` lists what a word can be, `codes` gives it a number where a model needs one.
    """

    name: str
    kind: Kind
    label: str
    unit: str
    description: str
    formula: str
    source: str
    roles: frozenset[Role]
    codes: Mapping[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def is_word(self) -> bool:
        """Whether the values are words rather than numbers."""
        return self.kind is Kind.WORD


#: The unit of each kind; money is in major units of the account's currency.
UNITS: dict[Kind, str] = {
    Kind.MONEY: "currency",
    Kind.COUNT: "",
    Kind.NUMBER: "",
    Kind.PERCENT: "%",
    Kind.CHANGE: "% change",
    Kind.HOURS: "hours",
    Kind.DAYS: "days",
    Kind.WORD: "",
}
