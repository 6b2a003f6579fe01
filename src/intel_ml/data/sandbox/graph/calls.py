"""One GET, and the parameters that every edge accepts.

Reads   nothing.
Gives   `Call`, and `only`: the refusal of parameters that an edge doesn't have.
Never   passes over a parameter that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intel_ml.data.sandbox.graph.errors import bad_parameter

#: Accepted everywhere and without effect here.
ALWAYS = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "method",
        "format",
        "locale",
        "pretty",
        "debug",
        "suppress_http_code",
    }
)
PAGED = frozenset({"fields", "limit", "after", "before"})


@dataclass(frozen=True, slots=True)
class Call:
    """One GET: path segments without the version, parameters, and the URL without them."""

    segments: tuple[str, ...]
    params: Mapping[str, str]
    url: str

    def only(self, known: frozenset[str]) -> None:
        """Refuse parameters that the edge doesn't have."""
        for name in self.params:
            if name not in known and name not in ALWAYS:
                raise bad_parameter(f"Unknown parameter: {name}")
