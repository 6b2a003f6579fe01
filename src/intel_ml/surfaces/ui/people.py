"""Who is at the page: the login form, the cookie, the way out.

Reads   the login form and the session cookie.
Gives   a `Door` that knows each visitor, and the routes /login and /logout.
Never   says whether name or password was wrong; never sends anyone to another site after login.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, quote

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
from intel_ml.core.errors import NotAllowedError
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.reporting.notifications import mark_all_read
from intel_ml.surfaces.auth import (
    COOKIE_NAME,
    SESSION_VALID,
    login,
    person_of_cookie,
    session_cookie,
)
from intel_ml.surfaces.ui.shell import login_html

WRONG = "Name or password is wrong."
ENDED = "Your session has ended. Log in again and you are back where you were."
_LONGEST_FORM = 8192
_SEE_OTHER = HTTPStatus.SEE_OTHER


class NobodyError(NotAllowedError):
    """The visitor is not logged in, or no longer."""

    hint = "Log in again."


@dataclass(frozen=True, slots=True)
class Door:
    """Knows a visitor by the signed cookie, whose time is wall-clock time, not a sandbox's."""

    store: Store
    secret: str

    def visitor(self, session: Session, cookies: Mapping[str, str]) -> Person:
        """Return who is asking, within the transaction that serves them."""
        cookie = cookies.get(COOKIE_NAME)
        person = person_of_cookie(session, cookie, self.secret, datetime.now(UTC))
        if person is None:
            raise NobodyError("You are not logged in.")
        return person

    def name_of(self, request: Request) -> str:
        """Return the visitor's name for Gradio, or answer 401."""
        try:
            with self.store.session() as session:
                return self.visitor(session, request.cookies).name
        except NobodyError as error:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, str(error)) from error


def login_path(wanted: str) -> str:
    """Return where someone logs in who then goes on to `wanted`."""
    return f"/login?next={quote(wanted, safe='')}"


def own_path(wanted: str) -> str:
    r"""Return `wanted` where it is a page of ours, the first page otherwise.

    >>> own_path("/?action=7"), own_path("//evil.example"), own_path("/\\evil.example")
    ('/?action=7', '/', '/')
    """
    is_ours = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    )
    return wanted if is_ours else "/"


def routes(door: Door) -> APIRouter:
    """Return the routes of login and logout."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def form(request: Request) -> HTMLResponse:
        asked = request.query_params
        wrong = ENDED if asked.get("ended") else ""
        return HTMLResponse(login_html(wrong=wrong, goes_to=own_path(asked.get("next", "/"))))

    @router.post("/login")
    async def enter(request: Request) -> Response:
        sent = await _form(request)
        return await _in_thread(door, sent, secure=request.url.scheme == "https")

    @router.post("/logout")
    def leave() -> Response:
        response = RedirectResponse("/login", _SEE_OTHER)
        response.delete_cookie(COOKIE_NAME, path="/", httponly=True, samesite="lax")
        return response

    @router.post("/notes/read")
    async def read(request: Request) -> Response:
        sent = await _form(request)
        return await to_thread.run_sync(_marked_read, door, dict(request.cookies), sent)

    return router


def _marked_read(door: Door, cookies: Mapping[str, str], sent: Mapping[str, str]) -> Response:
    try:
        with door.store.session() as session:
            person = door.visitor(session, cookies)
            mark_all_read(session, person=person, now=platform_now(session))
    except NobodyError:
        return RedirectResponse(login_path("/"), _SEE_OTHER)
    return RedirectResponse(own_path(sent.get("next", "/")), _SEE_OTHER)


async def _in_thread(door: Door, sent: Mapping[str, str], *, secure: bool) -> Response:
    return await to_thread.run_sync(lambda: _entered(door, sent, secure=secure))


def _entered(door: Door, sent: Mapping[str, str], *, secure: bool) -> Response:
    goes_to, name = own_path(sent.get("next", "/")), sent.get("name", "").strip()
    with door.store.session() as session:
        person = login(session, name, sent.get("password", ""))
    if person is None:
        page = login_html(wrong=WRONG, name=name, goes_to=goes_to)
        return HTMLResponse(page, HTTPStatus.UNAUTHORIZED)
    response = RedirectResponse(goes_to, _SEE_OTHER)
    response.set_cookie(
        COOKIE_NAME,
        session_cookie(person, door.secret, datetime.now(UTC)),
        max_age=int(SESSION_VALID.total_seconds()),
        path="/",
        httponly=True,
        secure=secure,
        samesite="lax",
    )
    return response


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no login form.")
    fields = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
