"""How much money a change is about: for the queue's order, for what may be tried, and in words.

    stake        average daily spend of a week x share that changes
    most moved   |budget after - budget before|; of a pause the daily budget, else the daily spend

Reads   a state, the value before, an action.
Gives   `Money` a day, None where nobody knows; what a try may cost at worst, as a sentence.
Never   says what a change earns: that is measured.
"""

from __future__ import annotations

from collections.abc import Mapping

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.money import Money, money_from_major
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import Value as Observed
from intel_ml.operations import values
from intel_ml.operations.values import Value

_WEEK_DAYS = 7
_HUNDRED = 100
_DIGITS = 4


def stake(state: Mapping[str, Observed], action: Action, *, currency: str) -> Money:
    """Return what a day of the change is about; nothing where no spend is known.

    >>> stake({"spend_7d": 700.0}, Action(ActionType.DECREASE_BUDGET, -20), currency="USD")
    Money(minor=2000, currency='USD')
    """
    share = _HUNDRED if action.percent is None else abs(action.percent)
    spent = daily_spend(state, currency=currency) or 0
    return Money(round(spent * share / _HUNDRED), currency)


def daily_spend(state: Mapping[str, Observed], *, currency: str) -> float | None:
    """Return what was spent a day over a week, in minor units; None where nobody knows."""
    spent = state.get("spend_7d")
    if not isinstance(spent, float | int):
        return None
    return money_from_major(str(round(spent, _DIGITS)), currency).minor / _WEEK_DAYS


def most_moved(before: Value, action: Action, state: Mapping[str, Observed]) -> Money | None:
    """Return the most money a day that a change moves; None where nobody knows.

    >>> most_moved(Value("USD", 5000, "ACTIVE"), Action(ActionType.INCREASE_BUDGET, 10), {})
    Money(minor=500, currency='USD')
    """
    budget = before.daily_budget_minor
    if action.type in values.BUDGET_TYPES:
        if budget is None:
            return None
        after = values.after(before, action).daily_budget_minor or 0
        return Money(abs(after - budget), before.currency)
    if budget is not None:
        return Money(budget, before.currency)
    spent = daily_spend(state, currency=before.currency)
    return None if spent is None else Money(round(spent), before.currency)


def reason_to_try(action: Action, moved: Money | None) -> Reason:
    """Return in one sentence why a change is tried by chance, and what it costs at worst.

    >>> reason_to_try(Action(ActionType.INCREASE_BUDGET, 10), Money(500, "USD")).text
    'a small test by chance: it shows what this really does here; at worst 5.00 USD a day is spent for nothing until it is undone'
    """  # noqa: E501  # one sentence
    why = "a small test by chance: it shows what this really does here"
    much = "some money" if moved is None else str(moved)
    if action.type is ActionType.INCREASE_BUDGET:
        return Reason(f"{why}; at worst {much} a day is spent for nothing until it is undone")
    return Reason(f"{why}; at worst what {much} a day buys is missed until it is undone")
