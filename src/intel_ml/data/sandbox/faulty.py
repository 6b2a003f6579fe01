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

from fastapi import Response
from starlette.types import Receive, Scope, Send

from intel_ml.data.sandbox.graph.faulted import altered, failure, on_same_page
from intel_ml.data.sandbox.graph.faults import Fault
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.graph.requests import Answer, Question
from intel_ml.data.sandbox.graph.spoiling import text_of

JSON = "application/json; charset=UTF-8"
_HTML = "text/html"
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
    answer = platform.answer(on_same_page(question) if fault.repeat_page else question)
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
    failed = failure(platform, question, fault)
    return None if failed is None else json_response(failed)


def _altered(answer: Answer, fault: Fault) -> Response:
    text = text_of(altered(answer.body, fault))[: fault.truncate]
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
