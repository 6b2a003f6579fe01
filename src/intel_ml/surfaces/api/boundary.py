"""What a request body may be before anyone reads it.

Reads   the bytes of a request.
Gives   the request on to the application, or a refusal that names the place and the fix.
Never   lets through what the database or a threshold would choke on: NaN, Infinity, NUL, half
        characters, endless nesting, a megabyte; never sends a traceback.
"""

from __future__ import annotations

import json
import math
from typing import Any

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intel_ml.core.errors import IntelError, InvalidValueError
from intel_ml.surfaces.api.refusals import (
    BodyTooLargeError,
    MediaTypeError,
    internal_error,
    refusal,
)

LARGEST_BODY = 1_000_000
DEEPEST = 24
LARGEST_INTEGER = 2**63 - 1

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_JSON = "application/json"
_LONGEST_PATH = 120

log = structlog.get_logger(__name__)


class Boundary:
    """The outermost layer: bodies are strict JSON, and every failure has our shape.

    `only` restricts it to some paths; `status` is what an unacceptable body is answered with.
    """

    def __init__(self, app: ASGIApp, *, status: int, only: tuple[str, ...] = ()) -> None:
        self.app, self.status, self.only = app, status, only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or (self.only and scope["path"] not in self.only):
            await self.app(scope, receive, send)
            return
        has_started = False

        async def watched(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            if scope["method"] in _WITH_BODY:
                body = await _body(scope, receive)
                scope, receive = _checked(scope, body, receive)
            await self.app(scope, receive, watched)
        except IntelError as error:
            answer = refusal(error, wrong_use=self.status)
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if has_started:
                raise
            answer = internal_error()
        else:
            return
        await _send(answer, scope, receive, send)


def parse_strictly(body: bytes) -> Any:
    """Return the value of a JSON text; refuse what is not JSON or cannot be stored.

    >>> parse_strictly(b'{"spend": 1}')
    {'spend': 1}
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise _wrong("body", "is not UTF-8 text") from None
    except RecursionError:
        raise _wrong("body", f"is nested more than {DEEPEST} deep") from None
    except json.JSONDecodeError as error:
        raise _wrong("body", f"is not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise _wrong("body", "has a number too long to read") from None
    _check(value, path="", depth=0)
    return value


def _check(value: Any, *, path: str, depth: int) -> None:
    if depth > DEEPEST:
        raise _wrong(path, f"is nested more than {DEEPEST} deep", "Make the structure flatter.")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, path=path)
            _check(inner, path=f"{path}.{name}" if path else name, depth=depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, path=f"{path}[{index}]", depth=depth + 1)
    elif isinstance(value, str):
        _check_text(value, path=path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _wrong(
            path, "is not a finite number", "Leave it out, or send null, where it is unknown."
        )
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise _wrong(path, "is too large a number")


def _check_text(text: str, *, path: str) -> None:
    if "\x00" in text:
        raise _wrong(path, "contains a NUL character")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _wrong(path, "contains half of a character (a lone surrogate)")


def _refuse_constant(name: str) -> Any:
    raise _wrong(
        "body", f"contains {name}, which is not JSON", "Send null where a value is unknown."
    )


def _wrong(path: str, problem: str, hint: str = "") -> InvalidValueError:
    shown = path.encode("utf-8", "replace").decode().replace("\x00", "")[:_LONGEST_PATH] or "body"
    return InvalidValueError(path=shown, problem=problem, hint=hint)


async def _body(scope: Scope, receive: Receive) -> bytes:
    declared = _header(scope, b"content-length")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        raise BodyTooLargeError(limit=LARGEST_BODY)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST_BODY:
            raise BodyTooLargeError(limit=LARGEST_BODY)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _checked(scope: Scope, body: bytes, receive: Receive) -> tuple[Scope, Receive]:
    """Return the scope and a `receive` that gives the checked body once."""
    if body:
        kind = _header(scope, b"content-type").partition(";")[0].strip().lower() or _JSON
        if kind != _JSON:
            raise MediaTypeError(_JSON)
        parse_strictly(body)
    others = [pair for pair in scope["headers"] if pair[0].lower() != b"content-type"]
    scope = {**scope, "headers": [*others, (b"content-type", _JSON.encode())]}
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return scope, replay


def _header(scope: Scope, name: bytes) -> str:
    found = next((value for key, value in scope["headers"] if key.lower() == name), b"")
    return bytes(found).decode("latin-1")


async def _send(answer: JSONResponse, scope: Scope, receive: Receive, send: Send) -> None:
    await answer(scope, receive, send)
