"""A planned fault over HTTP: the wrong answer, the late one, or none.

Reads   a request and the fault that is due for it.
Gives   what the client gets; writes met before they were made are recorded as not applied.
Never   hides a write that was made: a lost answer is still in the record.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import replace
from typing import Any

from fastapi import Response
from starlette.types import Receive, Scope, Send

from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.faults import Fault
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.graph.requests import Answer, Question
from intel_ml.data.sandbox.graph.spoiling import KINDS, spoilt, text_of, usage_headers

JSON = "application/json; charset=UTF-8"
_HTML = "text/html"
_BAD_REQUEST = 400
_TRANSIENT = 2
_DROPPED_LENGTH = b"1000000"
_LINGER_NOT = struct.pack("ii", 1, 0)


async def faulty_response(platform: Platform, question: Question, fault: Fault) -> Response:
    """Return what a request gets that a fault is due for."""
    question = replace(question, fault=fault.label)
    if fault.latency_s:
        await asyncio.sleep(fault.latency_s)
    instead = _instead(platform, question, fault)
    if instead is not None:
        return instead
    if fault.report is not None and question.orders_report:
        platform.reports.plan(fault.report)
    answer = platform.answer(_same_page(question) if fault.repeat_page else question)
    if fault.latency_after_s:
        await asyncio.sleep(fault.latency_after_s)
    if fault.drop_after_write:
        return _CutOff()
    if fault.status_after is not None:
        return Response(
            fault.body, status_code=fault.status_after, media_type=fault.content_type or _HTML
        )
    return _altered(answer, fault)


def _instead(platform: Platform, question: Question, fault: Fault) -> Response | None:
    """Return the answer for a request that never reaches the platform, None if this one does."""
    if fault.reset:
        platform.unanswered(question, status=0, body=None)
        return _Reset()
    if fault.status is not None:
        platform.unanswered(question, status=fault.status, body=fault.body)
        return Response(
            fault.body, status_code=fault.status, media_type=fault.content_type or _HTML
        )
    error, header = _error(fault)
    if error is None:
        return None
    answer = platform.refused(error, question)
    platform.unanswered(question, status=answer.status, body=error.body(""))
    usage = usage_headers(header, account=platform.account_of(question))
    headers = {**answer.headers, **usage}
    return json_response(Answer(answer.status, answer.body, headers))


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


def _altered(answer: Answer, fault: Fault) -> Response:
    body = answer.body
    if fault.empty:
        body = {"data": []}
    if fault.null_items and isinstance(body, list):
        body = [None if n in fault.null_items else item for n, item in enumerate(body)]
    if fault.nonsense is not None:
        body = spoilt(body, nonsense=fault.nonsense, fields=fault.fields)
    text = text_of(body)[: fault.truncate]
    return Response(
        text,
        status_code=answer.status,
        media_type=fault.content_type or JSON,
        headers=dict(answer.headers),
    )


def json_response(answer: Answer) -> Response:
    """Return an answer as HTTP."""
    return Response(
        text_of(answer.body),
        status_code=answer.status,
        media_type=JSON,
        headers=dict(answer.headers),
    )


def _same_page(question: Question) -> Question:
    params = {name: value for name, value in question.params.items() if name != "after"}
    return replace(question, params=params)


class _CutOff(Response):
    """Half an answer: the connection is closed in the middle of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-length", _DROPPED_LENGTH)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _Reset(_CutOff):
    """No answer: the connection is reset before a byte is sent.

    The server hands its transport to nobody, so it is taken from the cycle whose method `receive`
    is; where there is none, the answer is cut off instead.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is None:
            await super().__call__(scope, receive, send)
            return
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
        # The server learns of the loss in the next turns of the loop, and then expects no answer.
        for _ in range(3):
            await asyncio.sleep(0)
