"""The import of a file: all of it or nothing, and the same file twice changes nothing.

Reads   a CSV file; how its columns were mapped the last time.
Gives   rows of `intel_performance_daily` and `intel_entity`, the mapping to offer again, and an
        `ImportReport`.
Never   stores a part; never takes totals of an unknown period for a day's (they are marked
        `is_total`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from intel_ml.core.accounts import Account
from intel_ml.core.days import account_day
from intel_ml.data.files.columns import METRICS, TARGETS, complete, refuse_other_currency, suggest
from intel_ml.data.files.table import Table, read_table
from intel_ml.data.files.totals import contents
from intel_ml.data.store.accounts import save_account
from intel_ml.data.store.entities import add_entities
from intel_ml.data.store.performance import write_daily
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AdAccount, FileMapping

_SOURCE = "file"
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Rows read, rows stored, entities met, how the columns were read, what the file cannot tell.
    """

    rows: int
    stored: int
    skipped: int
    entities: int
    mapping: dict[str, str]
    unavailable: tuple[str, ...]
    remembered: bool

    @property
    def unavailable_features(self) -> tuple[str, ...]:
        """What the file cannot tell, `day` and `reach` among it."""
        return self.unavailable


def import_csv(  # noqa: PLR0913  # a promised interface; all but two by name
    store: Store,
    path: Path | str,
    *,
    account: Account,
    mapping: Mapping[str, str] | None = None,
    as_of: datetime,
    day: date | None = None,
) -> ImportReport:
    """Load a file of ad performance into the account.

    `mapping` is {our column: the file's column}, filled up by known names; without one, the mapping
    last used for the same header counts. Rows of a file without days are totals, filed under `day`
    (else the account's day of `as_of`).

    Raises
    ------
    MissingColumnsError, UnknownNameError, InvalidValueError
        Naming columns, or line and column; nothing is loaded.
    """
    table = read_table(Path(path))
    with store.session() as session:
        connection = session.connection()
        remembered = saved_mapping(connection, account, table) if mapping is None else None
        chosen = complete(table.header, mapping if remembered is None else _exactly(remembered))
        refuse_other_currency(chosen, account)
        filed_under = day or account_day(as_of, account.time_zone)
        found = contents(table, chosen, account=account, default_day=filed_under)

        if session.get(AdAccount, account.id) is None:
            save_account(session, account)
            session.flush()
        add_entities(connection, found.entities, seen_at=as_of)
        totals = frozenset() if "day" in chosen else frozenset({filed_under})
        stored = write_daily(
            connection, found.delivered, seen_at=as_of, source=_SOURCE, are_totals=totals
        )
        name = Path(path).name[:_LONGEST_NAME]
        used = {"name": name, "mapping": chosen, "used_at": as_of}
        _remember(connection, account, table, values=used)
    return ImportReport(
        rows=found.rows,
        stored=stored,
        skipped=found.skipped,
        entities=len(found.entities),
        mapping=chosen,
        unavailable=tuple(name for name in (*METRICS, "day") if name not in chosen),
        remembered=remembered is not None,
    )


def offered_mapping(store: Store, path: Path | str, *, account: Account) -> dict[str, str]:
    """Return how the file's columns would be read.

    As the last time, or by known names. It may be incomplete.
    """
    table = read_table(Path(path))
    with store.connection() as connection:
        saved = saved_mapping(connection, account, table)
    return dict(saved) if saved is not None else suggest(table.header)


def saved_mapping(connection: Connection, account: Account, table: Table) -> dict[str, str] | None:
    """Return how a file with this header was read the last time, None when there was none."""
    found: dict[str, str] | None = connection.execute(
        select(FileMapping.mapping).where(
            FileMapping.ad_account_id == account.id,
            FileMapping.header_sha256 == table.header_sha256,
        )
    ).scalar()
    return found


def _exactly(saved: Mapping[str, str]) -> dict[str, str]:
    """Return the saved mapping with every other column of ours left out, as it was then."""
    return {target: saved.get(target, "") for target in TARGETS}


def _remember(
    connection: Connection, account: Account, table: Table, *, values: Mapping[str, object]
) -> None:
    row = insert(FileMapping).values(
        ad_account_id=account.id, header_sha256=table.header_sha256, **values
    )
    connection.execute(
        row.on_conflict_do_update(index_elements=["ad_account_id", "header_sha256"], set_=values)
    )
