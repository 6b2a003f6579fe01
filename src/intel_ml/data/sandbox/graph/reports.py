"""Asynchronous insights: a report is ordered, runs, and is read page by page.

    polls so far      0            1        2    3    4
    async_status      Not Started  Started  Running   Completed
    percent           0            0        50   100  100

A run moves on by one step each time it is asked about, and to its end when an hour of simulated
time goes by: nobody has to wait. As at Meta, percent may be 100 before it is completed, and just
after the order the run may not be there yet (100/33): so it is for the first poll of every fourth
run. After 30 days it is a "Job Skipped". What it holds are the numbers of the moment it was
ordered.

Reads   the parameters of an insights call; outcomes that faults plan for coming runs.
Gives   the answers of POST `{object}/insights`, GET `{run}` and GET `{run}/insights`.
Never   counts as a write: an account is not changed by being asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from intel_ml.data.sandbox.graph.asking import PARAMETERS
from intel_ml.data.sandbox.graph.calls import ALWAYS
from intel_ml.data.sandbox.graph.errors import (
    GraphError,
    bad_parameter,
    missing_object,
    unknown_path,
)
from intel_ml.data.sandbox.graph.fields import parse_fields
from intel_ml.data.sandbox.graph.insights import all_insights, lacks_old_reach
from intel_ml.data.sandbox.graph.json_text import dumps, loads
from intel_ml.data.sandbox.graph.listing import bounds, page
from intel_ml.data.sandbox.graph.reads import scope_of
from intel_ml.data.sandbox.graph.tables import Scope
from intel_ml.data.sandbox.world import World

_FIRST_ID = 6_023_920_000_000
_KEPT = timedelta(days=30)
_RUNNING_TIME = timedelta(hours=1)
_RACE_EVERY = 4
_MISSING_POLLS, _SLOW_POLLS = 3, 20
_DEFAULT_FIELDS = (
    "id,account_id,time_ref,time_completed,async_status,async_percent_completion,date_start,"
    "date_stop,error_code,error_message,error_subcode,error_user_title,error_user_msg"
)


class Outcome(StrEnum):
    """How a run goes; all but the first are planned by a fault."""

    COMPLETED = "completed"
    FAILED = "failed"
    TOO_LARGE = "too_large"
    SKIPPED = "skipped"
    STALLED = "stalled"
    SLOW = "slow"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Step:
    """What a poll sees."""

    status: str
    percent: int


_START = (Step("Job Not Started", 0), Step("Job Started", 0))
_HALF, _ALMOST = Step("Job Running", 50), Step("Job Running", 100)
_DONE, _FAILED, _SKIPPED = (
    Step("Job Completed", 100),
    Step("Job Failed", 50),
    Step("Job Skipped", 0),
)
_GOOD = (*_START, _HALF, _ALMOST, _DONE)
_STEPS = {
    Outcome.COMPLETED: _GOOD,
    Outcome.MISSING: _GOOD,
    Outcome.SLOW: (*_START, *[_HALF] * _SLOW_POLLS, _ALMOST, _DONE),
    Outcome.FAILED: (*_START, _HALF, _FAILED),
    Outcome.TOO_LARGE: (*_START, _HALF, _FAILED),
    Outcome.SKIPPED: (_START[0], _SKIPPED),
    Outcome.STALLED: (*_START, _HALF),
}
#: What a failed run says (v25.0 and later): code, subcode, title, text.
_ERRORS = {
    Outcome.FAILED: (-2, 2490547, "Report failed", "The report could not be generated."),
    Outcome.TOO_LARGE: (-3, 1504045, "Report too large", "The report has too much data."),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One order: `body` is its rows and summary as JSON, `seen` how often it was asked about."""

    id: str
    account: int
    ordered: datetime
    days: tuple[date, date]
    body: bytes
    outcome: Outcome
    missing: int
    seen: int = 0
    completed: datetime | None = None


