"""The account's structure as last seen, and every change of it between two of our looks.

Reads   descriptions of campaigns, ad sets and ads; our own executed actions.
Gives   rows of `intel_entity`, `intel_entity_version` and `intel_entity_revision`; `entities` back
        as `Described`.
Never   forgets an entity that is not listed any more; never lets an older look overwrite a newer
        one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from intel_ml.core.actions import ActionStatus
from intel_ml.core.ids import AdAccountId, EntityId, EntityType
from intel_ml.data.facts import Described
from intel_ml.data.store.staging import staged
from intel_ml.data.store.tables import AutomationAction, EntityRevision, EntityRow

_KEY = ("ad_account_id", "entity_type", "entity_id")
_FIELDS = (
    "campaign_id",
    "adset_id",
    "name",
    "configured_status",
    "effective_status",
    "daily_budget_minor",
    "lifetime_budget_minor",
    "bid_amount_minor",
    "bid_strategy",
    "objective",
    "optimization_goal",
    "learning_stage",
    "learning_conversions",
    "last_significant_edit_at",
    "issues",
    "created_at",
    "updated_at",
)
_COLUMNS = (*_KEY, *_FIELDS, "seen_at")
#: Someone's doing; the other kept changes are what the platform made of it.
_EDITS = frozenset(
    {
        "name",
        "configured_status",
        "daily_budget_minor",
        "lifetime_budget_minor",
        "bid_amount_minor",
        "bid_strategy",
        "objective",
        "optimization_goal",
        "campaign_id",
        "adset_id",
    }
)
_KEPT = _EDITS | {"effective_status", "learning_stage", "last_significant_edit_at"}
#: What features read of an entity: every change of it makes a version.
_TOLD = ("effective_status", "daily_budget_minor", "learning_stage", "last_significant_edit_at")
#: Under which name our own actions journal the value they set.
_OURS = {
    "configured_status": "status",
    "daily_budget_minor": "daily_budget_minor",
    "lifetime_budget_minor": "lifetime_budget_minor",
    "bid_amount_minor": "bid_amount_minor",
}
_DONE = (
    ActionStatus.EXECUTED,
    ActionStatus.UNDONE,
    ActionStatus.NEEDS_REVIEW,
    ActionStatus.EXECUTING,
)

Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """How many entities a look brought, how many of them were new, how many had changed."""

    entities: int
    new: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Change:
    """One entity's changes since it was last seen: {field: [old, new]}."""

    entity: Described
    since: datetime
    fields: dict[str, list[Any]]


def write_entities(
    connection: Connection, found: Sequence[Described], *, seen_at: datetime
) -> Written:
    """Bring the structure up to date and record what changed since the last look."""
    if not found:
        return Written(0, 0, 0)
    # A list that grows while its pages are read repeats entities; the last one was seen last.
    found = list({(entity.account, entity.type, entity.id): entity for entity in found}.values())
    known = _known(connection, {entity.account for entity in found})
    fresh, changes, same = [], [], []
    for entity in found:
        before = known.get((entity.account, entity.type, entity.id))
        if before is None:
            fresh.append(entity)
            continue
        if before["seen_at"] > seen_at:
            continue
        fields = _difference(before, entity)
        if fields is None:
            same.append(entity)
            continue
        fresh.append(entity)
        if fields:
            changes.append(_Change(entity, before["seen_at"], fields))
    _upsert(connection, fresh, seen_at)
    _keep_versions(connection, _differently_told(fresh, known), seen_at)
    _touch(connection, same, seen_at)
    _record(connection, changes, seen_at)
    new = sum((e.account, e.type, e.id) not in known for e in fresh)
    return Written(len(found), new, len(changes))


def add_entities(connection: Connection, found: Sequence[Described], *, seen_at: datetime) -> int:
    """Add the entities that are not known yet and leave the others as they are.

    Return how many were added.
    """
    if not found:
        return 0
    columns = ", ".join(_COLUMNS)
    with staged(
        connection, "intel_entity", columns=_COLUMNS, rows=[_plain(e, seen_at) for e in found]
    ) as source:
        result = connection.exec_driver_sql(
            f"INSERT INTO intel_entity ({columns}) "  # noqa: S608  # our names
            f"SELECT {columns} FROM {source.sql} ON CONFLICT DO NOTHING",
            source.params,
        )
    _keep_versions(connection, _unversioned(connection, found), seen_at)
    return result.rowcount


def entities(session: Session, account_id: str) -> list[Described]:
    """Return the account's campaigns, ad sets and ads as last seen, by level and id."""
    rows = session.scalars(
        select(EntityRow)
        .where(EntityRow.ad_account_id == account_id)
        .order_by(EntityRow.entity_type, EntityRow.entity_id)
    )
    return [_described(row) for row in rows]


def _known(
    connection: Connection, accounts: Iterable[str]
) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    rows = connection.exec_driver_sql(
        f"SELECT {', '.join(_COLUMNS)} FROM intel_entity "  # noqa: S608  # our names
        "WHERE ad_account_id = ANY(%(accounts)s)",
        {"accounts": list(accounts)},
    ).mappings()
    return {(r["ad_account_id"], r["entity_type"], r["entity_id"]): dict(r) for r in rows}


def _difference(before: Mapping[str, Any], after: Described) -> dict[str, list[Any]] | None:
    """Return the changes worth a revision; None when nothing at all differs."""
    changed = {
        name: [before[name], value]
        for name in _FIELDS
        if (value := getattr(after, name)) != before[name]
    }
    if not changed:
        return None
    return {name: values for name, values in changed.items() if name in _KEPT}


