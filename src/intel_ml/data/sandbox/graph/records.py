"""The record of every write received: the oracle of all safety tests.

Reads   writes as they arrive, with their answers.
Gives   `Written`, in the order they came, found by object, moment or number.
Never   holds a token, only its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Written:
    """One write received: `n` counts from 1, `at` is simulated, `received_at` real time.

    `token` is its kind: read, write, invalid or none. `fault` names the planned fault that met it.
    """

    n: int
    at: str
    received_at: str
    token: str
    method: str
    path: str
    params: dict[str, str]
    status: int
    body: Any
    is_applied: bool
    fault: str | None = None


class WriteLog(Protocol):
    """Where writes and orders of reports go so that a restart finds them again."""

    def wrote(self, entry: Written) -> None:
        """Keep one write."""

    def ordered(self, identifier: str, params: Mapping[str, str], outcome: str) -> None:
        """Keep that a report was ordered."""


def selected(
    writes: Iterable[Written],
    *,
    object_id: str | None = None,
    since: datetime | None = None,
    after: int = 0,
    is_applied: bool | None = None,
) -> Sequence[Written]:
    """Return the writes to an object, from a simulated moment on, after a number."""
    return [
        one
        for one in writes
        if one.n > after
        and (object_id is None or one.path.partition("/")[0] == object_id)
        and (since is None or datetime.fromisoformat(one.at) >= since)
        and (is_applied is None or one.is_applied is is_applied)
    ]
