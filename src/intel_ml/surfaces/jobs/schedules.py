"""One file of pipelines/ a schedule: what runs, with which parameters, when, how long, after what.

Reads   pipelines/*.py, each of which binds `SCHEDULE`.
Gives   `Schedule`, and the slot a moment of platform time falls into.
Never   runs anything; times are the platform's, so a simulated month has its seven hundred hours.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intel_ml.core.errors import InvalidValueError, UnknownNameError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPANS = tuple(timedelta(hours=h) for h in (1, 24, 8 * 24, 32 * 24, 367 * 24))


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to run, and when: a `notebook` (of notebooks/) or a `job` (a built-in one's name).

    `every` is an interval, or a cron line in UTC ("15 3 * * *"). `after` names schedules whose
    newest slot must be done. A missed slot is run late, unless more than `within` has passed: then
    it is left out, which is right for studies and wrong for work.
    """

    name: str
    every: timedelta | str
    description: str
    notebook: str | None = None
    job: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    timeout_s: int = 600
    after: tuple[str, ...] = ()
    within: timedelta | None = None

    def __post_init__(self) -> None:
        if (self.notebook is None) == (self.job is None):
            raise InvalidValueError(
                path=f"schedule {self.name}", problem="needs either a notebook or a job"
            )
        if isinstance(self.every, timedelta) and self.every <= timedelta(0):
            raise InvalidValueError(path=f"schedule {self.name}: every", problem="must be positive")
        if self.timeout_s <= 0:
            raise InvalidValueError(
                path=f"schedule {self.name}: timeout_s", problem="must be positive"
            )
        if self.within is not None and self.within <= timedelta(0):
            raise InvalidValueError(
                path=f"schedule {self.name}: within", problem="must be positive"
            )
        slot_of(self, _EPOCH + _SPANS[-1])

    def is_too_late(self, slot: datetime, now: datetime) -> bool:
        """Return whether a slot that was missed is better left out."""
        return self.within is not None and now - slot > self.within

    @property
    def what(self) -> str:
        """The notebook or job, as a person reads it."""
        return f"notebook {self.notebook}" if self.notebook else f"job {self.job}"


def slot_of(schedule: Schedule, now: datetime) -> datetime:
    """Return the moment the slot that contains `now` began: one slot is run once.

    >>> slot_of(
    ...     Schedule("x", timedelta(hours=1), "", job="x"), datetime(2026, 1, 1, 10, 59, tzinfo=UTC)
    ... )
    datetime.datetime(2026, 1, 1, 10, 0, tzinfo=datetime.timezone.utc)
    """
    if isinstance(schedule.every, timedelta):
        return now - (now - _EPOCH) % schedule.every
    return _last_cron(schedule, now)


def discover(project: Path) -> dict[str, Schedule]:
    """Return every schedule of the project by name, or say which file is wrong."""
    found: dict[str, Schedule] = {}
    for path in sorted((project / "pipelines").glob("[!_]*.py")):
        schedule = runpy.run_path(str(path)).get("SCHEDULE")
        if not isinstance(schedule, Schedule):
            raise InvalidValueError(
                path=f"pipelines/{path.name}",
                problem="binds no SCHEDULE",
                hint="Write SCHEDULE = Schedule(...), see the files beside it.",
            )
        if schedule.name in found:
            raise InvalidValueError(
                path=f"pipelines/{path.name}", problem=f"'{schedule.name}' is taken"
            )
        if schedule.notebook and not (project / "notebooks" / schedule.notebook).is_file():
            known = [p.name for p in (project / "notebooks").glob("*.ipynb")]
            raise UnknownNameError(kind="notebook", name=schedule.notebook, known=known)
        found[schedule.name] = schedule
    for schedule in found.values():
        for name in schedule.after:
            if name not in found:
                raise UnknownNameError(kind="schedule", name=name, known=found)
    return found


def _last_cron(schedule: Schedule, now: datetime) -> datetime:
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # only for cron lines

    try:
        trigger = CronTrigger.from_crontab(str(schedule.every), timezone=UTC)
    except ValueError as error:
        raise InvalidValueError(
            path=f"schedule {schedule.name}: every", problem=f"'{schedule.every}': {error}"
        ) from error
    for span in _SPANS:
        fired = trigger.get_next_fire_time(None, now - span)
        last: datetime | None = None
        while fired is not None and fired <= now:
            last = fired
            fired = trigger.get_next_fire_time(fired, fired + timedelta(seconds=1))
        if last is not None:
            return last
    raise InvalidValueError(
        path=f"schedule {schedule.name}: every", problem=f"'{schedule.every}' never comes"
    )
