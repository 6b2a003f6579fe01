"""What a server needs around our code: refusals as responses, and a REST API that may open later.

Reads   calls that may fail.
Gives   `answered` and `RestDoor`.
Never   lets an error leave in another shape than ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.surfaces.api.refusals import internal_error, refusal

Answer = TypeVar("Answer", bound=BaseModel)

log = structlog.get_logger(__name__)


def answered(ask: Callable[[], Answer], *, wrong_use: int) -> Answer | JSONResponse:
    """Return the answer, or the response that says why there is none."""
    try:
        return ask()
    except IntelError as error:
        return refusal(error, wrong_use=wrong_use)
    except PoolTimeoutError:
        busy = UnavailableError(service="The database", check="It is busy; try again.")
        return refusal(busy, wrong_use=wrong_use)
    except Exception:
        log.exception("prediction failed")
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
