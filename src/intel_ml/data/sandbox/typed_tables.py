"""TOML tables into frozen dataclasses, strictly: types by the hints, keys by the fields.

Reads   what `tomllib` gives, and a dataclass.
Gives   the dataclass, or an error with the path of the key and the nearest name.
Never   ignores a key, and never turns one type into another, but a whole number into a float.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from intel_ml.core.errors import InvalidValueError, UnknownNameError

T = TypeVar("T")
_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}


def read_table(cls: type[T], raw: object, where: str) -> T:
    """Return `raw` as a `cls`; `where` is the path of the table, empty at the top."""
    if not isinstance(raw, Mapping):
        raise InvalidValueError(path=where, problem=f"must be a table, not {_word(raw)}")
    hints = get_type_hints(cls)
    for key in raw:
        if key not in hints:
            kind = f"key at {where}" if where else "key"
            raise UnknownNameError(kind=kind, name=str(key), known=hints)
    values: dict[str, Any] = {}
    for one in fields(cls):  # type: ignore[arg-type]  # every class given here is a dataclass
        path = f"{where}.{one.name}" if where else one.name
        if one.name in raw:
            values[one.name] = _value(hints[one.name], raw[one.name], path)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise InvalidValueError(path=path, problem="is missing")
    return cls(**values)


def _value(kind: Any, raw: object, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(raw, list):
            raise InvalidValueError(path=where, problem=f"must be a list, not {_word(raw)}")
        if inner[-1] is not Ellipsis and len(raw) != len(inner):
            raise InvalidValueError(path=where, problem=f"must have {len(inner)} values")
        return tuple(_value(inner[0], item, f"{where}[{n}]") for n, item in enumerate(raw))
    if origin is Mapping:
        if not isinstance(raw, dict):
            raise InvalidValueError(path=where, problem=f"must be a table, not {_word(raw)}")
        return {key: _value(inner[1], item, f"{where}.{key}") for key, item in raw.items()}
    if inner:  # X | None: TOML has no null, so what is written is an X
        return _value(inner[0], raw, where)
    if hasattr(kind, "__dataclass_fields__"):
        return read_table(kind, raw, where)
    return _scalar(kind, raw, where)


def _scalar(kind: type, raw: object, where: str) -> object:
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if type(raw) is not kind:
        raise InvalidValueError(path=where, problem=f"must be {_WORDS[kind]}, not {_word(raw)}")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise InvalidValueError(path=where, problem="must be a finite number")
    return raw


def _word(raw: object) -> str:
    """Return what a value of TOML is, in words; what is left are moments."""
    return _WORDS.get(type(raw), "a date or time")
