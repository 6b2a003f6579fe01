"""The sandbox's own controls: its clock, its speed, its faults, what was written to it.

Reads   a platform, a journal, a speed.
Gives   the answers of `/_sandbox/...`, and time that goes on by itself when a speed is set.
Never   goes back in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.graph.records import selected
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.truth import asked_of_oracle, told, traits

_HOUR_S = 3600.0
_HOUR = timedelta(hours=1)
_MOST_HOURS = 24 * 366
#: A faster clock than this would play whole days between two requests.
_FASTEST = 100_000.0
_WRITES = ("object", "since", "after", "applied")


class Control:
    """The world's clock and everything tests may turn; `tick` gives seconds that only grow."""

    def __init__(
        self,
        platform: Platform,
        *,
        journal: Journal | None,
        speed: float,
        tick: Callable[[], float],
    ) -> None:
        self.platform, self.journal, self.tick = platform, journal, tick
        self.faults = platform.faults
        self.speed = _checked_speed(speed)
        self.speed_before_pause = self.speed or 1.0
        self.anchor, self.owed_s = tick(), 0.0

    def advance(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Play hours now: `{"hours": n}`, one when nothing is said, or `{"to": moment}`."""
        _only(body, ("hours", "to"))
        if len(body) > 1:
            raise InvalidValueError(path="to", problem="can't be given beside hours")
        self.play(self._hours_to(body["to"]) if "to" in body else body.get("hours", 1))
        return {"now": self.platform.world.now.isoformat()}

    def play(self, hours: object) -> None:
        """Play this many hours and keep it in the journal."""
        if isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= _MOST_HOURS:
            raise InvalidValueError(
                path="hours", problem=f"must be a whole number from 0 to {_MOST_HOURS}"
            )
        self.platform.world.advance(hours)
        if self.journal is not None and hours:
            self.journal.advanced(hours)

    def catch_up(self) -> None:
        """Play the whole hours that have passed at the current speed since the last look."""
        now = self.tick()
        self.owed_s += (now - self.anchor) * self.speed
        self.anchor = now
        hours = int(self.owed_s / _HOUR_S)
        if hours:
            self.owed_s -= hours * _HOUR_S
            self.play(min(hours, _MOST_HOURS))
        self.platform.usage.second = int(self.owed_s)

    def set_speed(self, speed: object) -> dict[str, Any]:
        """Set how many simulated seconds pass in a real one: 1 is real time, 0 stands still."""
        wanted = _checked_speed(speed)
        self.catch_up()
        self.speed = wanted
        self.speed_before_pause = wanted or self.speed_before_pause
        return self.clock()

    def pause(self) -> dict[str, Any]:
        """Stand still; what had passed of the current hour is kept."""
        return self.set_speed(0.0)

    def resume(self) -> dict[str, Any]:
        """Go on at the speed before the pause, in real time if there was none."""
        return self.set_speed(self.speed_before_pause)

    def clock(self) -> dict[str, Any]:
        """Return the simulated moment, where it began, and its speed."""
        world = self.platform.world
        return {"now": world.now.isoformat(), "start": world.start.isoformat(), "speed": self.speed}

    def writes(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the writes received, in order, without tokens."""
        _only(query, _WRITES)
        after, applied = query.get("after", "0"), query.get("applied")
        if not after.isdecimal():
            raise InvalidValueError(path="after", problem="must be the number of a write")
        if applied not in (None, "true", "false"):
            raise InvalidValueError(path="applied", problem="must be true or false")
        found = selected(
            self.platform.writes,
            object_id=query.get("object"),
            since=_moment("since", query["since"]) if "since" in query else None,
            after=int(after),
            is_applied=None if applied is None else applied == "true",
        )
        return {"data": [asdict(entry) for entry in found]}

    def world(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return what the world holds; with `account`, its structure and true traits."""
        _only(query, ("account",))
        world = self.platform.world
        if "account" not in query:
            return told(world)
        return {**told(world), "campaigns": traits(world, query["account"])}

    def oracle(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the true effect of an action from now on."""
        return asked_of_oracle(self.platform.world, query)

    def add_fault(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a fault."""
        return {"number": self.faults.add(raw).number, "due": len(self.faults.due)}

    def list_faults(self) -> dict[str, Any]:
        """Return the faults still due."""
        return {"due": len(self.faults.due), "data": self.faults.described()}

    def set_quota(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Set the tier or single limits of the quotas, or let time pass for them alone."""
        return self.platform.usage.configure(raw)

    def quota(self) -> dict[str, Any]:
        """Return the limits, and how full each account's points are."""
        return self.platform.usage.described()

    def clear_faults(self) -> dict[str, Any]:
        """Forget all planned faults."""
        self.faults.clear()
        return {"due": 0}

    def _hours_to(self, text: object) -> int:
        ahead = _moment("to", text) - self.platform.world.now
        if ahead < timedelta(0):
            raise InvalidValueError(path="to", problem="is in the past, and time goes forward only")
        if ahead % _HOUR:
            raise InvalidValueError(path="to", problem="must be a whole hour")
        return ahead // _HOUR


def _only(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(kind="parameter", name=name, known=known)


def _moment(path: str, text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise InvalidValueError(
            path=path, problem="must be a moment like 2026-11-01T00:00:00+00:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _checked_speed(speed: object) -> float:
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed <= _FASTEST:
        raise InvalidValueError(path="speed", problem=f"must be a number from 0 to {_FASTEST:,.0f}")
    return float(speed)
