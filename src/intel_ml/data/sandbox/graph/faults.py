"""Faults on request: what is to go wrong, where, and how often.

Reads   faults as tests describe them over HTTP.
Gives   for each call the fault that is due; the list of those still due.
Never   breaks a call nobody asked to break.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.data.sandbox.graph.reports import Outcome
from intel_ml.data.sandbox.graph.spoiling import KINDS, NONSENSE

_METHODS = ("*", "GET", "POST", "DELETE")
_LONGEST_S = 600.0
_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599
Rule = Callable[[str, Any], None]
_INSTEAD = ("kind", "error", "status", "reset")


@dataclass(slots=True)
class Fault:
    """What happens to calls whose method and path match.

    Which calls: the first `skip` of them are spared, then each is hit with `probability` (drawn
    from `seed`), `times` times; None means always.

    `latency_s` waits before, `latency_after_s` after the work is done. Before the work, so that
    nothing is done: `kind` (one of `spoiling.KINDS`), `error` (a Graph error: code, subcode,
    message, type, status, is_transient), `status` with `body` and `content_type`, `reset`. After
    it, so that a write is made: `drop_after_write` closes the connection in the middle of the
    body, `status_after` answers with that status and `body` instead, `truncate` cuts after so many
    bytes, `empty` answers `{"data": []}`, `content_type` alone only mislabels, `null_items` makes
    the items of a batch null by position, `repeat_page` answers a page's `next` with the first
    page again, `nonsense` puts a value of that kind into `fields` of every row, all of them when
    none is named. `report` says how the run ordered by this call is to go (`reports.Outcome`).
    """

    path: str = "*"
    method: str = "*"
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    kind: str | None = None
    latency_s: float = 0.0
    latency_after_s: float = 0.0
    status: int | None = None
    status_after: int | None = None
    body: str = ""
    content_type: str | None = None
    truncate: int | None = None
    error: dict[str, Any] | None = None
    reset: bool = False
    drop_after_write: bool = False
    empty: bool = False
    null_items: tuple[int, ...] = ()
    repeat_page: bool = False
    report: str | None = None
    nonsense: str | None = None
    fields: tuple[str, ...] = ()
    number: int = field(default=0, kw_only=True)
    met: int = field(default=0, kw_only=True)
    hit: int = field(default=0, kw_only=True)
    draws: np.random.Generator = field(default_factory=np.random.default_rng, kw_only=True)

    @property
    def label(self) -> str:
        """What went wrong, in a word, for the record of writes."""
        if self.kind is not None:
            return self.kind
        if self.error is not None:
            return f"error {self.error.get('code', '')}".strip()
        if self.status is not None:
            return f"status {self.status}"
        return "reset" if self.reset else "after the work"

    def matches(self, *, method: str, path: str) -> bool:
        """Return whether this call is meant; the path has no version and no leading slash."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)

    @staticmethod
    def settings() -> tuple[str, ...]:
        """Return the names of everything that can be set."""
        return tuple(_RULES)

    def is_due(self) -> bool:
        """Count one call that matches and return whether it is hit."""
        self.met += 1
        if self.met <= self.skip:
            return False
        # Drawn even when certain, so that a seed means the same calls at any probability.
        is_hit = self.draws.random() < self.probability
        self.hit += is_hit
        return is_hit

    @property
    def is_spent(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self.times is not None and self.hit >= self.times


class FaultPlan:
    """The faults that are still due, first come first served."""

    def __init__(self) -> None:
        self.due: list[Fault] = []
        self.count = 0

    def add(self, raw: Mapping[str, Any]) -> Fault:
        """Add a fault described in JSON."""
        fault = fault_of(raw)
        self.count += 1
        fault.number, fault.draws = self.count, np.random.default_rng(fault.seed)
        self.due.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self.due.clear()

    def described(self) -> list[dict[str, Any]]:
        """Return the faults still due, with how many calls each met and hit."""
        return [
            {one.name: getattr(fault, one.name) for one in fields(fault) if one.name != "draws"}
            for fault in self.due
        ]

    def take(self, *, method: str, path: str, is_item: bool = False) -> Fault | None:
        """Return the fault for this call, or this item of a batch, and count it.

        A fault that is meant for the batch as a whole is not for its items too.
        """
        for fault in self.due:
            if is_item and fault.matches(method="POST", path=""):
                continue
            if fault.matches(method=method, path=path) and fault.is_due():
                if fault.is_spent:
                    self.due.remove(fault)
                return fault
        return None


def fault_of(raw: Mapping[str, Any]) -> Fault:
    """Return the fault that JSON describes, or say which of its settings can't be."""
    for name in raw:
        if name not in _RULES:
            raise UnknownNameError(kind="fault setting", name=name, known=_RULES)
    for name, value in raw.items():
        _RULES[name](name, value)
    instead = [name for name in _INSTEAD if raw.get(name)]
    if len(instead) > 1:
        raise InvalidValueError(path=instead[1], problem=f"can't be given beside {instead[0]}")
    if raw.get("fields") and not raw.get("nonsense"):
        raise InvalidValueError(path="fields", problem="needs nonsense beside it")
    lists = {name: tuple(raw.get(name) or ()) for name in ("null_items", "fields")}
    return Fault(**{**raw, **lists})


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidValueError(path=name, problem="must be text")


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidValueError(path=name, problem="must be true or false")


def _one_of(known: Collection[str]) -> Rule:
    def check(name: str, value: object) -> None:
        if value is None and name in _OPTIONAL:
            return
        _text(name, value)
        if value not in known:
            hint = UnknownNameError(kind=name, name=str(value), known=known).hint
            raise InvalidValueError(path=name, problem=f"there is no '{value}'", hint=hint)

    return check


def _number(low: float, high: float, *, is_whole: bool = False) -> Rule:
    def check(name: str, value: object) -> None:
        if value is None and name in _OPTIONAL:
            return
        kinds = int if is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            kind = "whole number" if is_whole else "number"
            raise InvalidValueError(path=name, problem=f"must be a {kind} from {low:g} to {high:g}")

    return check


def _list_of(kind: type) -> Rule:
    def check(name: str, value: object) -> None:
        if not isinstance(value, list | tuple) or not all(type(one) is kind for one in value):
            raise InvalidValueError(path=name, problem=f"must be a list of {kind.__name__}")

    return check


def _error(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise InvalidValueError(path=name, problem="must be an object")
    for key, inner in value.items():
        if key not in _ERROR_RULES:
            raise UnknownNameError(kind=f"setting of {name}", name=str(key), known=_ERROR_RULES)
        _ERROR_RULES[key](f"{name}.{key}", inner)


_OPTIONAL = (
    "times",
    "kind",
    "status",
    "status_after",
    "truncate",
    "content_type",
    "nonsense",
    "report",
    "error.subcode",
)
_SECONDS = _number(0, _LONGEST_S)
_COUNT = _number(0, 10**9, is_whole=True)
_STATUS = _number(_LOWEST_STATUS, _HIGHEST_STATUS, is_whole=True)
_ERROR_RULES: dict[str, Rule] = {
    "code": _number(-100, 10**7, is_whole=True),
    "subcode": _number(0, 10**7, is_whole=True),
    "message": _text,
    "type": _text,
    "status": _STATUS,
    "is_transient": _flag,
}
_RULES: dict[str, Rule] = {
    "path": _text,
    "method": _one_of(_METHODS),
    "skip": _COUNT,
    "times": _number(1, 10**9, is_whole=True),
    "probability": _number(0, 1),
    "seed": _COUNT,
    "kind": _one_of(KINDS),
    "latency_s": _SECONDS,
    "latency_after_s": _SECONDS,
    "status": _STATUS,
    "status_after": _STATUS,
    "body": _text,
    "content_type": lambda name, value: None if value is None else _text(name, value),
    "truncate": _COUNT,
    "error": _error,
    "reset": _flag,
    "drop_after_write": _flag,
    "empty": _flag,
    "null_items": _list_of(int),
    "repeat_page": _flag,
    "report": _one_of(tuple(Outcome)),
    "nonsense": _one_of(NONSENSE),
    "fields": _list_of(str),
}
