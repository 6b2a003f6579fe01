"""The platform: one request in, one answer out.

Reads   method, path, parameters and token.
Gives   status, JSON and headers; a record of every write received.
Never   lets the read token write, and never records a token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from intel_ml.data.sandbox.graph.batch import answers_of, items_of
from intel_ml.data.sandbox.graph.calls import Call
from intel_ml.data.sandbox.graph.errors import (
    GraphError,
    bad_parameter,
    bad_token,
    no_permission,
    no_token,
)
from intel_ml.data.sandbox.graph.faulted import faulty_item
from intel_ml.data.sandbox.graph.faults import FaultPlan
from intel_ml.data.sandbox.graph.parameters import is_dry_run
from intel_ml.data.sandbox.graph.reads import read
from intel_ml.data.sandbox.graph.records import WriteLog, Written
from intel_ml.data.sandbox.graph.reports import Reports
from intel_ml.data.sandbox.graph.requests import OK, Answer, Question, segments_of
from intel_ml.data.sandbox.graph.usage import NOBODY, Kind, Usage
from intel_ml.data.sandbox.graph.writes import write
from intel_ml.data.sandbox.population import pixel_id
from intel_ml.data.sandbox.world import World

_SECRETS = frozenset({"access_token", "appsecret_proof"})


class Platform:
    """A world behind the Graph API's manners; `clock` gives the real time of a write's record."""

    def __init__(
        self,
        world: World,
        *,
        read_token: str,
        write_token: str,
        log: WriteLog | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.world = world
        self.tokens = {read_token: False, write_token: True}
        self.writes: list[Written] = []
        self.usage = Usage()
        self.reports = Reports()
        self.faults = FaultPlan()
        self._owners = {
            name: account.id
            for account in world.population.accounts
            for name in (account.id, f"act_{account.id}", pixel_id(account))
        }
        self.log = log
        self.clock = clock
        self.calls = 0

    def answer(self, question: Question) -> Answer:
        """Return the answer to any request, errors included."""
        try:
            if question.method == "POST" and not question.path and "batch" in question.params:
                self._may_write(question)
                return self._batch(question)
            return self._one(question)
        except GraphError as error:
            return self.refused(error, question)

    def refused(self, error: GraphError, question: Question | None = None) -> Answer:
        """Return an error as an answer; `question` says whose quota its headers are about."""
        self.calls += 1
        kind = Kind(NOBODY) if question is None else self._sort(question)
        self.usage.failed(kind.account)
        trace = hashlib.sha256(f"{self.world.seed}:{self.calls}".encode()).hexdigest()[:11]
        return Answer(error.status, error.body(f"A{trace}"), self.usage.headers(kind))

    def unanswered(self, question: Question, *, status: int, body: object) -> None:
        """Record the writes of a request that a fault met before anything was done."""
        asked = [question]
        if not question.path and "batch" in question.params:
            try:
                asked = [item.question(question, {}) for item in items_of(question)]
            except GraphError:
                asked = []
        for one in asked:
            if one.writes:
                self.record(one, status=status, body=body, is_applied=False)

    def record(
        self,
        question: Question,
        *,
        status: int,
        body: object,
        is_applied: bool,
    ) -> None:
        """Remember a write, here and in the journal."""
        entry = Written(
            n=len(self.writes) + 1,
            at=self.world.now.isoformat(),
            received_at=self.clock().isoformat(timespec="milliseconds"),
            token=self._kind(question.params.get("access_token")),
            method=question.method,
            path=question.path,
            params=_without_secrets(question.params),
            status=status,
            body=body,
            is_applied=is_applied,
            fault=question.fault,
        )
        self.writes.append(entry)
        if self.log is not None:
            self.log.wrote(entry)

    def make(self, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Make a change without asking for a token: what a replay does."""
        return write(self.world, method, segments_of(path), params)

    def _kind(self, token: str | None) -> str:
        if not token:
            return "none"
        return {True: "write", False: "read", None: "invalid"}[self.tokens.get(token)]

    def _may_write(self, question: Question) -> bool:
        token = question.params.get("access_token")
        if not token:
            raise no_token()
        if token not in self.tokens:
            raise bad_token()
        return self.tokens[token]

    def _one(self, question: Question) -> Answer:
        if question.writes:
            return self._write(question)
        self._may_write(question)
        kind = self._count(question)
        segments = segments_of(question.path)
        url = f"{question.base}/{'/'.join(segments)}"
        if question.orders_report:
            body = self._order(segments[0], _without_secrets(question.params))
        elif "asyncbatch" in question.params:
            raise bad_parameter("The sandbox does not play asyncbatch: copy level by level")
        elif question.method != "GET":
            raise bad_parameter(f"Unsupported {question.method.lower()} request")
        elif question.object_id in self.reports.runs:
            body = self.reports.read(self.world, segments, question.params, url=url)
        else:
            body = read(self.world, Call(segments, question.params, url))
        return Answer(OK, body, self.usage.headers(kind))

    def _order(self, identifier: str, params: dict[str, str]) -> dict[str, Any]:
        """Order a report, and keep that it was ordered: it is no write, but has an id."""
        run = self.reports.order(
            self.world, identifier, params, allows_old_reach=self.usage.allows_old_reach
        )
        if self.log is not None:
            self.log.ordered(identifier, params, run.outcome)
        return {"report_run_id": run.id}

    def _write(self, question: Question) -> Answer:
        try:
            may_write = self._may_write(question)
            kind = self._count(question)
            if not may_write:
                raise no_permission()
            params = _without_secrets(question.params)
            body = self.make(question.method, question.path, params)
        except GraphError as error:
            self.record(question, status=error.status, body=error.body(""), is_applied=False)
            raise
        self.record(question, status=OK, body=body, is_applied=not is_dry_run(params))
        return Answer(OK, body, self.usage.headers(kind))

    def _batch(self, question: Question) -> Answer:
        items = items_of(question)
        answers = answers_of(
            items,
            question,
            population=self.world.population,
            ask=self._met,
            refuse=self._refuse_item,
        )
        first = items[0].question(question, {})
        return Answer(OK, answers, self.usage.headers(self._sort(first)))

    def _met(self, question: Question) -> Answer | None:
        fault = self.faults.take(method=question.method, path=question.path, is_item=True)
        return self.item(question) if fault is None else faulty_item(self, question, fault)

    def item(self, question: Question) -> Answer:
        """Return the answer to one item of a batch, errors included."""
        try:
            return self._one(question)
        except GraphError as error:
            return self.refused(error, question)

    def _refuse_item(self, question: Question, problem: str) -> Answer:
        error = bad_parameter(problem)
        self.record(question, status=error.status, body=error.body(""), is_applied=False)
        return self.refused(error, question)

    def _count(self, question: Question) -> Kind:
        kind = self._sort(question)
        self.usage.charge(kind, population=self.world.population, hour=self.world.hour)
        return kind

    def _sort(self, question: Question) -> Kind:
        """Return whose quotas a request counts against, and which."""
        is_insights = question.path.endswith("/insights")
        return Kind(self.account_of(question), is_insights=is_insights, is_write=question.writes)

    def account_of(self, question: Question) -> str:
        """Return the id of the account that a request is about, `NOBODY` where there is none."""
        first, accounts = question.object_id, self.world.population.accounts
        run = self.reports.runs.get(first)
        if run is not None:
            return accounts[run.account].id
        node = self.world.population.find(first)
        if node is not None:
            return accounts[node.account].id
        name = question.params.get("dataset_id") if first == "dataset_quality" else first
        return self._owners.get(name or "", NOBODY)


def _without_secrets(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in _SECRETS}