class Reports:
    """The runs of one platform."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.planned: list[Outcome] = []
        self.ordered = 0

    def plan(self, outcome: str) -> None:
        """Say how the next run is to go."""
        self.planned.append(Outcome(outcome))

    def order(
        self,
        world: World,
        identifier: str,
        params: Mapping[str, str],
        *,
        allows_old_reach: Callable[[str], bool],
        outcome: Outcome | None = None,
    ) -> Run:
        """Order a report, or raise what is wrong with the question."""
        scope = _scope(world, identifier, params)
        is_old = lacks_old_reach(world, scope, params=params)
        keeps = is_old and allows_old_reach(world.population.accounts[scope.account].id)
        found = all_insights(world, scope, params=params, with_old_reach=keeps)
        if outcome is None:
            outcome = self.planned.pop(0) if self.planned else Outcome.COMPLETED
        self.ordered += 1
        missing = _MISSING_POLLS if outcome is Outcome.MISSING else 0
        if outcome is Outcome.COMPLETED and self.ordered % _RACE_EVERY == 0:
            missing = 1
        run = Run(
            id=str(_FIRST_ID + self.ordered),
            account=scope.account,
            ordered=world.now,
            days=(found.days.first, found.days.last),
            body=dumps({"rows": found.rows, "summary": found.summary}),
            outcome=outcome,
            missing=missing,
        )
        self.runs[run.id] = run
        return run

    def restore(
        self, world: World, identifier: str, params: Mapping[str, str], *, outcome: str
    ) -> None:
        """Order again what was ordered before a restart; that took long enough for any run."""
        run = self.order(
            world, identifier, params, allows_old_reach=_always, outcome=Outcome(outcome)
        )
        self.runs[run.id] = replace(run, missing=0, seen=len(_STEPS[run.outcome]))

    def read(
        self, world: World, segments: tuple[str, ...], params: Mapping[str, str], *, url: str
    ) -> dict[str, Any]:
        """Return the answer to a GET on a run or its rows."""
        run = self.runs[segments[0]]
        match segments:
            case (_,):
                return self._state(world, run, params)
            case (_, "insights"):
                return _rows(run, _step(run, world.now), params, url)
            case _:
                raise unknown_path("/".join(segments[1:]))

    def _state(self, world: World, run: Run, params: Mapping[str, str]) -> dict[str, Any]:
        asked = parse_fields(params.get("fields") or _DEFAULT_FIELDS, "report")
        if run.missing:
            self.runs[run.id] = replace(run, missing=run.missing - 1)
            raise missing_object(run.id)
        step = _step(run, world.now)
        done = run.completed
        if done is None and step is _DONE:
            done = min(world.now, run.ordered + _RUNNING_TIME)
        self.runs[run.id] = replace(run, seen=run.seen + 1, completed=done)
        values: dict[str, Any] = {
            "id": run.id,
            "account_id": world.population.accounts[run.account].id,
            "time_ref": int(run.ordered.timestamp()),
            "time_completed": None if done is None else int(done.timestamp()),
            "async_status": step.status,
            "async_percent_completion": step.percent,
            "is_running": step in (*_START, _HALF, _ALMOST),
            "date_start": run.days[0].isoformat(),
            "date_stop": run.days[1].isoformat(),
        }
        if step is _FAILED:
            code, subcode, title, text = _ERRORS[run.outcome]
            values |= {"error_code": code, "error_subcode": subcode, "error_message": text}
            values |= {"error_user_title": title, "error_user_msg": text}
        shown = {name: values[name] for name, _ in asked if values.get(name) is not None}
        return {"id": run.id, **shown}


def _always(account: str) -> bool:
    del account
    return True


def _scope(world: World, identifier: str, params: Mapping[str, str]) -> Scope:
    scope = scope_of(world, identifier)
    if scope.level == "pixel":
        raise unknown_path("insights")
    for name in params:
        if name not in PARAMETERS and name not in ALWAYS and name != "async":
            raise bad_parameter(f"Unknown parameter: {name}")
    return scope


def _step(run: Run, now: datetime) -> Step:
    """Return where a run is: by how often it was asked about, or by the time that went by."""
    if now - run.ordered >= _KEPT:
        return _SKIPPED
    steps = _STEPS[run.outcome]
    is_late = now - run.ordered >= _RUNNING_TIME
    return steps[-1] if is_late else steps[min(run.seen, len(steps) - 1)]


def _rows(run: Run, step: Step, params: Mapping[str, str], url: str) -> dict[str, Any]:
    if step is not _DONE:
        raise GraphError(
            "(#2601) Error accessing adreport job.",
            code=2601,
            subcode=1815107,
            title="Loading Async Request Failed",
        )
    body = loads(run.body)
    first, end = bounds(params, total=len(body["rows"]))
    answer = page(
        body["rows"][first:end], params=params, url=url, span=(first, end, len(body["rows"]))
    )
    if body["summary"] is not None:
        answer["summary"] = body["summary"]
    return answer
