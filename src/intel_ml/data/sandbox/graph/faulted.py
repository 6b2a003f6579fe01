"""What a fault makes of an answer: the failures before the work, and the items of batches.

Reads   a fault that is due, and the platform it happens to.
Gives   the Graph error a fault stands for; the answer of a batch's item that a fault met.
Never   waits, and never closes a connection: those are of HTTP, not of an item.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.faults import Fault
from intel_ml.data.sandbox.graph.reports import Reports
from intel_ml.data.sandbox.graph.requests import Answer, Question
from intel_ml.data.sandbox.graph.spoiling import KINDS, spoilt, text_of, usage_headers

_BAD_REQUEST = 400
_TRANSIENT = 2


class Asked(Protocol):
    """The platform, as far as a fault needs it."""

    reports: Reports

    def item(self, question: Question) -> Answer:
        """Answer one item of a batch."""

    def refused(self, error: GraphError, question: Question | None = None) -> Answer:
        """Return an error as an answer."""

    def unanswered(self, question: Question, *, status: int, body: object) -> None:
        """Record the writes of a request that was never worked on."""

    def account_of(self, question: Question) -> str:
        """Return the account that a request is about."""


def failure(platform: Asked, question: Question, fault: Fault) -> Answer | None:
    """Return the Graph error that stands instead of the work, None if the fault has none."""
    error, header = _error(fault)
    if error is None:
        return None
    answer = platform.refused(error, question)
    platform.unanswered(question, status=answer.status, body=error.body(""))
    usage = usage_headers(header, account=platform.account_of(question))
    return Answer(answer.status, answer.body, {**answer.headers, **usage})


def faulty_item(platform: Asked, question: Question, fault: Fault) -> Answer | None:
    """Return what an item of a batch gets that a fault is due for; None is what Graph calls null.

    A lost connection is a null here: the item wasn't answered, and perhaps was done.
    """
    question = replace(question, fault=fault.label)
    if fault.reset:
        platform.unanswered(question, status=0, body=None)
        return None
    if fault.status is not None:
        platform.unanswered(question, status=fault.status, body=fault.body)
        return Answer(fault.status, None, {}, text=fault.body)
    failed = failure(platform, question, fault)
    if failed is not None:
        return failed
    if fault.report is not None and question.orders_report:
        platform.reports.plan(fault.report)
    answer = platform.item(on_same_page(question) if fault.repeat_page else question)
    if fault.drop_after_write:
        return None
    if fault.status_after is not None:
        return Answer(fault.status_after, None, {}, text=fault.body)
    return replace(answer, text=text_of(altered(answer.body, fault)).decode()[: fault.truncate])


def altered(body: Any, fault: Fault) -> Any:
    """Return a body emptied or spoilt, as the fault says."""
    if fault.empty:
        body = {"data": []}
    if fault.null_items and isinstance(body, list):
        body = [None if n in fault.null_items else item for n, item in enumerate(body)]
    if fault.nonsense is not None:
        body = spoilt(body, nonsense=fault.nonsense, fields=fault.fields)
    return body


def on_same_page(question: Question) -> Question:
    """Return the question for the first page, whatever page was asked for."""
    params = {name: value for name, value in question.params.items() if name != "after"}
    return replace(question, params=params)


def _error(fault: Fault) -> tuple[GraphError | None, str | None]:
    if fault.kind is not None:
        return KINDS[fault.kind]
    if fault.error is None:
        return None, None
    asked: dict[str, Any] = {
        "message": "An unexpected error has occurred. Please retry your request later.",
        "code": _TRANSIENT,
        "status": _BAD_REQUEST,
        **fault.error,
    }
    return GraphError(**asked), None
