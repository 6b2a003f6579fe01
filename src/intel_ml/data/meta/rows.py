"""Meta's rows to facts; a row that cannot be believed is refused whole, with the reason.

    numbers     strings; a metric that is zero is left out of its row: absent in a row means 0
    amounts     decimals in major units; budgets whole minor units, "0" and absent both mean none
    purchases   one purchase stands under several action types: the first present of `PURCHASES`
                counts, they are never added

Reads   rows of the structure and insights edges.
Gives   `Described` and `Delivered`, or `Refused`.
Never   lets NaN, infinity, a negative or an unknown status through; never reads an absent learning
        stage as "not learning".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import EntityId, EntityType, entity_id
from intel_ml.core.money import money_from_major
from intel_ml.data.facts import Delivered, Described, Refused
from intel_ml.data.meta.questions import STATUSES

#: The names of a purchase, the most complete first.
PURCHASES = (
    "omni_purchase",
    "purchase",
    "offsite_conversion.fb_pixel_purchase",
    "onsite_web_purchase",
    "onsite_web_app_purchase",
    "onsite_conversion.purchase",
    "app_custom_event.fb_mobile_purchase",
    "web_in_store_purchase",
)
LEARNING_STAGES = ("LEARNING", "SUCCESS", "FAIL", "WAIVING")
CONFIGURED_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")

_LARGEST = 10**15
_MOST_DIGITS = 15
_LONGEST_WORD = 64
_LONGEST_STORED = 2000

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Fact]):
    """What could be believed, and what could not."""

    facts: tuple[Fact, ...]
    refused: tuple[Refused, ...]


def described(rows: Sequence[Any], *, account: Account, level: EntityType) -> Parsed[Described]:
    """Return the entities of a structure edge."""
    return _parse(rows, f"structure/{level}", lambda row: _described(row, account, level))


def delivered(
    rows: Sequence[Any], *, account: Account, level: EntityType, days: DayWindow
) -> Parsed[Delivered]:
    """Return the days of an insights edge that lie in `days`."""
    return _parse(rows, f"insights/{level}", lambda row: _delivered(row, account, level, days))


def count(value: object, name: str) -> int:
    """Return a count that Meta wrote as a string.

    >>> count("185", "impressions")
    185
    """
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdigit()
        and len(value) <= _MOST_DIGITS
    ):
        return int(value)
    number = amount(value, name)
    if number != int(number):
        raise InvalidValueError(path=name, problem=f"{value!r} is not a whole number")
    return int(number)


def amount(value: object, name: str) -> float:
    """Return a finite number, not negative and not absurd, that Meta wrote as a string."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        number = float(value)
        if number <= _LARGEST:
            return number
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValueError(path=name, problem=f"{value!r} is not a number")
    try:
        number = float(value)
    except ValueError:
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is not a number") from None
    if not math.isfinite(number):
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is not finite")
    if number < 0:
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is negative")
    if number > _LARGEST:
        raise InvalidValueError(
            path=name, problem=f"{value!r:.60} is larger than anything an account delivers"
        )
    return number


def moment(value: object, name: str) -> datetime | None:
    """Return a moment written as ISO 8601 or as Unix seconds; None where there is none."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
            return datetime.fromtimestamp(float(value), UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is not a moment") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def storable(value: Any) -> Any:
    """Return `value` as JSON that PostgreSQL takes.

    No NaN, no NUL, no half characters, no endless text.
    """
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return clean(value)[:_LONGEST_STORED]
    return value


def clean(text: str) -> str:
    """Return `text` without what a database cannot hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _parse(rows: Sequence[Any], source: str, parse: Callable[[Any], Fact]) -> Parsed[Fact]:
    facts, refused = [], []
    for row in rows:
        try:
            facts.append(parse(row))
        except InvalidValueError as error:
            kept = storable(row) if isinstance(row, Mapping) else {"value": storable(row)}
            refused.append(Refused(source, clean(str(error)), kept))
    return Parsed(tuple(facts), tuple(refused))


def _described(row: Any, account: Account, level: EntityType) -> Described:
    learning = _mapping(row, "learning_stage_info") or {}
    issues = row.get("issues_info")
    configured = row.get("configured_status") or row.get("status")
    stage = learning.get("status")
    conversions = learning.get("conversions")
    return Described(
        account=account.id,
        type=level,
        id=_id(row, "id"),
        name=clean(str(row.get("name") or row.get("id"))),
        configured_status=_one_of(configured, CONFIGURED_STATUSES, "configured_status"),
        effective_status=_one_of(row.get("effective_status"), STATUSES[level], "effective_status"),
        campaign_id=_id(row, "campaign_id") if level is not EntityType.CAMPAIGN else None,
        adset_id=_id(row, "adset_id") if level is EntityType.AD else None,
        daily_budget_minor=_budget(row, "daily_budget"),
        lifetime_budget_minor=_budget(row, "lifetime_budget"),
        bid_amount_minor=_budget(row, "bid_amount"),
        bid_strategy=_word(row, "bid_strategy"),
        objective=_word(row, "objective"),
        optimization_goal=_word(row, "optimization_goal"),
        learning_stage=None
        if stage is None
        else _one_of(stage, LEARNING_STAGES, "learning_stage_info.status"),
        learning_conversions=None
        if conversions is None
        else count(conversions, "learning_stage_info.conversions"),
        last_significant_edit_at=moment(
            learning.get("last_sig_edit_ts") or None, "last_sig_edit_ts"
        ),
        issues=storable(issues) if isinstance(issues, list) and issues else None,
        created_at=moment(row.get("created_time"), "created_time"),
        updated_at=moment(row.get("updated_time"), "updated_time"),
    )


def _delivered(row: Any, account: Account, level: EntityType, days: DayWindow) -> Delivered:
    if not isinstance(row, dict):
        raise InvalidValueError(path="row", problem=f"{row!r:.60} is not a row")
    counted = _actions(row, "actions")
    values = _actions(row, "action_values")
    conversions = _purchases(counted)
    value = _purchases(values)
    # Accounts that share a catalogue report purchases without their value: unknown, not worthless.
    value_known = value is not None or not conversions
    return Delivered(
        account=account.id,
        type=level,
        id=_id(row, f"{level}_id"),
        day=_day(row, days),
        impressions=count(row.get("impressions", 0), "impressions"),
        reach=count(row.get("reach", 0), "reach"),
        clicks=count(row.get("clicks", 0), "clicks"),
        link_clicks=count(row.get("inline_link_clicks", 0), "inline_link_clicks"),
        spend_minor=_minor(row.get("spend", 0), "spend", account.currency),
        conversions=conversions or 0.0,
        conversion_value_minor=_minor(value or 0, "action_values", account.currency)
        if value_known
        else None,
        actions=counted or None,
        action_values=values or None,
    )


def _actions(row: Mapping[str, Any], name: str) -> dict[str, float]:
    listed = row.get(name, ())
    if not isinstance(listed, list | tuple):
        raise InvalidValueError(path=name, problem=f"{listed!r:.60} is not a list")
    found: dict[str, float] = {}
    for item in listed:
        kind = item.get("action_type") if isinstance(item, dict) else None
        if not isinstance(kind, str):
            raise InvalidValueError(path=name, problem=f"{item!r:.60} names no action type")
        found[clean(kind)] = amount(item.get("value"), name)
    return found


def _purchases(by_type: Mapping[str, float]) -> float | None:
    return next((by_type[name] for name in PURCHASES if name in by_type), None)


def _minor(value: object, name: str, currency: str) -> int:
    amount(value, name)
    return money_from_major(str(value), currency).minor


def _budget(row: Mapping[str, Any], name: str) -> int | None:
    value = row.get(name)
    return (count(value, name) or None) if value is not None else None


def _day(row: Mapping[str, Any], days: DayWindow) -> date:
    try:
        day = date.fromisoformat(str(row.get("date_start")))
    except ValueError:
        raise InvalidValueError(
            path="date_start", problem=f"{row.get('date_start')!r:.60} is not a day"
        ) from None
    if row.get("date_stop", row["date_start"]) != row["date_start"]:
        raise InvalidValueError(path="date_stop", problem="the row covers more than one day")
    if not days.first <= day < days.end:
        raise InvalidValueError(path="date_start", problem=f"{day} was not asked for")
    return day


def _id(row: Any, name: str) -> EntityId:
    if not isinstance(row, dict):
        raise InvalidValueError(path="row", problem=f"{row!r:.60} is not a row")
    value = row.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidValueError(path=name, problem="the row does not say whose it is")
    return entity_id(str(value))


def _mapping(row: Any, name: str) -> Mapping[str, Any] | None:
    value = row.get(name) if isinstance(row, Mapping) else None
    if value is not None and not isinstance(value, Mapping):
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is not an object")
    return value


def _one_of(value: object, known: Sequence[str], name: str) -> str:
    if value not in known:
        raise InvalidValueError(
            path=name, problem=f"{value!r:.60} is not one of {', '.join(known)}"
        )
    return str(value)


def _word(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        raise InvalidValueError(path=name, problem=f"{value!r:.60} is not a word")
    return clean(value)
