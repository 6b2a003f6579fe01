"""What a server needs around our code: answers and refusals as responses, and doors that open late.

Reads   calls that may fail.
Gives   `answered`, `RestDoor`, and `ReadyDoor`, which says who answers and what is amiss.
Never   lets an error leave in another shape than ours.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import anyio.to_thread
import structlog
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.surfaces.api.answers import Health
from intel_ml.surfaces.api.refusals import internal_error, refusal

log = structlog.get_logger(__name__)


def answered(ask: Callable[[], BaseModel], *, wrong_use: int) -> Response:
    """Return the answer, or the response that says why there is none."""
    try:
        return said(ask())
    except Exception as error:  # noqa: BLE001  # each becomes a refusal in our shape
        return refused(error, wrong_use=wrong_use)


def said(answer: BaseModel) -> Response:
    """Return an answer as it is sent: written once, checked by its own making."""
    return Response(answer.model_dump_json(), media_type="application/json")


def refused(error: Exception, *, wrong_use: int) -> JSONResponse:
    """Return the response that says why there is no answer."""
    if isinstance(error, IntelError):
        return refusal(error, wrong_use=wrong_use)
    if isinstance(error, PoolTimeoutError):
        busy = UnavailableError(service="The database", check="It is busy; try again.")
        return refusal(busy, wrong_use=wrong_use)
    log.error("prediction failed", exc_info=error)
    return internal_error()


class RestDoor:
    """An ASGI application whose paths stay whole where it is mounted, and that opens later."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    def open(self, app: ASGIApp) -> None:
        """Let requests through to `app`."""
        self._app = app

    def close(self) -> None:
        """Let none through any more."""
        self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            closed = UnavailableError(service="The REST API", check="It is starting; try again.")
            await refusal(closed, wrong_use=0)(scope, receive, send)
            return
        await self._app({**scope, "root_path": ""}, receive, send)


class ReadyDoor:
    """What answers `/readyz`: 200 or 503 as the vendor would, and who answers in its body."""

    def __init__(self) -> None:
        self._health: Callable[[], Health] | None = None

    def open(self, health: Callable[[], Health]) -> None:
        """Ask `health` from now on."""
        self._health = health

    def close(self) -> None:
        """Be ready no more."""
        self._health = None

    async def answer(self) -> Response:
        """Return whether questions are answered, and by whom."""
        health = Health(is_ready=False, says="The service is starting; try again.")
        if self._health is not None:
            health = await anyio.to_thread.run_sync(self._health)
        status = HTTPStatus.OK if health.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(health.model_dump_json(), status, media_type="application/json")


class Readiness:
    """Lets `door` answer one path, and everything else through."""

    def __init__(self, app: ASGIApp, *, door: ReadyDoor, path: str) -> None:
        self.app, self.door, self.path = app, door, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] == self.path:
            await (await self.door.answer())(scope, receive, send)
            return
        await self.app(scope, receive, send)
