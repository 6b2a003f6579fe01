"""One shape for every refusal: `{"error": {"type", "message", "hint", "path"}}`.

Reads   an error of `core.errors`, of pydantic or of the framework.
Gives   the response with the status that says whose turn it is.
Never   repeats a header, a token or a statement of SQL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from intel_ml.core.errors import (
    ConflictError,
    IntelError,
    InvalidValueError,
    NotAllowedError,
    NotEnoughDataError,
    NotFoundError,
    UnavailableError,
    WrongUseError,
    nearest_name,
)
from intel_ml.surfaces.auth import NotLoggedInError

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_LONGEST_SHOWN = 60
_UNKNOWN_FIELD = "extra_forbidden"
_CHOICES = frozenset({"enum", "literal_error"})
_QUOTED = re.compile(r"'([^']+)'")


class Refusal(BaseModel):
    """What was wrong, where, and what to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "unknown_name",
                "message": "Unknown field 'spnd'.",
                "hint": "Did you mean 'spend'?",
                "path": "state.spnd",
            }
        }
    )

    type: str
    message: str
    hint: str = ""
    path: str | None = Field(
        None, description="Where in the request, None when it is not one place."
    )


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    error: Refusal


class BodyTooLargeError(WrongUseError):
    """A body larger than anything this API needs."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"The body has more than {limit:,} bytes.", hint="Send less at once.")


class MediaTypeError(WrongUseError):
    """A body of another kind than JSON."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The body must be {kind}.", hint=f"Send `Content-Type: {kind}`.")


class _MethodError(WrongUseError):
    """The path exists, but not with this method."""


#: The status of each kind of error; the first that matches counts.
_STATUS: tuple[tuple[type[IntelError], HTTPStatus], ...] = (
    (NotLoggedInError, HTTPStatus.UNAUTHORIZED),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (BodyTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (MediaTypeError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (_MethodError, HTTPStatus.METHOD_NOT_ALLOWED),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (NotEnoughDataError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def refusal_of(error: IntelError) -> Refusal:
    """Return what an error says to the caller.

    >>> refusal_of(InvalidValueError(path="days", problem="is not 7, 14 or 30")).type
    'invalid_value'
    """
    name = type(error).__name__.removeprefix("_").removesuffix("Error")
    path = getattr(error, "path", None)
    return Refusal(
        type=_WORD.sub("_", name).lower(), message=error.message, hint=error.hint or "", path=path
    )


def status_of(error: IntelError, *, wrong_use: int) -> int:
    """Return the HTTP status of an error; `wrong_use` is that of what the caller can correct."""
    found = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if found is not None:
        return int(found)
    if isinstance(error, WrongUseError):
        return wrong_use
    return int(HTTPStatus.SERVICE_UNAVAILABLE)


def refusal(error: IntelError, *, wrong_use: int) -> JSONResponse:
    """Return the response that tells a caller of `error`."""
    status = status_of(error, wrong_use=wrong_use)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(Failure(error=refusal_of(error)).model_dump(), status, headers)


def internal_error() -> JSONResponse:
    """Return the response to a fault of ours; the log has the rest."""
    said = Refusal(
        type="internal",
        message="Something failed on our side.",
        hint="Try again; the service's log tells the operator more.",
    )
    return JSONResponse(Failure(error=said).model_dump(), HTTPStatus.INTERNAL_SERVER_ERROR)


def wrong_input(errors: Sequence[Any], *, known: Sequence[str] = ()) -> WrongUseError:
    """Return the first of pydantic's errors as one of ours."""
    first = errors[0]
    path = path_of([part for part in first["loc"] if part not in ("body", "query", "path")])
    if first["type"] == _UNKNOWN_FIELD:
        return unknown_field(path, known)
    if first["type"] in _CHOICES and isinstance(first["input"], str):
        return _no_choice(path, first["input"], first["ctx"]["expected"])
    message = str(first["msg"])
    problem = f"{message[:1].lower()}{message[1:]}".rstrip(".")
    return InvalidValueError(path=path or "body", problem=problem)


def unknown_field(path: str, known: Sequence[str]) -> WrongUseError:
    """Return the error for a field that no request of this kind has."""
    name = path.rpartition(".")[2]
    near = nearest_name(name, known)
    hint = f"Did you mean '{near}'?" if near else ""
    if not near and known:
        hint = f"Known: {', '.join(known)}."
    return InvalidValueError(
        path=path[:_LONGEST_SHOWN], problem="is not a field we know", hint=hint
    )


def _no_choice(path: str, given: str, expected: str) -> WrongUseError:
    known = _QUOTED.findall(expected)
    near = nearest_name(given[:_LONGEST_SHOWN], known)
    hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(known)}."
    shown = given[:_LONGEST_SHOWN].encode("utf-8", "replace").decode()
    return InvalidValueError(
        path=path or "body", problem=f"'{shown}' is not one of them", hint=hint
    )


def path_of(parts: Sequence[str | int]) -> str:
    """Return a place in a JSON value as people write it.

    >>> path_of(["requests", 3, "state", "spnd"])
    'requests[3].state.spnd'
    """
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def install(app: FastAPI, *, wrong_use: int) -> None:
    """Make every failure of `app` have our shape."""

    def of_ours(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, IntelError):
            raise error
        return refusal(error, wrong_use=wrong_use)

    def of_input(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        return refusal(wrong_input(error.errors(), known=_fields_of(request)), wrong_use=wrong_use)

    def of_framework(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        return refusal(_as_ours(error), wrong_use=wrong_use)

    def of_pool(_: Request, error: Exception) -> JSONResponse:
        busy = UnavailableError(service="The database", check="It is busy; try again.")
        busy.__cause__ = error
        return refusal(busy, wrong_use=wrong_use)

    app.add_exception_handler(IntelError, of_ours)
    app.add_exception_handler(RequestValidationError, of_input)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(PoolTimeoutError, of_pool)


def _as_ours(error: HTTPException) -> IntelError:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFoundError(
            "There is nothing at this path.", hint="/api/openapi.json lists the paths."
        )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _MethodError("This path does not take this method.")
    return InvalidValueError(path="body", problem=str(error.detail).rstrip("."))


def _fields_of(request: Request) -> list[str]:
    """Return the names the body of the request's route may have."""
    body = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(body, "field_info", None), "annotation", None)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []
