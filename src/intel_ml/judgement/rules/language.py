"""The language of rules: JSON in, a checked `Rule` out, and back.

Reads   JSON objects in the shape of the plan: conditions, action, execution settings.
Gives   `Rule`; errors that name the JSON path and the nearest word that exists.
Never   runs what it reads: fields and operators are those of the catalogue, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError, nearest_name
from intel_ml.core.ids import EntityType
from intel_ml.judgement.rules.conditions import Node
from intel_ml.judgement.rules.parsing import check_keys, conditions_json, parse_conditions


class Category(StrEnum):
    """What a rule is for."""

    LOSS_PREVENTION = "loss_prevention"
    SCALING = "scaling"
    LEARNING_PROTECTION = "learning_protection"
    TIME_BASED = "time_based"
    BUDGET_REALLOCATION = "budget_reallocation"
    FATIGUE_DETECTION = "fatigue_detection"


class ExecutionMode(StrEnum):
    """What happens to what a rule recommends."""

    APPROVAL_REQUIRED = "approval_required"
    AUTOMATIC = "automatic"
    SUGGESTION_ONLY = "suggestion_only"


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for, and what to recommend then; money is in major units of the account."""

    name: str
    category: Category
    conditions: Node
    action: Action
    applies_to: EntityType
    execution_mode: ExecutionMode = ExecutionMode.APPROVAL_REQUIRED
    id: int = 0
    version: int = 1
    description: str | None = None
    message: str | None = None
    is_active: bool = True
    priority: int = 0


_Choice = TypeVar("_Choice", bound=StrEnum)

_KEYS = (
    *("name", "category", "conditions", "action_type", "action_params", "applies_to"),
    *("execution_mode", "id", "version", "description", "is_active", "priority"),
)
_PARAMETERS = ("percentage", "message")
_LONGEST_NAME = 200
_LONGEST_TEXT = 2_000
_LARGEST_PERCENT = 1_000
_LARGEST_NUMBER = 2**31 - 1
_PERCENT_ACTIONS = (
    *(ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET),
    ActionType.ADJUST_BID,
)


def parse_rule(json: Mapping[str, Any]) -> Rule:
    """Return the rule that `json` describes.

    Raises
    ------
    InvalidValueError
        With the path of what is wrong and, for a name, the nearest one that exists.
    """
    check_keys(json, path="", known=_KEYS)
    return Rule(
        name=_text(json, "name", longest=_LONGEST_NAME),
        category=_one_of(Category, json, "category"),
        conditions=parse_conditions(_required(json, "conditions"), path="conditions"),
        action=_action(json),
        applies_to=_one_of(EntityType, json, "applies_to"),
        execution_mode=_one_of(
            ExecutionMode, json, "execution_mode", default=ExecutionMode.APPROVAL_REQUIRED
        ),
        id=_whole(json, "id", default=0),
        version=_whole(json, "version", default=1),
        description=_optional_text(json.get("description"), "description"),
        message=_optional_text(_parameters(json).get("message"), "action_params.message"),
        is_active=_flag(json, "is_active"),
        priority=_whole(json, "priority", default=0),
    )


def rule_json(rule: Rule) -> dict[str, Any]:
    """Return a rule in the shape `parse_rule` reads: the one is the inverse of the other."""
    parameters: dict[str, Any] = {}
    if rule.action.percent is not None:
        shown = rule.action.percent
        is_decrease = rule.action.type is ActionType.DECREASE_BUDGET
        parameters["percentage"] = -shown if is_decrease else shown
    if rule.message is not None:
        parameters["message"] = rule.message
    return {
        "id": rule.id,
        "version": rule.version,
        "name": rule.name,
        "description": rule.description,
        "category": str(rule.category),
        "conditions": conditions_json(rule.conditions),
        "action_type": str(rule.action.type),
        "action_params": parameters,
        "execution_mode": str(rule.execution_mode),
        "applies_to": str(rule.applies_to),
        "is_active": rule.is_active,
        "priority": rule.priority,
    }


def _action(json: Mapping[str, Any]) -> Action:
    kind = _one_of(ActionType, json, "action_type")
    percent = _parameters(json).get("percentage")
    path = "action_params.percentage"
    if kind not in _PERCENT_ACTIONS:
        if percent is not None:
            raise InvalidValueError(path=path, problem=f"{kind} takes no percentage")
        return Action(kind)
    if not isinstance(percent, int | float) or isinstance(percent, bool) or percent != percent // 1:
        raise InvalidValueError(
            path=path,
            problem=f"{kind} needs a whole percentage",
            hint='Example: {"percentage": 20}.',
        )
    whole = int(percent)
    if kind is ActionType.DECREASE_BUDGET:
        whole = -abs(whole)
    if not -100 < whole <= _LARGEST_PERCENT or whole == 0:  # noqa: PLR2004  # all of it
        raise InvalidValueError(path=path, problem=f"{percent} is out of range")
    if kind is ActionType.INCREASE_BUDGET and whole < 0:
        raise InvalidValueError(path=path, problem=f"{percent} contradicts {kind}")
    return Action(kind, whole)


def _parameters(json: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = json.get("action_params")
    if parameters is None:
        return {}
    check_keys(parameters, path="action_params", known=_PARAMETERS)
    return dict(parameters)


def _required(json: Mapping[str, Any], key: str) -> Any:
    if key not in json:
        raise InvalidValueError(path=key, problem="is missing")
    return json[key]


def _text(json: Mapping[str, Any], key: str, *, longest: int) -> str:
    value = _required(json, key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidValueError(path=key, problem="must be a text that is not empty")
    if len(value) > longest:
        raise InvalidValueError(path=key, problem=f"is longer than {longest} characters")
    return value


def _optional_text(value: Any, path: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InvalidValueError(
            path=path, problem=f"must be a text of at most {_LONGEST_TEXT} characters"
        )
    return value


def _one_of(
    kind: type[_Choice], json: Mapping[str, Any], key: str, *, default: _Choice | None = None
) -> _Choice:
    if default is not None and json.get(key) is None:
        return default
    value = _required(json, key)
    known: Iterable[str] = [str(one) for one in kind]
    if not isinstance(value, str) or value not in known:
        near = nearest_name(str(value)[:_LONGEST_NAME], known)
        hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(known)}."
        raise InvalidValueError(
            path=key, problem=f"'{str(value)[:60]}' is not one of them", hint=hint
        )
    return kind(value)


def _whole(json: Mapping[str, Any], key: str, *, default: int) -> int:
    value = json.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_NUMBER:
        raise InvalidValueError(path=key, problem="must be a whole number")
    return value


def _flag(json: Mapping[str, Any], key: str) -> bool:
    value = json.get(key, True)
    if not isinstance(value, bool):
        raise InvalidValueError(path=key, problem="must be true or false")
    return value
