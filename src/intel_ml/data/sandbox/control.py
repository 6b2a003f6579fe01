"""The sandbox's own controls: its clock, its speed, its faults, what was written to it.

Reads   a platform, a journal, a speed.
Gives   the answers of `/_sandbox/...`, and time that goes on by itself when a speed is set.
Never   goes back in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from intel_ml.core.errors import InvalidValueError
from intel_ml.core.money import currency_offset
from intel_ml.data.sandbox.graph.faults import FaultPlan
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.population import minor, pixel_id

_HOUR_S = 3600.0
_MOST_HOURS = 24 * 366
#: A faster clock than this would play whole days between two requests.
_FASTEST = 100_000.0


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
        self.faults = FaultPlan()
        self.speed = _checked_speed(speed)
        self.anchor = tick()

    def advance(self, hours: object) -> dict[str, Any]:
        """Play this many hours now."""
        if isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= _MOST_HOURS:
            raise InvalidValueError(
                path="hours", problem=f"must be a whole number from 0 to {_MOST_HOURS}"
            )
        self.platform.world.advance(hours)
        if self.journal is not None and hours:
            self.journal.advanced(hours)
        return {"now": self.platform.world.now.isoformat()}

    def catch_up(self) -> None:
        """Play the whole hours that have passed at the current speed since the last look."""
        if self.speed <= 0:
            return
        hours = int((self.tick() - self.anchor) * self.speed / _HOUR_S)
        if hours:
            self.anchor += hours * _HOUR_S / self.speed
            self.advance(min(hours, _MOST_HOURS))

    def set_speed(self, speed: object) -> dict[str, Any]:
        """Set how many simulated seconds pass in a real one; 0 stands still."""
        self.catch_up()
        self.speed = _checked_speed(speed)
        self.anchor = self.tick()
        return self.clock()

    def clock(self) -> dict[str, Any]:
        """Return the simulated moment, where it began, and its speed."""
        world = self.platform.world
        return {"now": world.now.isoformat(), "start": world.start.isoformat(), "speed": self.speed}

    def writes(self) -> dict[str, Any]:
        """Return every write received, in order, without tokens."""
        return {"data": [asdict(entry) for entry in self.platform.writes]}

    def world(self) -> dict[str, Any]:
        """Return what the world holds, and the targets that no ad platform knows."""
        world = self.platform.world
        population = world.population
        return {
            "world": world.name,
            "description": world.file.description,
            "seed": world.seed,
            "hours": world.hour,
            "counts": {
                "accounts": len(population.accounts),
                "campaigns": len(population.campaigns),
                "adsets": len(population.adsets),
                "ads": len(population.ads),
            },
            "accounts": [
                {
                    "id": f"act_{account.id}",
                    "name": account.name,
                    "currency": account.currency,
                    "currency_offset": currency_offset(account.currency),
                    "time_zone": account.time_zone,
                    "target_cpa_minor": round(
                        minor(account.target_cpa, account) * world.file.goods
                    ),
                    "target_roas": account.target_roas,
                    "pixel_id": pixel_id(account),
                }
                for account in population.accounts
            ],
        }

    def add_fault(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a fault."""
        self.faults.add(raw)
        return {"due": len(self.faults.due)}

    def clear_faults(self) -> dict[str, Any]:
        """Forget all planned faults."""
        self.faults.clear()
        return {"due": 0}


def _checked_speed(speed: object) -> float:
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed <= _FASTEST:
        raise InvalidValueError(path="speed", problem=f"must be a number from 0 to {_FASTEST:,.0f}")
    return float(speed)
