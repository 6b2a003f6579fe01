"""One request and one answer, free of any HTTP library.

Reads   nothing.
Gives   `Question`, `Answer`, and the version and segments of a path.
Never   knows what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_VERSION = re.compile(r"v\d{1,2}\.\d")
_WRITING = ("POST", "DELETE")
OK = 200


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `path` without the version, `base` the URL up to and including the version.

    `fault` names the planned fault that will spoil the answer, for the record of writes.
    """

    method: str
    path: str
    params: Mapping[str, str]
    base: str
    fault: str | None = None

    @property
    def writes(self) -> bool:
        """Whether this changes an account; neither a batch nor asking for a report does."""
        return self.method in _WRITING and bool(self.path) and not self.path.endswith("/insights")

    @property
    def orders_report(self) -> bool:
        """Whether this asks for insights asynchronously."""
        segments = segments_of(self.path)
        return self.method == "POST" and segments[1:] == ("insights",)

    @property
    def object_id(self) -> str:
        """The first segment of the path: what is asked about."""
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `body` is ready for JSON, and `text` stands for it where it is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str | None = None


def without_version(path: str) -> tuple[str, str]:
    """Return (version, rest) of a path.

    >>> without_version("/v26.0/act_101/adsets")
    ('v26.0', 'act_101/adsets')
    """
    first, _, rest = path.strip("/").partition("/")
    return (first, rest) if _VERSION.fullmatch(first) else ("", path.strip("/"))


def segments_of(path: str) -> tuple[str, ...]:
    """Return the parts of a path that are not empty."""
    return tuple(part for part in path.split("/") if part)
