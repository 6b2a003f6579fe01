"""The look of every page: one style sheet, one script, both of this package.

Reads   `page.css` and `keys.js`.
Gives   what goes into the head of a page.
Never   names another server.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

NAME = "Campaign Intelligence"
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect width="16" height="16" rx="3" fill="#1f5fbf"/>'
    '<path d="M3 12V8h2v4zm4 0V4h2v8zm4 0V6h2v6z" fill="#fff"/></svg>'
)


@lru_cache(maxsize=1)
def head() -> str:
    """Return style and script for the head of a page."""
    return f"{style()}<script>{_file('keys.js')}</script>"


@lru_cache(maxsize=1)
def style() -> str:
    """Return icon and style sheet alone, for the login page."""
    return (
        f'<link rel="icon" type="image/svg+xml" href="/icon.svg"><style>{_file("page.css")}</style>'
    )


def _file(name: str) -> str:
    return (files("intel_ml.surfaces.ui") / name).read_text(encoding="utf-8")
