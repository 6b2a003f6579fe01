"""The sandbox as an HTTP server that speaks the Graph API.

Reads   requests under `/vN.N/...`, and `/_sandbox/...` for its own controls.
Gives   an application, and a process that serves it.
Never   writes a token to a log: the access log is off, because tokens stand in URLs.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response

from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.data.sandbox.control import Control
from intel_ml.data.sandbox.faulty import JSON, faulty_response, json_response
from intel_ml.data.sandbox.graph.json_text import dumps, loads
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.graph.requests import Question, without_version
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.world import World

_BAD_REQUEST, _NOT_FOUND, _WRONG_METHOD = 400, 404, 405
_METHODS = ("GET", "POST", "DELETE")


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
    app.state.control = control
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
        "advance": control.advance,
        "speed": lambda body: control.set_speed(body.get("speed")),
        "pause": lambda _: control.pause(),
        "resume": lambda _: control.resume(),
        "faults": control.add_fault,
        "quota": control.set_quota,
    }
    gets: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
        "clock": lambda _: control.clock(),
        "faults": lambda _: control.list_faults(),
        "quota": lambda _: control.quota(),
        "writes": control.writes,
        "world": control.world,
        "oracle": control.oracle,
    }
    for path, post in posts.items():
        app.add_api_route(f"/_sandbox/{path}", _posted(post, control), methods=["POST"])
    for path, get in gets.items():
        app.add_api_route(f"/_sandbox/{path}", _got(get, control), methods=["GET"])
    clear = _got(lambda _: control.clear_faults(), control)
    app.add_api_route("/_sandbox/faults", clear, methods=["DELETE"])
    app.add_api_route("/_sandbox/{path:path}", _unknown(posts, gets), methods=[*_METHODS])


def _posted(
    act: Callable[[dict[str, Any]], dict[str, Any]], control: Control
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        text = await request.body()
        try:
            body = loads(text) if text else {}
        except ValueError as error:
            return _refused(_BAD_REQUEST, f"The body is not usable: {error}")
        if not isinstance(body, dict):
            return _refused(_BAD_REQUEST, "The body must be a JSON object.")
        return _told(lambda: act(body), control)

    return endpoint


def _got(
    tell: Callable[[Mapping[str, str]], dict[str, Any]], control: Control
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return _told(lambda: tell(request.query_params), control)

    return endpoint


def _unknown(posts: Collection[str], gets: Collection[str]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(path: str) -> Response:
        for names, method in ((posts, "POST"), (gets, "GET")):
            if path in names:
                return _refused(_WRONG_METHOD, f"'{path}' is asked with {method}.")
        error = UnknownNameError(kind="control", name=path, known={*posts, *gets})
        return _refused(_NOT_FOUND, str(error))

    return endpoint


def _told(answer: Callable[[], dict[str, Any]], control: Control) -> Response:
    try:
        control.catch_up()
        return _plain(200, answer())
    except NotFoundError as error:
        return _refused(_NOT_FOUND, str(error))
    except (InvalidValueError, UnknownNameError) as error:
        field = error.path if isinstance(error, InvalidValueError) else error.name
        return _refused(_BAD_REQUEST, str(error), field=field)
    except IntelError as error:
        return _refused(_BAD_REQUEST, str(error))


def _add_graph(app: FastAPI, control: Control) -> None:
    async def graph(request: Request) -> Response:
        control.catch_up()
        params = dict(request.query_params)
        if request.method != "GET":
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
            return json_response(control.platform.answer(question))
        return await faulty_response(control.platform, question, fault)

    app.add_api_route("/{path:path}", graph, methods=[*_METHODS])


async def _form(request: Request) -> dict[str, str]:
    content = request.headers.get("content-type", "")
    if content.startswith("application/json"):
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
    if content.startswith("multipart/"):
        async with request.form() as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    # Not by the framework's form: it takes bytes that weren't percent-encoded for Latin-1.
    text = (await request.body()).decode(errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _refused(status: int, error: str, *, field: str | None = None) -> Response:
    return _plain(status, {"error": error} | ({"field": field} if field else {}))


def _plain(status: int, body: object) -> Response:
    return Response(dumps(body), status_code=status, media_type=JSON)
