"""Scheduled raises of a daily budget.

    daily budget now = budget + value              ABSOLUTE, minor units
                     = budget * (1 + value / 100)  MULTIPLIER, percent

Marketing API, `budget_schedules`: "Actual budget increase, unit defined by BudgetValueType (e.g.
140 could be $140 or 140%)".

Reads   a budget.
Gives   the budget while a period lasts.
Never   knows what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_PERCENT = 100


class Raise(StrEnum):
    """How the value of a period is meant."""

    ABSOLUTE = "ABSOLUTE"
    MULTIPLIER = "MULTIPLIER"


@dataclass(frozen=True, slots=True)
class BudgetPeriod:
    """A raise of the daily budget from `start` up to `end`."""

    id: str
    start: datetime
    end: datetime
    value: int
    kind: Raise

    def raised(self, budget: int) -> int:
        """Return the daily budget while the period lasts.

        >>> from datetime import UTC, timedelta
        >>> day = datetime(2026, 11, 27, tzinfo=UTC)
        >>> BudgetPeriod("1", day, day + timedelta(hours=6), 140, Raise.MULTIPLIER).raised(100_00)
        24000
        """
        if self.kind is Raise.ABSOLUTE:
            return budget + self.value
        return budget + budget * self.value // _PERCENT
