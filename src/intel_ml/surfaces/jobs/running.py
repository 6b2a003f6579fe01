"""One run, from claim to result: a built-in job or a notebook, its failure in words.

Reads   schedules, the built-in jobs handed in, parameters.
Gives   a `JobResult`, which is also the row of `intel_job_run`.
Never   raises for what went wrong inside the run: that is the result; wrong use (an unknown name)
        does raise.
"""

from __future__ import annotations

import inspect
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from intel_ml.core.errors import IntelError, UnknownNameError
from intel_ml.data.store.sessions import Store
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.jobs.leases import Ending, Lease, claim, end, renewing, slot_key
from intel_ml.surfaces.jobs.notebooks import (
    NotebookFailedError,
    NotebookRun,
    refuse_unknown,
    run_notebook,
)
from intel_ml.surfaces.jobs.schedules import Schedule, discover, slot_of
from intel_ml.surfaces.settings import Settings

log = structlog.get_logger(__name__)

#: A built-in job: takes the context, then parameters by name; gives what is worth keeping.
Job = Callable[..., Mapping[str, Any] | None]

_FRAMES = 3


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a run may use; `notify` is told of every run that failed."""

    settings: Settings
    store: Store
    registry: Registry
    jobs: Mapping[str, Job]
    notify: Callable[[JobResult], None] | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of one run; `skipped` means that someone else ran or runs this slot."""

    name: str
    slot: str
    status: str
    took_ms: int
    message: str = ""
    run_id: str | None = None
    result: Mapping[str, Any] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it ran to its end."""
        return self.status == "done"


def run_job(
    name: str,
    *,
    context: JobContext,
    parameters: Mapping[str, object] | None = None,
    slot: datetime | None = None,
) -> JobResult:
    """Run a schedule of pipelines/, or a built-in job by its own name, now; return what came of it.

    With a moment of platform time it counts as the schedule's run of the slot around it; without
    one it is a run of its own, beside the scheduled ones. Unknown names and parameters raise.
    """
    schedule = _schedule(name, context)
    given = {**schedule.parameters, **(parameters or {})}
    _check(schedule, given, context)
    key = slot_key(slot_of(schedule, slot)) if slot else f"by hand {uuid.uuid4().hex[:16]}"
    lease = claim(context.store, name=schedule.name, slot=key, parameters=given)
    if lease is None:
        return JobResult(schedule.name, key, "skipped", 0, "It was run, or is running, elsewhere.")
    started = time.monotonic()
    with renewing(context.store, lease):
        ending = _run(schedule, given, context, lease)
    took_ms = int((time.monotonic() - started) * 1000)
    end(context.store, lease, ending=ending)
    result = JobResult(
        schedule.name, key, ending.status, took_ms, ending.message, ending.run_id, ending.result
    )
    log.info("job ended", job=schedule.name, slot=key, status=ending.status, took_ms=took_ms)
    if not result.is_done and context.notify is not None:
        context.notify(result)
    return result


def _schedule(name: str, context: JobContext) -> Schedule:
    schedules = discover(context.settings.project)
    if name in schedules:
        return schedules[name]
    if name in context.jobs:
        return Schedule(name, "0 0 * * *", f"The built-in job {name}.", job=name)
    raise UnknownNameError(kind="job", name=name, known={*schedules, *context.jobs})


def _check(schedule: Schedule, given: Mapping[str, object], context: JobContext) -> None:
    """Refuse what cannot run before a run is made of it."""
    if schedule.job is None:
        refuse_unknown(_notebook(schedule, context), given)
        return
    if schedule.job not in context.jobs:
        raise UnknownNameError(kind="job", name=schedule.job, known=context.jobs)
    takes = list(inspect.signature(context.jobs[schedule.job]).parameters)[1:]
    for parameter in given:
        if parameter not in takes:
            raise UnknownNameError(
                kind=f"parameter of {schedule.name}", name=parameter, known=takes
            )


def _run(
    schedule: Schedule, given: Mapping[str, object], context: JobContext, lease: Lease
) -> Ending:
    try:
        if schedule.job is not None:
            result = context.jobs[schedule.job](context, **given)
            return Ending("done", message=_told(result or {}), result=result)
        request = NotebookRun(
            notebook=_notebook(schedule, context),
            name=schedule.name,
            slot=lease.slot,
            parameters=given,
            timeout_s=schedule.timeout_s,
        )
        run_id = run_notebook(request, registry=context.registry)
    except NotebookFailedError as error:
        return Ending("failed", message=str(error), run_id=error.run_id)
    except IntelError as error:
        return Ending("failed", message=str(error))
    except Exception as error:  # noqa: BLE001  # a run that fails is a result, whatever it raised
        return Ending("failed", message=_short(error))
    return Ending("done", message=f"MLflow run {run_id}", run_id=run_id)


def _notebook(schedule: Schedule, context: JobContext) -> Path:
    return context.settings.project / "notebooks" / str(schedule.notebook)


def _told(result: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in result.items())


def _short(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = " < ".join(
        f"{f.name} ({f.filename.rsplit('/', 1)[-1]}:{f.lineno})" for f in reversed(frames)
    )
    return f"{type(error).__name__}: {error} in {where}"
