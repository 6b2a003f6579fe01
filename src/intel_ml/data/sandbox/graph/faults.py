"""Faults on request: what is to go wrong, where, and how often.

Reads   faults as tests describe them over HTTP.
Gives   for each call the fault that is due.
Never   breaks a call nobody asked to break.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from intel_ml.core.errors import InvalidValueError, UnknownNameError


@dataclass(slots=True)
class Fault:
    """What happens to calls whose method and path match; `times` None means always.

    `latency_s` waits before, `latency_after_s` after the work is done; `status` and `body` replace
    the answer; `truncate` cuts it after so many bytes; `error` is a Graph error (code, subcode,
    message, status, is_transient); `drop_after_write` does the work and closes the connection
    without an answer; `null_items` makes the items of a batch null, by their position;
    `repeat_page` answers a page's `next` with the page itself.
    """

    path: str = "*"
    method: str = "*"
    times: int | None = 1
    latency_s: float = 0.0
    latency_after_s: float = 0.0
    status: int | None = None
    body: str = ""
    truncate: int | None = None
    error: dict[str, Any] | None = None
    drop_after_write: bool = False
    null_items: tuple[int, ...] = ()
    repeat_page: bool = False

    def matches(self, *, method: str, path: str) -> bool:
        """Return whether this call is meant; the path has no version and no leading slash."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)


class FaultPlan:
    """The faults that are still due, first come first served."""

    def __init__(self) -> None:
        self.due: list[Fault] = []

    def add(self, raw: Mapping[str, Any]) -> Fault:
        """Add a fault described in JSON."""
        known = {one.name for one in fields(Fault)}
        for name in raw:
            if name not in known:
                raise UnknownNameError(kind="fault setting", name=name, known=known)
        if raw.get("times") is not None and (not isinstance(raw["times"], int) or raw["times"] < 1):
            raise InvalidValueError(
                path="times", problem="must be a positive integer, or null for always"
            )
        fault = Fault(**{**raw, "null_items": tuple(raw.get("null_items", ()))})
        self.due.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self.due.clear()

    def take(self, *, method: str, path: str) -> Fault | None:
        """Return the fault for this call and count it."""
        for fault in self.due:
            if fault.matches(method=method, path=path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.due.remove(fault)
                return fault
        return None
