"""Two workers never run one thing twice, and a failure says which cell."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.jobs import JobContext, JobResult, Schedule, discover, run_job, run_scheduler
from intel_ml.surfaces.jobs.leases import Ending, claim, end, renewing
from intel_ml.surfaces.jobs.running import Job
from intel_ml.surfaces.jobs.scheduler import due
from intel_ml.surfaces.jobs.schedules import slot_of
from intel_ml.surfaces.settings import Settings, project_home

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)

SCHEDULE_FILE = """
from datetime import timedelta
from intel_ml.surfaces.jobs import Schedule
SCHEDULE = Schedule(name={name!r}, {what}, every=timedelta(hours={hours}), description="",
                    after={after!r}, parameters={parameters!r}, timeout_s={timeout},
                    within={within})
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("pipelines", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    assert project_home() == tmp_path
    return tmp_path


def _schedule(project: Path, name: str, **given_: Any) -> None:
    values = {
        "hours": 1,
        "after": (),
        "parameters": {},
        "timeout": 60,
        "within": None,
        "what": f"job={name!r}",
    } | given_
    (project / "pipelines" / f"{name}.py").write_text(SCHEDULE_FILE.format(name=name, **values))


def _notebook(project: Path, name: str, *sources: str) -> None:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {"tags": ["parameters"]} if i == 0 else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for i, source in enumerate(("days: int = 30", *sources))
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (project / "notebooks" / name).write_text(json.dumps(notebook))


def _context(store: Store, jobs: Mapping[str, Job], url: str = "http://127.0.0.1:9") -> JobContext:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    return JobContext(settings=settings, store=store, registry=Registry(url), jobs=jobs)


@pytest.fixture
def counted() -> tuple[list[str], dict[str, Job]]:
    calls: list[str] = []

    def count(_context: JobContext, size: int = 1) -> Mapping[str, Any]:
        calls.append(threading.current_thread().name)
        return {"size": size, "accounts": 0}

    def fail(_context: JobContext) -> None:
        raise ZeroDivisionError("no delivery")

    return calls, {"count": count, "fail": fail}


@given(minutes=st.integers(1, 10_000), seconds=st.integers(0, 10**9))
def test_a_slot_contains_its_moment_and_slots_do_not_overlap(minutes: int, seconds: int) -> None:
    schedule = Schedule("x", timedelta(minutes=minutes), "", job="x")
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    slot = slot_of(schedule, now)
    assert slot <= now < slot + timedelta(minutes=minutes)
    assert slot_of(schedule, slot) == slot
    assert slot_of(schedule, slot - timedelta(microseconds=1)) == slot - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("cron", "slot"),
    [
        ("15 3 * * *", datetime(2026, 11, 22, 3, 15, tzinfo=UTC)),
        ("45 10 * * *", datetime(2026, 11, 21, 10, 45, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("0 0 1 * *", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_cron_slot_is_the_last_time_it_fired(cron: str, slot: datetime) -> None:
    assert slot_of(Schedule("x", cron, "", job="x"), NOW) == slot


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"every": HOUR}, "needs either"),
        ({"every": HOUR, "job": "a", "notebook": "b"}, "needs either"),
        ({"every": timedelta(0), "job": "a"}, "must be positive"),
        ({"every": "every day", "job": "a"}, "every day"),
        ({"every": HOUR, "job": "a", "timeout_s": 0}, "timeout_s"),
        ({"every": HOUR, "job": "a", "within": timedelta(0)}, "within"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(arguments: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidValueError, match=where):
        Schedule("x", description="", **arguments)


def test_schedules_are_found_and_checked_against_what_there_is(project: Path) -> None:
    _schedule(project, "count")
    _schedule(project, "second", after=("count",), what="job='count'")
    assert list(discover(project)) == ["count", "second"]
    _schedule(project, "third", after=("cuont",), what="job='count'")
    with pytest.raises(UnknownNameError, match="Did you mean 'count'"):
        discover(project)
    (project / "pipelines" / "third.py").write_text("x = 1")
    with pytest.raises(InvalidValueError, match=r"pipelines/third\.py"):
        discover(project)


def test_a_slot_is_run_once_however_many_ask(store: Store, project: Path, counted: Any) -> None:
    calls, jobs = counted
    _schedule(project, "count")
    context = _context(store, jobs)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(run_job, "count", context=context, slot=NOW) for _ in range(8)]
        results = [one.result() for one in asked]
    assert len(calls) == 1
    assert sorted(r.status for r in results) == ["done", *["skipped"] * 7]
    assert len(results) == len({id(r) for r in results})


def test_a_lease_is_taken_over_only_after_it_ran_out(store: Store) -> None:
    first = claim(store, name="x", slot="1", parameters={}, lease_s=0.2)
    assert first is not None
    assert claim(store, name="x", slot="1", parameters={}) is None
    with renewing(store, first, lease_s=0.2):
        time.sleep(0.5)
        assert claim(store, name="x", slot="1", parameters={}) is None
    time.sleep(0.3)
    second = claim(store, name="x", slot="1", parameters={})
    assert second is not None
    assert second.run == first.run
    late = replace(first, worker="the one that was thought dead")
    assert not end(store, late, ending=Ending("done"))
    assert end(store, second, ending=Ending("done", result={"n": 1}))
    assert claim(store, name="x", slot="1", parameters={}) is None


@pytest.mark.usefixtures("project")
def test_a_failure_is_a_result_with_the_place_it_happened(store: Store, counted: Any) -> None:
    told: list[JobResult] = []
    context = replace(_context(store, counted[1]), notify=told.append)
    result = run_job("fail", context=context)
    assert result.status == "failed"
    assert "ZeroDivisionError: no delivery in fail (test_jobs.py:" in str(result.message)
    assert told == [result]
    with store.connection() as connection:
        row = connection.execute(text("SELECT status, message FROM intel_job_run")).one()
    assert (row.status, row.message) == ("failed", result.message)


def test_what_a_job_gives_is_kept(store: Store, project: Path, counted: Any) -> None:
    _schedule(project, "count", parameters={"size": 3})
    context = _context(store, counted[1])
    assert run_job("count", context=context).result == {"size": 3, "accounts": 0}
    assert run_job("count", context=context, parameters={"size": 4}).result == {
        "size": 4,
        "accounts": 0,
    }


@pytest.mark.usefixtures("project")
def test_unknown_jobs_and_parameters_are_refused_before_a_run_is_made(
    store: Store, counted: Any
) -> None:
    context = _context(store, counted[1])
    with pytest.raises(UnknownNameError, match="Did you mean 'count'"):
        run_job("cuont", context=context)
    with pytest.raises(UnknownNameError, match="Did you mean 'size'"):
        run_job("count", context=context, parameters={"siz": 1})
    with store.connection() as connection:
        assert connection.execute(text("SELECT count(*) FROM intel_job_run")).scalar_one() == 0


def test_what_comes_after_waits_for_what_comes_before(
    store: Store, project: Path, counted: Any
) -> None:
    _schedule(project, "count")
    _schedule(project, "later", after=("count",), what="job='count'")
    context = _context(store, counted[1])
    with store.connection() as connection:
        set_clock(connection, now=NOW)
    schedules = discover(project)
    assert [one.schedule.name for one in due(context, schedules)] == ["count"]
    run_job("count", context=context, slot=slot_of(schedules["count"], NOW))
    assert [one.schedule.name for one in due(context, schedules)] == ["later"]
    run_job("later", context=context, slot=slot_of(schedules["later"], NOW))
    assert due(context, schedules) == []


def test_a_study_that_was_missed_is_left_out_and_work_that_was_missed_is_not(
    store: Store, project: Path, counted: Any
) -> None:
    _schedule(project, "count", hours=24)
    _schedule(project, "study", hours=24, within="timedelta(hours=3)", what="job='count'")
    context = _context(store, counted[1])
    for hours, expected in ((2.9, ["count", "study"]), (3.1, ["count"])):
        with store.connection() as connection:
            set_clock(connection, now=NOW.replace(hour=0, minute=0) + timedelta(hours=hours))
        assert [one.schedule.name for one in due(context, discover(project))] == expected


def test_the_scheduler_follows_the_platforms_clock(
    store: Store, project: Path, counted: Any
) -> None:
    calls, jobs = counted
    _schedule(project, "count", hours=24)
    context, stop = _context(store, jobs), threading.Event()
    with store.connection() as connection:
        set_clock(connection, now=NOW)
    others = [threading.Thread(target=run_scheduler, args=(context, stop)) for _ in range(2)]
    for thread in others:
        thread.start()
    _wait(lambda: len(calls) == 1)
    with store.connection() as connection:
        set_clock(connection, now=NOW + timedelta(days=3))
    _wait(lambda: len(calls) == 2)
    stop.set()
    for thread in others:
        thread.join(timeout=30)
    assert len(calls) == 2, "three missed slots are one run, and two schedulers are one"


def _wait(done: Any) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.kernel
@pytest.mark.server
def test_a_notebook_is_one_run_with_its_executed_copy(
    store: Store,
    project: Path,
    registry: Registry,
) -> None:
    _notebook(
        project,
        "study.ipynb",
        "import os\nrun = os.environ['MLFLOW_RUN_ID']\nprint(days, run)",
        "assert days == 7",
    )
    _schedule(project, "study", what="notebook='study.ipynb'", parameters={"days": 7})
    result = run_job("study", context=_context(store, {}, registry.tracking_url))
    assert result.is_done, result.message
    client = registry._client
    found = client.get_run(str(result.run_id))
    assert found.info.status == "FINISHED"
    assert found.data.params == {"days": "7"}
    [copy] = client.list_artifacts(str(result.run_id), "notebooks")
    kept = Path(client.download_artifacts(str(result.run_id), copy.path, str(project)))
    assert f"7 {result.run_id}" in kept.read_text()


@pytest.mark.kernel
@pytest.mark.server
def test_a_failing_cell_is_shown_and_its_copy_is_kept(
    store: Store,
    project: Path,
    registry: Registry,
) -> None:
    _notebook(project, "study.ipynb", "spend = 0\nspend / 0")
    _schedule(project, "study", what="notebook='study.ipynb'")
    context = _context(store, {}, registry.tracking_url)
    result = run_job("study", context=context)
    assert result.status == "failed"
    message = str(result.message)
    assert message.startswith("study.ipynb, cell 2: ZeroDivisionError: division by zero")
    assert "    spend / 0" in message
    assert "\x1b" not in message
    assert len(message.splitlines()) < 25
    client = registry._client
    assert client.get_run(str(result.run_id)).info.status == "FAILED"
    assert client.list_artifacts(str(result.run_id), "notebooks")


def test_a_parameter_the_notebook_does_not_have_is_refused(store: Store, project: Path) -> None:
    _notebook(project, "study.ipynb", "days")
    _schedule(project, "study", what="notebook='study.ipynb'")
    with pytest.raises(UnknownNameError, match="Did you mean 'days'"):
        run_job("study", context=_context(store, {}), parameters={"dayz": 1})


def test_a_slot_whose_worker_died_is_due_again(store: Store, project: Path, counted: Any) -> None:
    _schedule(project, "count")
    context = _context(store, counted[1])
    schedules = discover(project)
    [one] = due(context, schedules)
    claim(store, name="count", slot=one.slot.isoformat(timespec="seconds"), parameters={})
    assert due(context, schedules) == []
    with store.connection() as connection:
        connection.execute(
            text("UPDATE intel_job_run SET lease_until = clock_timestamp() - interval '1 s'")
        )
    assert [again.slot for again in due(context, schedules)] == [one.slot]
