"""The platform: one request in, one answer out.

Reads   method, path, parameters and token.
Gives   status, JSON and headers; a record of every write received.
Never   lets the read token write, and never records a token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.graph.errors import (
    GraphError,
    bad_parameter,
    bad_token,
    no_permission,
    no_token,
)
from intel_ml.data.sandbox.graph.json_text import dumps, loads
from intel_ml.data.sandbox.graph.reads import Call, read
from intel_ml.data.sandbox.graph.usage import Usage
from intel_ml.data.sandbox.graph.writes import is_dry_run, write
from intel_ml.data.sandbox.world import World

_VERSION = re.compile(r"v\d{1,2}\.\d")
_OK = 200
_MOST_IN_BATCH = 50
_SECRETS = frozenset({"access_token", "appsecret_proof"})
_BATCH_PARAMETERS = frozenset(
    {"batch", "include_headers", "access_token", "appsecret_proof", "method"}
)


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `path` without the version, `base` the URL up to and including the version."""

    method: str
    path: str
    params: Mapping[str, str]
    base: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `body` is ready for JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """One write received: when, where, with what, the answer, and whether it was applied."""

    at: str
    path: str
    params: dict[str, str]
    status: int
    body: Any
    is_applied: bool


class WriteLog(Protocol):
    """Where writes go so that a restart finds them again."""

    def wrote(self, entry: Written) -> None:
        """Keep one write."""


class Platform:
    """A world behind the Graph API's manners."""

    def __init__(
        self, world: World, *, read_token: str, write_token: str, log: WriteLog | None = None
    ) -> None:
        self.world = world
        self.tokens = {read_token: False, write_token: True}
        self.writes: list[Written] = []
        self.usage = Usage()
        self.log = log
        self.calls = 0

    def answer(self, question: Question) -> Answer:
        """Return the answer to any request, errors included."""
        try:
            may_write = self._authorise(question.params)
            if question.method == "POST" and not question.path and "batch" in question.params:
                return self._batch(question, may_write=may_write)
            return self._one(question, may_write=may_write)
        except GraphError as error:
            return self._error(error)

    def record(self, entry: Written) -> None:
        """Remember a write, here and in the journal."""
        self.writes.append(entry)
        if self.log is not None:
            self.log.wrote(entry)

    def make(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Make a change without asking for a token: what a replay does."""
        return write(self.world, _segments(path), params)

    def _authorise(self, params: Mapping[str, str]) -> bool:
        token = params.get("access_token")
        if not token:
            raise no_token()
        if token not in self.tokens:
            raise bad_token()
        return self.tokens[token]

    def _one(self, question: Question, *, may_write: bool) -> Answer:
        account = self._account(question.path)
        self.usage.count(account=account, hour=self.world.hour, is_write=question.method == "POST")
        segments = _segments(question.path)
        if question.method == "GET":
            call = Call(segments, question.params, f"{question.base}/{'/'.join(segments)}")
            body = read(self.world, call)
        elif question.method == "POST":
            body = self._write(question, may_write=may_write)
        else:
            raise bad_parameter(f"Unsupported {question.method.lower()} request")
        return Answer(_OK, body, self.usage.headers(account))

    def _write(self, question: Question, *, may_write: bool) -> dict[str, Any]:
        kept = {name: value for name, value in question.params.items() if name not in _SECRETS}
        at = self.world.now.isoformat()
        try:
            if not may_write:
                raise no_permission()
            body = self.make(question.path, kept)
        except GraphError as error:
            self.record(
                Written(at, question.path, kept, error.status, error.body(""), is_applied=False)
            )
            raise
        self.record(Written(at, question.path, kept, _OK, body, is_applied=not is_dry_run(kept)))
        return body

    def _batch(self, question: Question, *, may_write: bool) -> Answer:
        for name in question.params:
            if name not in _BATCH_PARAMETERS:
                raise bad_parameter(f"Unknown parameter: {name}")
        try:
            items = loads(question.params["batch"])
        except ValueError as error:
            raise bad_parameter("batch parameter must be a JSON array") from error
        if not isinstance(items, list) or not items:
            raise bad_parameter("batch parameter must be a JSON array")
        if len(items) > _MOST_IN_BATCH:
            raise bad_parameter(
                f"Too many requests in batch message. Maximum batch size is {_MOST_IN_BATCH}"
            )
        questions = [_item(item, question) for item in items]
        siblings = self._siblings(questions)
        with_headers = question.params.get("include_headers", "true").lower() not in {"false", "0"}
        answers = [
            self._batch_item(
                one, is_sibling=n in siblings, may_write=may_write, with_headers=with_headers
            )
            for n, one in enumerate(questions)
        ]
        return Answer(_OK, answers, self.usage.headers(self._account(questions[0].path)))

    def _batch_item(
        self, question: Question, *, is_sibling: bool, may_write: bool, with_headers: bool
    ) -> dict[str, Any]:
        try:
            if is_sibling:
                raise bad_parameter(
                    "Batch requests cannot include multiple Adsets under the same Campaign"
                )
            answer = self._one(question, may_write=may_write)
        except GraphError as error:
            answer = self._error(error)
        item: dict[str, Any] = {"code": answer.status}
        if with_headers:
            item["headers"] = [
                {"name": name, "value": value} for name, value in answer.headers.items()
            ]
        item["body"] = dumps(answer.body).decode()
        return item

    def _siblings(self, questions: list[Question]) -> frozenset[int]:
        """Return the places of ad-set updates that share a campaign with another in the batch."""
        by_campaign: dict[int, list[int]] = {}
        for n, one in enumerate(questions):
            node = self.world.population.find(one.path) if one.method == "POST" else None
            if node is not None and node.level is EntityType.ADSET:
                by_campaign.setdefault(node.parent, []).append(n)
        return frozenset(n for places in by_campaign.values() if len(places) > 1 for n in places)

    def _account(self, path: str) -> str:
        first = path.partition("/")[0]
        node = self.world.population.find(first)
        if node is not None:
            return self.world.population.accounts[node.account].id
        return first.removeprefix("act_") or "me"

    def _error(self, error: GraphError) -> Answer:
        self.calls += 1
        trace = hashlib.sha256(f"{self.world.seed}:{self.calls}".encode()).hexdigest()[:11]
        return Answer(error.status, error.body(f"A{trace}"), self.usage.headers("me"))


def without_version(path: str) -> tuple[str, str]:
    """Return (version, rest) of a path.

    >>> without_version("/v26.0/act_101/adsets")
    ('v26.0', 'act_101/adsets')
    """
    first, _, rest = path.strip("/").partition("/")
    return (first, rest) if _VERSION.fullmatch(first) else ("", path.strip("/"))


def _segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _item(item: object, outer: Question) -> Question:
    if not isinstance(item, dict) or "method" not in item or "relative_url" not in item:
        raise bad_parameter("each item of batch needs method and relative_url")
    try:
        url = urlsplit(str(item["relative_url"]).lstrip("/"))
    except ValueError as error:
        raise bad_parameter("relative_url is not a path") from error
    params = dict(parse_qsl(url.query, keep_blank_values=True))
    params.update(parse_qsl(str(item.get("body", "")), keep_blank_values=True))
    params.setdefault("access_token", outer.params["access_token"])
    return Question(str(item["method"]).upper(), without_version(url.path)[1], params, outer.base)
