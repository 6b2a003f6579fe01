"""The loop that runs what is due. It only ticks: rows of `intel_job_run` are the truth.

Reads   pipelines/, the platform's clock, which slots were run.
Gives   runs, a few at a time; a schedule whose last slot was missed runs once, not once for each
        slot missed.
Never   runs a schedule before those it comes after have done their newest slot, nor beside itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from intel_ml.core.errors import IntelError
from intel_ml.surfaces.jobs.leases import statuses
from intel_ml.surfaces.jobs.running import JobContext, JobResult, run_job
from intel_ml.surfaces.jobs.schedules import Schedule, discover, slot_of

log = structlog.get_logger(__name__)

TICK_S = 2.0
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose newest slot has not been run."""

    schedule: Schedule
    slot: datetime


@dataclass(slots=True)
class _Running:
    """The runs in flight in this process."""

    pool: ThreadPoolExecutor
    futures: dict[str, Future[JobResult]] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Return what is running, forgetting what ended."""
        self.futures = {n: f for n, f in self.futures.items() if not f.done()}
        return set(self.futures)


def run_scheduler(context: JobContext, stop: threading.Event) -> None:
    """Run what is due until `stop` is set; what is running then is waited for."""
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415  # only here

    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="job") as pool:
        running = _Running(pool)
        clock = BackgroundScheduler(timezone="UTC")
        clock.add_job(
            tick,
            "interval",
            args=[context, running],
            seconds=TICK_S,
            coalesce=True,
            max_instances=1,
        )
        clock.start()
        stop.wait()
        clock.shutdown(wait=True)


def tick(context: JobContext, running: _Running) -> None:
    """Start what is due and not running; a fault is logged, and the next tick tries again."""
    try:
        schedules = discover(context.settings.project)
        for one in due(context, schedules):
            if one.schedule.name not in running.names():
                running.futures[one.schedule.name] = running.pool.submit(
                    run_job, one.schedule.name, context=context, slot=one.slot
                )
    except IntelError as error:
        log.warning("tick failed", error=str(error))


def due(context: JobContext, schedules: Mapping[str, Schedule]) -> list[Due]:
    """Return what has not started its newest slot and whose predecessors have done theirs."""
    if not schedules:
        return []
    now = context.store.now()
    slots = {name: slot_of(schedule, now) for name, schedule in schedules.items()}
    seen = statuses(context.store, slots)
    return [
        Due(schedule, slots[name])
        for name, schedule in schedules.items()
        if name not in seen
        and not schedule.is_too_late(slots[name], now)
        and all(seen.get(before) == "done" for before in schedule.after)
    ]
