"""A sandbox's time, and the platform's clock that follows it.

Reads   a sandbox's controls over HTTP.
Gives   `SandboxClock`, what a sandbox is started with, and ways to bring both clocks together.
Never   moves the platform's clock back: what is stored stays past.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from intel_ml.core.errors import UnavailableError, WrongUseError
from intel_ml.data.store.sessions import Store, platform_now, set_clock
from intel_ml.surfaces.settings import LOOPBACK, Settings

#: How far before the real moment a new sandbox begins.
HISTORY = timedelta(days=30)
_TIMEOUT_S = 120.0
_HOUR_S = 3600


class SandboxClock:
    """The control side of a sandbox: its time, its writes, its world."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def clock(self) -> dict[str, Any]:
        """Return {"now", "start", "speed"}."""
        return dict(self._ask("GET", "/_sandbox/clock"))

    def now(self) -> datetime:
        """Return the simulated moment."""
        return datetime.fromisoformat(self.clock()["now"])

    def advance(self, hours: int) -> datetime:
        """Let simulated hours pass; return the new moment."""
        return datetime.fromisoformat(
            self._ask("POST", "/_sandbox/advance", json={"hours": hours})["now"]
        )

    def set_speed(self, speed: float) -> None:
        """Set how many simulated seconds pass in a real one."""
        self._ask("POST", "/_sandbox/speed", json={"speed": speed})

    def writes(self, **asked: Any) -> list[dict[str, Any]]:
        """Return every write received, oldest first: of an `object`, `since`, `after`, `applied`.

        These are what `/_sandbox/writes` takes; without any, all are returned.
        """
        return list(self._ask("GET", "/_sandbox/writes", params=asked)["data"])

    def world(self) -> dict[str, Any]:
        """Return what the world is made of."""
        return dict(self._ask("GET", "/_sandbox/world"))

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            service = f"The sandbox at {self._client.base_url}".rstrip("/")
            check = "Is `make demo` or `intel-ml sandbox serve` running there?"
            raise UnavailableError(service=service, check=check) from error
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise WrongUseError(f"The sandbox says: {answer.json().get('error')}")
        if answer.is_error:
            raise UnavailableError(
                service="The sandbox", check=f"It answered {answer.status_code}."
            )
        return answer.json()


def sandbox_options(settings: Settings) -> dict[str, Any]:
    """Return what the sandbox's server is started with."""
    read, write = settings.meta_access_token, settings.meta_write_token
    return {
        "name": settings.intel_sandbox_world,
        "host": LOOPBACK,
        "port": settings.intel_sandbox_port,
        "start": datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HISTORY,
        "speed": settings.intel_sandbox_speed,
        "read_token": read.get_secret_value() if read else secrets.token_urlsafe(),
        "write_token": write.get_secret_value() if write else secrets.token_urlsafe(),
        "journal": settings.intel_home / "sandbox.jsonl",
    }


def follow(store: Store, now: datetime) -> None:
    """Bring the platform's clock to the sandbox's, never back: what is stored stays past."""
    with store.session() as session:
        if now > platform_now(session):
            set_clock(session, now=now)


def catch_up(store: Store, clock: SandboxClock) -> int:
    """Let the hours pass in the sandbox that passed while it stood still; return how many."""
    hours = int((store.now() - clock.now()).total_seconds() // _HOUR_S)
    if hours > 0:
        clock.advance(hours)
    return max(hours, 0)
