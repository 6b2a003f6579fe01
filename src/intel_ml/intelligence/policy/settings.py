"""Hyperparameters of a policy: a frozen value, made from names and numbers that are checked.

Reads   parameters by name, as written in a notebook or in `model.toml`.
Gives   a frozen dataclass of the policy's own.
Never   accepts a name it doesn't know or a number that isn't finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Protocol, TypeVar

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError, UnknownNameError

TEMPERATURE = 0.15
FLOOR = 0.02
MIN_FLOOR = 0.01
MAX_FLOOR = 1 / len(ARMS)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How scores become probabilities: softmax at `temperature`, `floor` for each allowed arm."""

    temperature: float = TEMPERATURE
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if not MIN_FLOOR <= self.floor <= MAX_FLOOR:
            raise InvalidValueError(
                path="floor",
                problem=f"{self.floor} is outside {MIN_FLOOR}..{MAX_FLOOR:.3f}",
                hint="A choice without a floor cannot be judged from its log.",
            )
        if self.temperature <= 0:
            raise InvalidValueError(path="temperature", problem="must be above 0")


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


def checked(kind: type[T], given: Mapping[str, object]) -> T:
    """Return `kind(**given)` with numbers of the right type; a word where the default is one.

    >>> checked(Drawing, {"floor": 0.05})
    Drawing(temperature=0.15, floor=0.05)
    """
    known = {field.name: field for field in fields(kind)}
    values: dict[str, int | float | str] = {}
    for name, value in given.items():
        if name not in known:
            raise UnknownNameError(kind="parameter", name=name, known=known)
        if isinstance(known[name].default, str):
            if not isinstance(value, str):
                raise InvalidValueError(path=name, problem=f"{value!r} is not a word")
            values[name] = value
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise InvalidValueError(path=name, problem=f"{value!r} is not a finite number")
        whole = isinstance(known[name].default, int)
        if whole and int(value) != value:
            raise InvalidValueError(path=name, problem=f"{value} is not a whole number")
        values[name] = int(value) if whole else float(value)
    return kind(**values)
