"""What it takes to change an account: where the platform is, and the token that may write.

Reads   nothing.
Gives   `WriteAccess`.
Never   shows a secret when printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WriteAccess:
    """The write half of the platform; held by the executor process only."""

    graph_url: str
    token: str = field(repr=False)
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