def _upsert(connection: Connection, fresh: Sequence[Described], seen_at: datetime) -> None:
    if not fresh:
        return
    columns = ", ".join(_COLUMNS)
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*_FIELDS, "seen_at"))
    with staged(
        connection, "intel_entity", columns=_COLUMNS, rows=[_plain(e, seen_at) for e in fresh]
    ) as source:
        connection.exec_driver_sql(
            f"INSERT INTO intel_entity ({columns}) SELECT {columns} FROM {source.sql} "  # noqa: S608  # our names
            f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {updates} "
            "WHERE intel_entity.seen_at <= excluded.seen_at",
            source.params,
        )


def _differently_told(
    fresh: Sequence[Described], known: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> list[Described]:
    """Return the entities that features read something new of."""
    found = []
    for entity in fresh:
        before = known.get((entity.account, entity.type, entity.id))
        if before is None or any(getattr(entity, name) != before[name] for name in _TOLD):
            found.append(entity)
    return found


def _unversioned(connection: Connection, found: Sequence[Described]) -> list[Described]:
    rows = connection.exec_driver_sql(
        f"SELECT DISTINCT {', '.join(_KEY)} FROM intel_entity_version "  # noqa: S608  # our names
        "WHERE ad_account_id = ANY(%(accounts)s)",
        {"accounts": list({entity.account for entity in found})},
    )
    known = {tuple(row) for row in rows}
    return [e for e in found if (e.account, e.type, e.id) not in known]


def _keep_versions(connection: Connection, found: Sequence[Described], seen_at: datetime) -> None:
    if not found:
        return
    columns = (*_KEY, "seen_at", *_TOLD)
    rows = [
        (e.account, e.type, e.id, seen_at, *(getattr(e, name) for name in _TOLD)) for e in found
    ]
    names, updates = ", ".join(columns), ", ".join(f"{n} = excluded.{n}" for n in _TOLD)
    with staged(connection, "intel_entity_version", columns=columns, rows=rows) as source:
        connection.exec_driver_sql(
            f"INSERT INTO intel_entity_version ({names}) SELECT {names} FROM {source.sql} "  # noqa: S608  # our names
            f"ON CONFLICT ({', '.join(_KEY)}, seen_at) DO UPDATE SET {updates}",
            source.params,
        )


def _touch(connection: Connection, same: Sequence[Described], seen_at: datetime) -> None:
    if same:
        connection.execute(
            _TOUCH,
            {
                "seen_at": seen_at,
                "accounts": [e.account for e in same],
                "types": [str(e.type) for e in same],
                "ids": [e.id for e in same],
            },
        )


_TOUCH = text(
    "UPDATE intel_entity e SET seen_at = :seen_at "
    "FROM unnest(CAST(:accounts AS text[]), CAST(:types AS text[]), CAST(:ids AS text[])) "
    "AS s (account, type, id) "
    "WHERE e.ad_account_id = s.account AND e.entity_type = s.type AND e.entity_id = s.id"
)


def _record(connection: Connection, changes: Sequence[_Change], seen_at: datetime) -> None:
    if not changes:
        return
    ours = _our_values(connection, changes)
    for change in changes:
        entity = change.entity
        row = insert(EntityRevision).values(
            ad_account_id=entity.account,
            entity_type=entity.type,
            entity_id=entity.id,
            seen_at=seen_at,
            changes={
                name: [_jsonable(v) for v in values] for name, values in change.fields.items()
            },
            changed_by="us" if _is_ours(change, ours) else "outside",
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[*_KEY, "seen_at"],
                set_={"changes": EntityRevision.changes.op("||")(row.excluded.changes)},
            )
        )


def _our_values(
    connection: Connection, changes: Sequence[_Change]
) -> dict[Identity, list[tuple[datetime, Mapping[str, Any]]]]:
    """Return what our own actions set on each entity of the account, with the moment."""
    rows = connection.execute(
        select(
            AutomationAction.entity_type,
            AutomationAction.entity_id,
            AutomationAction.executed_at,
            AutomationAction.updated_at,
            AutomationAction.value_after,
        ).where(
            AutomationAction.ad_account_id.in_({c.entity.account for c in changes}),
            AutomationAction.status.in_(_DONE),
            AutomationAction.updated_at >= min(c.since for c in changes),
        )
    )
    found: dict[Identity, list[tuple[datetime, Mapping[str, Any]]]] = {}
    for row in rows:
        at = row.executed_at or row.updated_at
        found.setdefault((row.entity_type, row.entity_id), []).append((at, row.value_after))
    return found


def _is_ours(
    change: _Change, ours: Mapping[Identity, Sequence[tuple[datetime, Mapping[str, Any]]]]
) -> bool:
    """Return whether actions of ours set every edited value.

    Without an edit, whether ours touched it or its parents.
    """
    entity = change.entity
    own = [value for at, value in ours.get((entity.type, entity.id), ()) if at >= change.since]
    edits = {name: new for name, (_, new) in change.fields.items() if name in _EDITS}
    if edits:
        return all(
            name in _OURS and any(value.get(_OURS[name]) == new for value in own)
            for name, new in edits.items()
        )
    above = ((EntityType.ADSET, entity.adset_id), (EntityType.CAMPAIGN, entity.campaign_id))
    return bool(own) or any(
        at >= change.since for kind, id_ in above if id_ for at, _ in ours.get((kind, id_), ())
    )


def _plain(entity: Described, seen_at: datetime) -> tuple[Any, ...]:
    values = (getattr(entity, name) for name in _FIELDS)
    return (entity.account, entity.type, entity.id, *values, seen_at)


def _described(row: EntityRow) -> Described:
    return Described(
        account=AdAccountId(row.ad_account_id),
        type=EntityType(row.entity_type),
        id=EntityId(row.entity_id),
        **{name: getattr(row, name) for name in _FIELDS},
    )


def _jsonable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
