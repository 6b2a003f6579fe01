"""What a change touches: the daily budget and the status of one entity, exact.

Reads   an `Action` and the value before it.
Gives   `Value`, the value after, and whether two values agree on what an action touches.
Never   rounds twice or holds a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.money import Money, currency_offset

ACTIVE, PAUSED = "ACTIVE", "PAUSED"
BUDGET_TYPES = frozenset({ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET})
STATUS_TYPES = frozenset({ActionType.PAUSE, ActionType.ACTIVATE})
#: What one US dollar is worth, roughly, in major units: a floor needs the order of magnitude only.
_FLOOR_MAJOR = {
    "CLP": 900, "COP": 4000, "CRC": 500, "HUF": 350, "ISK": 140, "IDR": 16000, "JPY": 150,
    "KRW": 1350, "PYG": 7500, "TWD": 32, "VND": 25000, "INR": 85, "ARS": 1000, "NGN": 1500,
    "PKR": 280, "LKR": 300, "BDT": 120, "PHP": 57, "THB": 35, "TRY": 35, "UYU": 40, "CZK": 23,
    "MXN": 18, "ZAR": 18, "SEK": 10, "NOK": 11, "DKK": 7, "EGP": 48, "KES": 130, "LBP": 89500,
    "DZD": 135, "RSD": 108, "VEF": 50, "VES": 50, "NIO": 37, "HNL": 25, "MOP": 8, "HKD": 8,
    "CNY": 7, "BOB": 7, "GTQ": 8, "BRL": 6, "ILS": 4, "PLN": 4, "RON": 5, "SAR": 4, "QAR": 4,
    "AED": 4, "MYR": 5, "PEN": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """The settings of one entity that an action may touch.

    None is "there is none at this level".
    """

    currency: str
    daily_budget_minor: int | None = None
    status: str | None = None

    @property
    def daily_budget(self) -> Money | None:
        """The daily budget with its currency."""
        minor = self.daily_budget_minor
        return None if minor is None else Money(minor, self.currency)

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with an action."""
        return {
            "daily_budget_minor": self.daily_budget_minor,
            "status": self.status,
            "currency": self.currency,
        }

    def __str__(self) -> str:
        budget = [f"{self.daily_budget} a day"] if self.daily_budget is not None else []
        return ", ".join([*budget, *([self.status.capitalize()] if self.status else [])])


def value_of(stored: Mapping[str, Any]) -> Value:
    """Return what `Value.as_json` stored."""
    return Value(
        currency=str(stored["currency"]),
        daily_budget_minor=stored.get("daily_budget_minor"),
        status=stored.get("status"),
    )


def after(before: Value, action: Action) -> Value:
    """Return what the entity is to be set to.

    >>> after(
    ...     Value("JPY", 5000, "ACTIVE"), Action(ActionType.INCREASE_BUDGET, 10)
    ... ).daily_budget_minor
    5500
    """
    if action.type is ActionType.PAUSE:
        return Value(before.currency, before.daily_budget_minor, PAUSED)
    if action.type is ActionType.ACTIVATE:
        return Value(before.currency, before.daily_budget_minor, ACTIVE)
    if action.type in BUDGET_TYPES:
        if before.daily_budget is None:
            raise InvalidValueError(
                path="action", problem="there is no daily budget at this level to change"
            )
        changed = before.daily_budget.changed_by(action.percent or 0)
        return Value(before.currency, changed.minor, before.status)
    raise InvalidValueError(
        path="action", problem=f"'{action.type}' changes nothing that we may set"
    )


def touches_same(one: Value, other: Value, kind: ActionType) -> bool:
    """Return whether both agree on the one thing that an action of this kind sets."""
    if kind in STATUS_TYPES:
        return one.status == other.status
    return one.daily_budget_minor == other.daily_budget_minor


def percent_change(before: Value, now: Value) -> float | None:
    """Return the change of the daily budget in percent, None where there is none to compare."""
    if not before.daily_budget_minor or now.daily_budget_minor is None:
        return None
    return 100.0 * (now.daily_budget_minor - before.daily_budget_minor) / before.daily_budget_minor


def budget_floor(currency: str) -> Money:
    """Return the least daily budget we set: about one US dollar.

    >>> budget_floor("JPY")
    Money(minor=150, currency='JPY')
    """
    return Money(_FLOOR_MAJOR.get(currency, 1) * currency_offset(currency), currency)
