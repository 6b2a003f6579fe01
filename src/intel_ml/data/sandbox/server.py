"""The sandbox as an HTTP server that speaks the Graph API.

Reads   requests under `/vN.N/...`, and `/_sandbox/...` for its own controls.
Gives   an application, and a process that serves it.
Never   writes a token to a log: the access log is off, because tokens stand in URLs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from intel_ml.core.errors import IntelError
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.graph.errors import GraphError
from intel_ml.data.sandbox.graph.faults import Fault
from intel_ml.data.sandbox.graph.json_text import dumps, loads
from intel_ml.data.sandbox.graph.platform import Answer, Platform, Question, without_version
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.world import World

_JSON = "application/json; charset=UTF-8"
_BAD_REQUEST = 400
_DROPPED_LENGTH = b"1000000"


def create_app(
    world: World,
    *,
    read_token: str,
    write_token: str,
    journal: Path | None = None,
    speed: float = 0.0,
) -> FastAPI:
    """Return the application for a world; a journal that exists is replayed first."""
    book = None if journal is None else Journal(journal)
    platform = Platform(world, read_token=read_token, write_token=write_token)
    if book is not None:
        if book.header() is None:
            book.begin(world)
        else:
            book.check(world)
            book.replay(platform)
        platform.log = book
    control = Control(platform, journal=book, speed=speed, tick=time.monotonic)
    app = FastAPI(title="Sandbox ad platform", docs_url=None, redoc_url=None, openapi_url=None)
    _add_controls(app, control)
    _add_graph(app, control)
    return app


def serve(  # noqa: PLR0913  # a command's settings, each by its name
    name: str | Path,
    *,
    host: str,
    port: int,
    start: datetime,
    read_token: str,
    write_token: str,
    seed: int | None = None,
    speed: float = 0.0,
    journal: Path | None = None,
) -> None:
    """Serve a world until stopped; with a journal of an earlier run, its seed and start win."""
    header = None if journal is None else Journal(journal).header()
    if header is not None:
        start, seed = header.start, header.seed
    world = World.load(name, start=start.astimezone(UTC), seed=seed)
    app = create_app(
        world, read_token=read_token, write_token=write_token, journal=journal, speed=speed
    )
    uvicorn.run(
        app, host=host, port=port, access_log=False, log_level="error", ws="none", lifespan="off"
    )


def _add_controls(app: FastAPI, control: Control) -> None:
    posts: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "advance": lambda body: control.advance(body.get("hours", 1)),
        "speed": lambda body: control.set_speed(body.get("speed")),
        "faults": control.add_fault,
    }
    gets: dict[str, Callable[[], dict[str, Any]]] = {
        "clock": control.clock,
        "writes": control.writes,
        "world": control.world,
    }

    for path, post in posts.items():
        app.add_api_route(f"/_sandbox/{path}", _posted(post, control), methods=["POST"])
    for path, get in gets.items():
        app.add_api_route(f"/_sandbox/{path}", _got(get, control), methods=["GET"])
    app.add_api_route("/_sandbox/faults", _got(control.clear_faults, control), methods=["DELETE"])


def _posted(
    act: Callable[[dict[str, Any]], dict[str, Any]], control: Control
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        text = await request.body()
        try:
            body = loads(text) if text else {}
            if not isinstance(body, dict):
                return _response(_BAD_REQUEST, {"error": "The body must be a JSON object."})
            control.catch_up()
            return _response(200, act(body))
        except (ValueError, TypeError) as error:
            return _response(_BAD_REQUEST, {"error": f"The body is not usable: {error}"})
        except IntelError as error:
            return _response(_BAD_REQUEST, {"error": str(error)})

    return endpoint


def _got(tell: Callable[[], dict[str, Any]], control: Control) -> Callable[[], Awaitable[Response]]:
    async def endpoint() -> Response:
        control.catch_up()
        return _response(200, tell())

    return endpoint


def _add_graph(app: FastAPI, control: Control) -> None:
    async def graph(request: Request) -> Response:
        control.catch_up()
        params = dict(request.query_params)
        if request.method == "POST":
            params.update(await _form(request))
        version, path = without_version(request.url.path)
        base = str(request.base_url).rstrip("/") + (f"/{version}" if version else "")
        method = (
            params.get("method", request.method).upper()
            if request.method == "POST"
            else request.method
        )
        question = Question(method, path, params, base)
        fault = control.faults.take(method=method, path=path)
        if fault is None:
            return _answered(control.platform.answer(question))
        return await _faulty(control.platform, question, fault)

    app.add_api_route("/{path:path}", graph, methods=["GET", "POST", "DELETE"])


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = loads(await request.body())
        except ValueError:
            return {}
        if not isinstance(body, dict):
            return {}
        return {
            name: value if isinstance(value, str) else dumps(value).decode()
            for name, value in body.items()
        }
    return {name: str(value) for name, value in (await request.form()).items()}


async def _faulty(platform: Platform, question: Question, fault: Fault) -> Response:
    if fault.latency_s:
        await asyncio.sleep(fault.latency_s)
    if fault.error is not None:
        asked = dict(fault.error)
        error = GraphError(
            str(
                asked.get(
                    "message", "An unexpected error has occurred. Please retry your request later."
                )
            ),
            code=int(asked.get("code", 2)),
            subcode=asked.get("subcode"),
            status=int(asked.get("status", _BAD_REQUEST)),
            is_transient=bool(asked.get("is_transient", False)),
        )
        return _response(error.status, error.body("Afault000000"))
    if fault.status is not None:
        return Response(fault.body, status_code=fault.status, media_type="text/html")
    answer = platform.answer(_same_page(question) if fault.repeat_page else question)
    if fault.latency_after_s:
        await asyncio.sleep(fault.latency_after_s)
    if fault.drop_after_write:
        return _Dropped()
    if fault.null_items and isinstance(answer.body, list):
        body = [None if n in fault.null_items else item for n, item in enumerate(answer.body)]
        answer = Answer(answer.status, body, answer.headers)
    response = _answered(answer)
    if fault.truncate is not None:
        return Response(
            bytes(response.body)[: fault.truncate], status_code=answer.status, media_type=_JSON
        )
    return response


def _same_page(question: Question) -> Question:
    params = {name: value for name, value in question.params.items() if name != "after"}
    return Question(question.method, question.path, params, question.base)


class _Dropped(Response):
    """No answer: the connection is closed after the work was done."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-length", _DROPPED_LENGTH)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _answered(answer: Answer) -> Response:
    return _response(answer.status, answer.body, answer.headers)


def _response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dumps(body), status_code=status, media_type=_JSON, headers=dict(headers or {}))
