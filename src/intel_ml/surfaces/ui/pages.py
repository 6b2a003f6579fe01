"""Which page answers what: the first content of each, and every further look or decision.

Reads   a request of the browser and its cookie.
Gives   HTML for the first view, a plain mapping for each further one.
Never   lets an error out as anything but words; never lets a refused decision leave a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from intel_ml.core.errors import IntelError, InvalidValueError
from intel_ml.data.store.sessions import platform_now
from intel_ml.operations.limits import Limits
from intel_ml.reporting.notifications import Which, notifications, unread_count
from intel_ml.surfaces.ui import approvals, dashboard, history, rules
from intel_ml.surfaces.ui.notes_html import SHOWN, notes_html
from intel_ml.surfaces.ui.people import Door, NobodyError, login_path
from intel_ml.surfaces.ui.shell import PAGES, top_html, trouble_html
from intel_ml.surfaces.ui.visits import Answer, Ask, Visit, ask_of


@dataclass(frozen=True, slots=True)
class Room:
    """One page: as first seen, as looked at again, and what can be done there."""

    page: Callable[[Visit, Ask], str]
    look: Callable[[Visit, Ask], Answer]
    decide: Callable[[Visit, Ask], str] | None = None


ROOMS: dict[str, Room] = {
    "approvals": Room(approvals.page, approvals.look, approvals.decide),
    "dashboard": Room(dashboard.page, dashboard.look),
    "history": Room(history.page, history.look, history.decide),
    "rules": Room(rules.page, rules.look, rules.decide),
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Answers for one installation."""

    door: Door
    limits: Limits
    executes: bool = True

    def first(self, path: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> str:
        """Return what a page shows before any script runs; `NobodyError` for a stranger."""
        with self._visit(cookies) as visit:
            top = top_html(visit.person, path=path, notes=_notes(visit, path))
            name = PAGES[path].lower()
            try:
                ask = ask_of({k: v for k, v in query.items() if k in {"account", "search", "days"}})
                if name == "approvals" and query.get("action"):
                    linked = approvals.linked(visit, query["action"], ask.account)
                    words = {**ask.words, "missing": "" if linked else query["action"][:20]}
                    ask = replace(ask, opened=linked, words=words)
                return top + ROOMS[name].page(visit, ask)
            except IntelError as error:
                return top + trouble_html(str(error))

    def answer(self, sent: object, cookies: Mapping[str, str]) -> Answer:
        """Return what a further look or a decision gives; a refusal is an answer too."""
        try:
            ask = ask_of(sent)
            room = ROOMS.get(ask.word("page"))
            if room is None:
                raise InvalidValueError(path="page", problem="is not one of ours")
            notice = {} if ask.kind == "look" else self._decided(room, ask, cookies)
            with self._visit(cookies) as visit:
                return {**room.look(visit, ask), **notice}
        except NobodyError:
            return {"login": login_path("/")}
        except IntelError as error:
            return {"notice": str(error), "danger": True}

    def _decided(self, room: Room, ask: Ask, cookies: Mapping[str, str]) -> Answer:
        if room.decide is None:
            raise InvalidValueError(path="kind", problem="nothing is decided on this page")
        try:
            with self._visit(cookies) as visit:
                notice: Answer = {"notice": room.decide(visit, ask)}
        except NobodyError:
            raise
        except IntelError as error:
            return {"notice": str(error), "danger": True}
        if ask.kind in {"approve", "modify"}:
            notice["undo"] = ask.word("key") or str(ask.opened)
        return notice

    def _visit(self, cookies: Mapping[str, str]) -> AbstractContextManager[Visit]:
        return _visit(self, cookies)


def _notes(visit: Visit, path: str) -> str:
    return notes_html(
        notifications(visit.session, person=visit.person, which=Which.UNREAD, limit=SHOWN),
        unread=unread_count(visit.session, person=visit.person),
        now=visit.now,
        zones={account.id: account.time_zone for account in visit.accounts},
        path=path,
    )


@contextmanager
def _visit(pages: Pages, cookies: Mapping[str, str]) -> Iterator[Visit]:
    with pages.door.store.session() as session:
        person = pages.door.visitor(session, cookies)
        yield Visit(session, person, platform_now(session), pages.limits, pages.executes)
