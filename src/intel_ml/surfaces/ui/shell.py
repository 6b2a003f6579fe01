"""The frame around every page: the bar on top, the login form, and pages that could not be made.

Reads   who is logged in and which page this is.
Gives   HTML.
Never   repeats a password.
"""

from __future__ import annotations

from intel_ml.core.accounts import Person
from intel_ml.surfaces.ui.theme import NAME, style
from intel_ml.surfaces.ui.wording import safe

PAGES = {"/": "Approvals", "/dashboard": "Dashboard", "/history": "History", "/rules": "Rules"}


def top_html(person: Person, *, path: str, notes: str = "") -> str:
    """Return the bar with the pages, the person's notes, and the way out."""
    links = "".join(
        f'<a href="{to}"{" aria-current=page" if to == path else ""}>{name}</a>'
        for to, name in PAGES.items()
    )
    return (
        f'<header class="intel top"><a class="brand" href="/">{NAME}</a>'
        f'<nav aria-label="Pages">{links}</nav>{notes}<form method="post" action="/logout">'
        f'<span class="who">{safe(person.name, longest=40)}</span>'
        '<button class="plain">Log out</button></form></header>'
    )


def trouble_html(words: str) -> str:
    """Return the page in place of one that could not be made."""
    return (
        '<main class="intel desk" data-page="trouble"><div class="notice danger" role="alert">'
        f"<span>⚠ {safe(words, longest=400)}</span></div></main>"
    )


def login_html(*, wrong: str = "", name: str = "", goes_to: str = "/") -> str:
    """Return the login page."""
    message = f'<p class="wrong" role="alert">⚠ {safe(wrong)}</p>' if wrong else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Log in · {NAME}</title>{style()}</head>"
        '<body><main class="intel door"><form method="post" action="/login">'
        f"<h1>{NAME}</h1>{message}"
        f'<input type="hidden" name="next" value="{safe(goes_to, longest=300)}">'
        '<label for="name">Name</label>'
        f'<input id="name" name="name" value="{safe(name)}" autocomplete="username" required '
        f"{'' if name else 'autofocus'}>"
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" required '
        f'autocomplete="current-password" {"autofocus" if name else ""}>'
        '<button class="primary">Log in</button></form></main></body></html>'
    )
