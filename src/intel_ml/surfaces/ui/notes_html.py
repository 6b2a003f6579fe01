"""The notes in the bar on top: how many are unread, and the newest of them.

Reads   a person's unread notes.
Gives   HTML: a count that opens into a list, and the button that marks all as read.
Never   links to anywhere but our own pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from intel_ml.reporting.notifications import Note
from intel_ml.surfaces.ui.wording import ago, safe

SHOWN = 8
#: A page of ours, by its path from the root.
_OURS = re.compile(r"/(?![/\\])[\w/?=&%.-]*")
_TROUBLE = frozenset({"warning", "error"})


def notes_html(
    notes: Sequence[Note], *, unread: int, now: datetime, zones: Mapping[str, str], path: str
) -> str:
    """Return the notes of the bar; `zones` are the accounts' time zones."""
    if not unread:
        return '<span class="quiet notes">No notes</span>'
    items = "".join(_item(note, now=now, zone=zones.get(note.account_id, "UTC")) for note in notes)
    return (
        f'<details class="notes"><summary><b>{unread:,}</b> {_word(unread)}</summary>'
        '<div class="panel">'
        f'<ul>{items}</ul><form method="post" action="/notes/read">'
        f'<input type="hidden" name="next" value="{safe(path)}"><button>Mark all as read</button>'
        "</form></div></details>"
    )


def _word(unread: int) -> str:
    return f"<span>{'note' if unread == 1 else 'notes'}</span>"


def _item(note: Note, *, now: datetime, zone: str) -> str:
    sign = "⚠ " if note.severity in _TROUBLE else ""
    title = f"<b>{sign}{safe(note.title, longest=120)}</b>"
    if note.action_url and _OURS.fullmatch(note.action_url):
        title = f'<a href="{safe(note.action_url)}">{title}</a>'
    return (
        f"<li>{title}"
        f"{ago(note.created_at, now=now, zone=zone)}"
        f"<small>{safe(note.message, longest=240)}</small></li>"
    )
