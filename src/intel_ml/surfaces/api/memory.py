"""What the prediction service knows without asking: who calls, and the accounts they ask about.

A caller and an account that were asked about lately are looked at again every `LOOK_EVERY_S`, in a
thread of its own; what was not looked at for `FRESH_S` is read again before it is used. So a
question waits for no reading, and a revoked token, an edited rule or a new state counts at the
latest a second later.

Reads   tokens, and each account's context where its versions say that something changed.
Gives   the `Person`, the `AccountContext`, and the platform's moment, which never stands still.
Never   answers from what is older than `FRESH_S`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from intel_ml.core.accounts import Person
from intel_ml.core.errors import IntelError
from intel_ml.core.ids import Entity
from intel_ml.data.store.sessions import Store
from intel_ml.operations.contexts import AccountContext, read_context, with_states
from intel_ml.operations.limits import Limits
from intel_ml.surfaces.auth import NotLoggedInError, person_of_bearer

FRESH_S = 1.0
LOOK_EVERY_S = 0.4
#: What nobody has asked for so long is no longer looked at.
FORGET_AFTER_S = 60.0

_TICK = timedelta(microseconds=1)

T = TypeVar("T")

log = structlog.get_logger(__name__)


class ColdError(Exception):
    """What was asked for must be read first: ask again from a thread that may wait."""


@dataclass(slots=True)
class _Known(Generic[T]):
    value: T
    looked_at: float
    used_at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.looked_at < FRESH_S


@dataclass(frozen=True, slots=True)
class _Clock:
    moment: datetime
    at: float


class Memory:
    """Callers and accounts of one process; safe to use from many threads."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._people: dict[str, _Known[tuple[str, Person]]] = {}
        self._accounts: dict[str, _Known[AccountContext]] = {}
        self._clock: _Clock | None = None
        self._told: datetime | None = None
        self._guard = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def person(self, header: str | None, *, may_wait: bool) -> Person:
        """Return whom the `Authorization` header speaks for.

        Raises
        ------
        NotLoggedInError
            It speaks for nobody.
        ColdError
            It must be read first, and `may_wait` is false.
        """
        key = hashlib.sha256((header or "").encode()).hexdigest()
        known = self._people.get(key)
        if known is not None and known.is_fresh:
            known.used_at = time.monotonic()
            return known.value[1]
        if not may_wait:
            raise ColdError
        return self._read_person(header or "", key)

    def context(
        self, account_id: str, entities: Collection[Entity], *, may_wait: bool
    ) -> AccountContext:
        """Return the account with the states of `entities`; of those it does not have, none.

        Raises
        ------
        ColdError
            It must be read first, and `may_wait` is false.
        """
        known = self._accounts.get(account_id)
        if known is not None and known.is_fresh and not _missing(known.value, entities):
            known.used_at = time.monotonic()
            return known.value
        if not may_wait:
            raise ColdError
        with self._lock_of(account_id):
            known = self._accounts.get(account_id)
            if known is None or not known.is_fresh:
                known = self._read_account(account_id, used_at=time.monotonic())
            if missing := _missing(known.value, entities):
                known.value = with_states(self._store, known.value, missing)
            known.used_at = time.monotonic()
            return known.value

    def now(self) -> datetime:
        """Return the platform's moment as the last look saw it, plus the time since.

        No moment is told twice, so that no two questions are one decision.
        """
        with self._guard:
            clock = self._clock
            if clock is None:
                raise ColdError
            now = clock.moment + timedelta(seconds=time.monotonic() - clock.at)
            if self._told is not None and now <= self._told < now + timedelta(seconds=FRESH_S):
                now = self._told + _TICK
            self._told = now
            return now

    def start(self) -> None:
        """Begin looking in the background."""
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self._look()
            except IntelError as error:
                log.warning("not looked", why=error.message)
            except Exception:  # a look that failed must not be the last one
                log.exception("not looked")

    def _look(self) -> None:
        """Read again what was asked about lately, and forget the rest."""
        long_ago = time.monotonic() - FORGET_AFTER_S
        for key, person in list(self._people.items()):
            if person.used_at < long_ago:
                self._people.pop(key, None)
                continue
            try:
                self._read_person(person.value[0], key, used_at=person.used_at)
            except NotLoggedInError:
                self._people.pop(key, None)
        for account_id, account in list(self._accounts.items()):
            if account.used_at < long_ago:
                self._accounts.pop(account_id, None)
                continue
            with self._lock_of(account_id):
                self._read_account(account_id, used_at=account.used_at)

    def _read_person(self, header: str, key: str, *, used_at: float | None = None) -> Person:
        began = time.monotonic()
        with self._store.session() as session:
            person = person_of_bearer(session, header)
        self._people[key] = _Known((header, person), began, began if used_at is None else used_at)
        return person

    def _read_account(self, account_id: str, *, used_at: float) -> _Known[AccountContext]:
        began, before = time.monotonic(), self._accounts.get(account_id)
        context = read_context(
            self._store,
            account_id,
            limits=self._limits,
            before=before.value if before is not None else None,
        )
        known = _Known(context, began, used_at)
        self._accounts[account_id] = known
        with self._guard:
            # Rather late than early: nothing may be asked about at a moment yet to come.
            self._clock = _Clock(context.read_at, time.monotonic())
        return known

    def _lock_of(self, account_id: str) -> threading.Lock:
        with self._guard:
            return self._reading.setdefault(account_id, threading.Lock())


def _missing(context: AccountContext, entities: Collection[Entity]) -> list[Entity]:
    return [one for one in entities if one not in context.states and one in context.places]
