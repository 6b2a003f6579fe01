"""Conditions from JSON, checked against the catalogue, and back.

Reads   `{"operator": "AND", "rules": [{"field": …, "operator": …, "value": …}, …]}`, nested.
Gives   the tree of `conditions`, at most eight levels deep and 200 nodes large.
Never   accepts a field, an operator or a word that does not exist, or a number that is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from intel_ml.core.errors import InvalidValueError, nearest_name
from intel_ml.features.catalogue import Feature, Kind, Role, feature, names
from intel_ml.judgement.rules.conditions import (
    COMPARISONS,
    DURATIONS,
    LISTS,
    TRENDS,
    WORDS,
    Condition,
    Group,
    Join,
    Multiple,
    Node,
    Operator,
    Threshold,
)

DEEPEST = 8
MOST_NODES = 200
LONGEST_LIST = 50

_LONGEST_WORD = 100
_SHOWN = 60
_BOUNDS = 2
_HOURS_A_DAY = 24.0
_TIME_UNITS = {
    (Operator.FOR_HOURS, Kind.HOURS): 1.0,
    (Operator.FOR_HOURS, Kind.DAYS): _HOURS_A_DAY,
    (Operator.FOR_DAYS, Kind.DAYS): 1.0,
    (Operator.FOR_DAYS, Kind.HOURS): 1 / _HOURS_A_DAY,
}


def parse_conditions(json: Any, *, path: str) -> Node:
    """Return the tree of `json`, which stands at `path` of a rule."""
    return _Parser().node(json, path=path, depth=1)


def conditions_json(node: Node) -> dict[str, Any]:
    """Return the tree in the shape `parse_conditions` reads."""
    if isinstance(node, Group):
        return {"operator": str(node.join), "rules": [conditions_json(one) for one in node.parts]}
    values = [str(one) if isinstance(one, Multiple) else one for one in node.values]
    shape: dict[str, Any] = {"field": node.field, "operator": str(node.operator)}
    if node.operator in TRENDS:
        return shape
    is_list = node.operator in LISTS or node.operator is Operator.BETWEEN
    return {**shape, "value": values if is_list else values[0]}


def check_keys(json: Any, *, path: str, known: Iterable[str]) -> None:
    """Refuse anything but an object with known keys."""
    if not isinstance(json, Mapping):
        raise InvalidValueError(path=path or "rule", problem="must be an object")
    for key in json:
        if key not in known:
            where = f"{path}.{str(key)[:_SHOWN]}" if path else str(key)[:_SHOWN]
            raise _unknown(str(key), known, path=where, kind="key")


@dataclass(slots=True)
class _Parser:
    """Counts the nodes while reading, so that a rule too large is refused before its end."""

    nodes: int = 0

    def node(self, json: Any, *, path: str, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise InvalidValueError(
                path=path, problem=f"a rule has at most {MOST_NODES} conditions"
            )
        if depth > DEEPEST:
            raise InvalidValueError(path=path, problem=f"conditions nest at most {DEEPEST} deep")
        if isinstance(json, Mapping) and ("rules" in json or "field" not in json):
            return self._group(json, path=path, depth=depth)
        return _condition(json, path=path)

    def _group(self, json: Mapping[str, Any], *, path: str, depth: int) -> Group:
        check_keys(json, path=path, known=("operator", "rules"))
        join = json.get("operator")
        if join not in list(Join):
            raise _unknown(join, list(Join), path=f"{path}.operator", kind="way to join conditions")
        parts = json.get("rules")
        if not _is_list(parts) or not parts:
            raise InvalidValueError(
                path=f"{path}.rules", problem="must be a list that is not empty"
            )
        if join == Join.NOT and len(parts) != 1:
            raise InvalidValueError(path=f"{path}.rules", problem="NOT takes exactly one condition")
        nodes = tuple(
            self.node(part, path=f"{path}.rules[{number}]", depth=depth + 1)
            for number, part in enumerate(parts)
        )
        return Group(Join(join), nodes)


def _condition(json: Any, *, path: str) -> Condition:
    check_keys(json, path=path, known=("field", "operator", "value"))
    asked = _field(json.get("field"), path=f"{path}.field")
    name = json.get("operator")
    if name not in list(Operator):
        raise _unknown(name, list(Operator), path=f"{path}.operator", kind="operator")
    operator = Operator(name)
    allowed = _operators(asked)
    if operator not in allowed:
        listed = ", ".join(one for one in Operator if one in allowed)
        raise InvalidValueError(
            path=f"{path}.operator",
            problem=f"'{operator}' cannot be asked of {asked.name}",
            hint=f"Possible: {listed}.",
        )
    scale = _TIME_UNITS.get((operator, asked.kind), 1.0)
    values = _values(json, asked, operator, path=f"{path}.value")
    return Condition(asked.name, operator, values, scale)


def _operators(asked: Feature) -> frozenset[Operator]:
    if asked.is_word:
        return WORDS
    numeric = COMPARISONS | LISTS | {Operator.BETWEEN}
    if asked.kind in (Kind.HOURS, Kind.DAYS):
        return numeric | DURATIONS
    return numeric | TRENDS if asked.kind is Kind.CHANGE else numeric


def _values(
    json: Mapping[str, Any], asked: Feature, operator: Operator, *, path: str
) -> tuple[Threshold, ...]:
    value = json.get("value")
    if operator in TRENDS:
        if value is not None:
            raise InvalidValueError(path=path, problem=f"'{operator}' takes no value")
        return ()
    if operator is not Operator.BETWEEN and operator not in LISTS:
        return (_value(value, asked, path=path),)
    if not _is_list(value) or not 1 <= len(value) <= LONGEST_LIST:
        raise InvalidValueError(
            path=path, problem=f"'{operator}' takes a list of 1 to {LONGEST_LIST} values"
        )
    values = tuple(_value(one, asked, path=f"{path}[{n}]") for n, one in enumerate(value))
    if operator is Operator.BETWEEN:
        _check_bounds(values, path=path)
    return values


def _check_bounds(values: tuple[Threshold, ...], *, path: str) -> None:
    if len(values) != _BOUNDS:
        raise InvalidValueError(path=path, problem="'between' takes [least, most]")
    least, most = values
    if isinstance(least, float) and isinstance(most, float) and least > most:
        raise InvalidValueError(path=path, problem=f"{least:g} is more than {most:g}")


def _value(value: Any, asked: Feature, *, path: str) -> Threshold:
    if asked.is_word:
        return _word(value, asked, path=path)
    if isinstance(value, str):
        return _multiple(value, path=path)
    if isinstance(value, Mapping):
        check_keys(value, path=path, known=("field", "times"))
        times = _finite(value.get("times", 1.0), path=f"{path}.times")
        return Multiple(_number_field(value.get("field"), path=f"{path}.field"), times)
    return _finite(value, path=path)


def _word(value: Any, asked: Feature, *, path: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        raise InvalidValueError(path=path, problem=f"{asked.name} is compared with words")
    if value not in asked.words:
        raise _unknown(value, asked.words, path=path, kind=f"value of {asked.name}")
    return value


def _finite(value: Any, *, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(path=path, problem="must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValueError(path=path, problem="must be a finite number")
    return number


def _multiple(text: str, *, path: str) -> Multiple:
    """Read `{field}`, `{field * number}` or `{number * field}`."""
    inside = text.strip()
    parts = [part.strip() for part in inside[1:-1].split("*")]
    is_shaped = inside.startswith("{") and inside.endswith("}") and len(inside) <= _LONGEST_WORD
    if not is_shaped or len(parts) > _BOUNDS:
        raise InvalidValueError(
            path=path,
            problem=f"'{text[:_SHOWN]}' is neither a number nor a multiple of a field",
            hint='Example: "{target_cpa * 2}".',
        )
    numbers = [number for part in parts if (number := _read_number(part)) is not None]
    fields = [part for part in parts if _read_number(part) is None]
    if len(fields) != 1:
        raise InvalidValueError(
            path=path,
            problem=f"'{text[:_SHOWN]}' must name one field",
            hint='Example: "{target_cpa * 2}".',
        )
    times = _finite(numbers[0] if numbers else 1.0, path=path)
    return Multiple(_number_field(fields[0], path=path), times)


def _read_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _number_field(name: Any, *, path: str) -> str:
    found = _field(name, path=path)
    if found.is_word:
        raise InvalidValueError(path=path, problem=f"{found.name} is not a number")
    return found.name


def _field(name: Any, *, path: str) -> Feature:
    known = names(role=Role.RULE)
    if name is None:
        raise InvalidValueError(path=path, problem="is missing")
    if not isinstance(name, str) or name not in known:
        raise _unknown(name, known, path=path, kind="field")
    return feature(name, role=Role.RULE)


def _unknown(name: Any, known: Iterable[str], *, path: str, kind: str) -> InvalidValueError:
    listed = [str(one) for one in known]
    shown = str(name)[:_SHOWN]
    near = nearest_name(shown, listed)
    hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(listed[:16])}."
    return InvalidValueError(path=path, problem=f"'{shown}' is not a {kind}", hint=hint)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
