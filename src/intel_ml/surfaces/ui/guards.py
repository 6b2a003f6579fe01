"""What stands before every page: other origins are refused, strangers log in.

Reads   each request.
Gives   refusals, redirects, and pages whose first answer holds their first content.
Never   lets another site act in a visitor's name or frame a page; never loads from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intel_ml.core.errors import IntelError
from intel_ml.surfaces.ui.people import NobodyError, login_path
from intel_ml.surfaces.ui.shell import PAGES, trouble_html
from intel_ml.surfaces.ui.theme import head

FirstContent = Callable[[Request], str]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
}


class Guards:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, first: FirstContent) -> None:
        self.app, self.first = app, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        if is_foreign(request.method, request.headers):
            refusal = PlainTextResponse("Refused: this request comes from another site.", 403)
            await refusal(scope, receive, send)
            return
        if request.method == "GET" and request.url.path in PAGES:
            await self._page(request, send)
            return
        await self.app(scope, receive, _with_headers(send))

    async def _page(self, request: Request, send: Send) -> None:
        try:
            content = await to_thread.run_sync(self.first, request)
        except NobodyError:
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            response = RedirectResponse(login_path(wanted), 303)
            await response(request.scope, request.receive, send)
            return
        except IntelError as error:
            content = trouble_html(str(error))
        # The page must come as plain text for the content to be put in.
        plain = [(k, v) for k, v in request.scope["headers"] if k != b"accept-encoding"]
        scope = {**request.scope, "headers": plain}
        await self.app(scope, request.receive, _with_content(_with_headers(send), content.encode()))


def is_foreign(method: str, headers: Headers) -> bool:
    """Return whether a changing request comes from a page of another origin."""
    if method in SAFE_METHODS:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host", "")
    return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending


def _with_content(send: Send, content: bytes) -> Send:
    held: list[Message] = []
    body = bytearray()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            held.append(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        page = insert(bytes(body), head=head().encode(), content=content)
        MutableHeaders(scope=held[0])["content-length"] = str(len(page))
        MutableHeaders(scope=held[0])["cache-control"] = "no-store"
        await send(held[0])
        await send({"type": "http.response.body", "body": page})

    return sending


def insert(page: bytes, *, head: bytes, content: bytes) -> bytes:
    """Return the page with `head` last in its head and `content` first in its body.

    >>> insert(b"<head></head><body class=x><p>", head=b"<style>", content=b"<main>")
    b'<head><style></head><body class=x><main><p>'
    """
    ends, start = page.find(b"</head>"), page.find(b"<body")
    if ends < 0 or start < 0:
        return page
    opened = page.find(b">", start) + 1
    return page[:ends] + head + page[ends:opened] + content + page[opened:]
