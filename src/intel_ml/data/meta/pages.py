"""Many questions in one batch, each followed to its last page.

Reads   questions: a path and its parameters.
Gives   for each question its rows, or what stands in their way; and how many calls it took.
Never   follows `paging.next` itself (its URL carries the token); never asks for the same page
        twice; never retries what is permanent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from intel_ml.core.errors import PlatformError, ThrottledError, TransientPlatformError
from intel_ml.data.meta.answers import read_answer, wants_less
from intel_ml.data.meta.connection import asking
from intel_ml.data.meta.usage import CallBudget, ReadLimits

_MOST_IN_A_BATCH = 50


@dataclass(frozen=True, slots=True)
class Question:
    """One GET: a path below the API version, and its parameters."""

    path: tuple[str, ...]
    params: Mapping[str, Any]


@dataclass(slots=True)
class Answer:
    """The rows of one question, page after page.

    `body` is the last one, `error` what stopped it.
    """

    rows: list[Any] = field(default_factory=list)
    body: Mapping[str, Any] | None = None
    error: PlatformError | None = None


@dataclass(slots=True)
class Line:
    """A way to ask about one account at one moment: the SDK, the allowance, and the patience."""

    api: Any
    graph_url: str
    account: str
    now: datetime
    budget: CallBudget
    sleep: Callable[[float], None] = time.sleep
    calls: int = 0

    @property
    def limits(self) -> ReadLimits:
        """The allowance's settings."""
        return self.budget.limits


@dataclass(slots=True)
class _Open:
    """A question with a page still to come."""

    question: Question
    answer: Answer
    params: dict[str, Any]
    seen: set[str] = field(default_factory=set)
    tries: int = 0


def ask(line: Line, questions: Sequence[Question]) -> list[Answer]:
    """Return an answer for each question, in order.

    A question that fails leaves the others whole.
    """
    answers = [Answer() for _ in questions]
    still_open = [_Open(q, a, dict(q.params)) for q, a in zip(questions, answers, strict=True)]
    while still_open:
        now, later = still_open[:_MOST_IN_A_BATCH], still_open[_MOST_IN_A_BATCH:]
        try:
            items = _send(line, now)
        except PlatformError as error:
            for one in still_open:
                one.answer.error = error
            break
        again = [one for one, item in zip(now, items, strict=True) if _take(line, one, item)]
        still_open = again + later
        tries = max((one.tries for one in again), default=0)
        if tries:
            line.sleep(min(line.limits.longest_wait_s, line.limits.first_wait_s * 2 ** (tries - 1)))
    return answers


def _send(line: Line, batch: Sequence[_Open]) -> list[Any]:
    """Send one batch through the SDK, again after a passing fault."""
    patient = Retrying(
        retry=retry_if_exception_type(TransientPlatformError),
        stop=stop_after_attempt(line.limits.tries),
        wait=wait_exponential(line.limits.first_wait_s, max=line.limits.longest_wait_s),
        sleep=line.sleep,
        reraise=True,
    )
    items: list[Any] = patient(_send_once, line, batch)
    return items


def _send_once(line: Line, batch: Sequence[_Open]) -> list[Any]:
    line.budget.spend(line.account, len(batch), now=line.now)
    line.calls += len(batch)
    new = line.api.new_batch()
    calls = [new.add("GET", one.question.path, params=one.params) for one in batch]
    with asking(line.graph_url):
        response = line.api.call("POST", (), params={"batch": calls})
    line.budget.heed(line.account, response.headers(), now=line.now)
    items = response.json()
    if not isinstance(items, list) or len(items) != len(batch):
        raise TransientPlatformError(
            "Meta's answer to a batch has another number of items than the batch."
        )
    return items


def _take(line: Line, one: _Open, item: Any) -> bool:
    """Read one item of a batch's answer; True when the question is to be asked on."""
    headers = _headers(item)
    line.budget.heed(line.account, headers, now=line.now)
    try:
        if not isinstance(item, Mapping):
            raise TransientPlatformError("Meta did not get to this item of the batch.")
        status = item.get("code")
        body = read_answer(
            item.get("body"), status=status if isinstance(status, int) else 0, headers=headers
        )
        one.tries = 0
        return _next_page(line, one, body)
    except ThrottledError as error:
        one.answer.error = error
    except PlatformError as error:
        limit = int(one.params.get("limit", 0))
        if wants_less(error) and limit > 1:
            one.params["limit"] = limit // 2
            return True
        one.tries += 1
        if isinstance(error, TransientPlatformError) and one.tries < line.limits.tries:
            return True
        one.answer.error = error
    return False


def _next_page(line: Line, one: _Open, body: Any) -> bool:
    if not isinstance(body, Mapping):
        raise TransientPlatformError("Meta's answer is a list where a page was expected.")
    one.answer.body = body
    rows = body.get("data")
    if isinstance(rows, list):
        one.answer.rows.extend(rows)
    after = _after(body.get("paging"))
    if after is None:
        return False
    if after in one.seen or len(one.seen) >= line.limits.pages_per_question:
        raise PlatformError(
            f"The pages of {'/'.join(one.question.path)} do not end: the last one points back.",
            hint="What was read up to there is kept; the next look tries again.",
        )
    one.seen.add(after)
    one.params["after"] = after
    return True


def _after(paging: object) -> str | None:
    """Return the cursor of the next page: `next` alone proves that there is one."""
    if not isinstance(paging, Mapping) or not isinstance(paging.get("next"), str):
        return None
    cursors = paging.get("cursors")
    if isinstance(cursors, Mapping) and cursors.get("after"):
        return str(cursors["after"])
    found = parse_qs(urlsplit(paging["next"]).query).get("after")
    if not found:
        raise PlatformError("A page names a next one without a cursor; it was not followed.")
    return found[0]


def _headers(item: Any) -> dict[str, str]:
    """Return the headers of a batch item, which come as a list of name and value."""
    listed = item.get("headers") if isinstance(item, Mapping) else None
    if isinstance(listed, Mapping):
        return {str(name): str(value) for name, value in listed.items()}
    pairs = [pair for pair in listed or () if isinstance(pair, Mapping)]
    return {str(pair.get("name")): str(pair.get("value")) for pair in pairs}
