"""One look at each account, stored whole or not at all.

Reads   the ad platform, through a reader.
Gives   rows of structure, snapshots, days, pixels and quarantine, one `intel_collection_run`, and a
        report.
Never   lets one account's failure stop another's; never stores half a look.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from intel_ml.core.accounts import Account
from intel_ml.core.days import DayWindow
from intel_ml.core.errors import IntelError
from intel_ml.core.ids import AdAccountId
from intel_ml.data.collection.plan import Reach, lookback
from intel_ml.data.meta.answers import without_secrets
from intel_ml.data.meta.reader import Look, PixelLook
from intel_ml.data.store.entities import write_entities
from intel_ml.data.store.performance import (
    last_daily_reads,
    write_daily,
    write_pixels,
    write_quarantine,
    write_snapshots,
)
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import CollectionRun

log = structlog.get_logger(__name__)

_MS = 1000
_FROM_FILE = "file"
#: Looks at once: most of a look is waiting for the platform or the database.
_AT_ONCE = 3


class Reader(Protocol):
    """Whoever can look at an account."""

    def look(
        self,
        account: Account,
        *,
        days: DayWindow | None,
        with_structure: bool,
        now: datetime | None,
    ) -> Look:
        """Return structure, today so far, and the closed days asked for."""
        ...

    def pixels(self, account: Account, *, now: datetime | None) -> PixelLook:
        """Return the account's pixels."""
        ...


@dataclass(frozen=True, slots=True)
class CollectionReport:
    """What one look cost and brought; `status` is done, partial or failed."""

    account_id: AdAccountId
    calls: int
    rows: int
    quarantined: int
    took_ms: int
    status: str
    message: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of an account, before any of it is stored."""

    look: Look
    pixels: PixelLook | None
    problems: tuple[str, ...]

    @property
    def calls(self) -> int:
        return self.look.calls + (self.pixels.calls if self.pixels else 0)


def collect(
    store: Store, reader: Reader, account: Account, *, now: datetime, lookback: DayWindow | None
) -> CollectionReport:
    """Look at one account and store what was seen; with a `lookback`, closed days and pixels too.

    An error of the platform ends in a report that says `failed`; one of the database is raised.
    """
    started = time.perf_counter()
    try:
        seen = _read(reader, account, now=now, days=lookback)
    except IntelError as error:
        message = without_secrets(str(error))
        report = CollectionReport(account.id, 0, 0, 0, _since(started), "failed", message)
        with store.connection() as connection:
            _write_run(connection, report, now)
        log.warning("collection failed", account=account.id, message=message)
        return report
    with store.connection() as connection:
        report = _write(connection, account, seen, now=now, started=started)
    if report.status != "done":
        log.warning("collected in part", account=account.id, message=report.message)
    log.debug("collected", account=account.id, calls=report.calls, rows=report.rows)
    return report


def collect_all(
    store: Store,
    reader: Reader,
    accounts: Sequence[Account],
    *,
    now: datetime,
    reach: Reach | None = None,
) -> list[CollectionReport]:
    """Look at every account, each as far back as is due; those known from files are passed over."""
    with store.connection() as connection:
        read = last_daily_reads(connection)

    def one(account: Account) -> CollectionReport:
        days = lookback(now, account, read.get(account.id), reach=reach)
        return collect(store, reader, account, now=now, lookback=days)

    asked = [account for account in accounts if account.source != _FROM_FILE]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(one, asked))


def _read(reader: Reader, account: Account, *, now: datetime, days: DayWindow | None) -> _Seen:
    look = reader.look(account, days=days, with_structure=True, now=now)
    pixels, problems = None, look.problems
    if days is not None:
        try:
            pixels = reader.pixels(account, now=now)
        except IntelError as error:
            problems = (*problems, f"pixels: {without_secrets(str(error))}")
        else:
            problems = (*problems, *pixels.problems)
    return _Seen(look, pixels, problems)


def _write(
    connection: Connection, account: Account, seen: _Seen, *, now: datetime, started: float
) -> CollectionReport:
    refused = (*seen.look.refused, *(seen.pixels.refused if seen.pixels else ()))
    write_entities(connection, seen.look.entities, seen_at=now)
    rows = write_snapshots(connection, seen.look.today, seen_at=now)
    rows += write_daily(connection, seen.look.days, seen_at=now)
    if seen.pixels is not None:
        rows += write_pixels(connection, seen.pixels.pixels, account=account.id, seen_at=now)
    quarantined = write_quarantine(connection, refused, account=account.id, seen_at=now)
    report = CollectionReport(
        account_id=account.id,
        calls=seen.calls,
        rows=rows,
        quarantined=quarantined,
        took_ms=_since(started),
        status="partial" if seen.problems else "done",
        message="; ".join(seen.problems) or None,
    )
    _write_run(connection, report, now)
    return report


def _write_run(connection: Connection, report: CollectionReport, now: datetime) -> None:
    values = {
        "started_at": now,
        "took_ms": report.took_ms,
        "status": report.status,
        "calls": report.calls,
        "rows": report.rows,
        "quarantined": report.quarantined,
        "message": report.message,
    }
    row = insert(CollectionRun).values(ad_account_id=report.account_id, as_of=now, **values)
    connection.execute(
        row.on_conflict_do_update(index_elements=["ad_account_id", "as_of"], set_=values)
    )


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * _MS)
