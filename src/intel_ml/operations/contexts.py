"""What a question about an entity needs of its account, read once and kept while it holds.

One statement tells whether anything changed: the account, its rules and cells, its structure, its
actions, the last look and the kept states, each by a number that no change leaves as it was. What
only time changes (how long something is held out) is read again after `PLACES_VALID`.

Reads   the account, its rules and cells, where its entities stand, the states of those asked about.
Gives   an `AccountContext`, the one before where nothing changed.
Never   keeps a state after somebody has looked at the account again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm
from intel_ml.core.ids import Entity
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.sessions import Store
from intel_ml.features.states import States
from intel_ml.judgement.rules import Rule
from intel_ml.learning.cells import Cell, cells
from intel_ml.learning.states import current_states, saved_states
from intel_ml.operations import rulebook
from intel_ml.operations.drawing import Draw
from intel_ml.operations.judging import Judged, Judges
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing, standings

PLACES_VALID = timedelta(seconds=10)
#: A policy may look at the moment too: what it said is asked for again after so long.
CONCLUDED_VALID = timedelta(minutes=1)

# A row's xmin and place are new whenever it is written: their sum changes with any of them.
_VERSIONS = text(
    """
    SELECT intel_now() AS now,
        concat_ws('|',
            (SELECT xmin::text || ctid FROM intel_ad_account WHERE ad_account_id = :account),
            (SELECT concat(count(*), ':', sum(hashtext(xmin::text || ctid)))
             FROM intel_automation_rule WHERE ad_account_id = :account),
            (SELECT max(id) FROM intel_policy_cell WHERE ad_account_id = :account)) AS rules,
        concat_ws('|',
            (SELECT concat(count(*), ':', sum(hashtext(xmin::text || ctid)))
             FROM intel_entity WHERE ad_account_id = :account),
            (SELECT concat(count(*), ':', sum(hashtext(xmin::text || ctid)))
             FROM intel_automation_action WHERE ad_account_id = :account AND (
                status IN ('pending_approval', 'approved', 'executing', 'needs_review')
                OR executed_at > intel_now() - CAST(:cooldown AS interval)
                OR updated_at > intel_now() - CAST(:rejected AS interval)))) AS places,
        concat_ws('|',
            (SELECT max(as_of) FROM intel_collection_run
             WHERE ad_account_id = :account AND status <> 'failed'),
            (SELECT concat(count(*), ':', max(as_of), ':', min(features_hash))
             FROM intel_entity_state WHERE ad_account_id = :account)) AS states
    """
)


@dataclass(frozen=True, slots=True)
class Versions:
    """By what one notices that something changed."""

    rules: str
    places: str
    states: str


@dataclass(frozen=True, slots=True)
class Concluded:
    """What was judged of an entity, when and by whom; `text` is what of it is logged each time."""

    at: datetime
    judges: Judges
    judged: Judged
    draw: Draw
    unknown: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class AccountContext:
    """An account as questions about it find it.

    `states`, of one row each, are those of the entities asked about so far; `concluded` is what
    questions about these very facts came to, kept here so that it is forgotten with them.
    """

    account: Account
    rules: tuple[Rule, ...]
    cells: Mapping[tuple[str, Arm], Cell]
    places: Mapping[Entity, Standing]
    states: Mapping[Entity, States]
    versions: Versions
    read_at: datetime
    placed_at: datetime
    concluded: dict[Entity, Concluded] = field(default_factory=dict, compare=False)


def read_context(
    store: Store,
    account_id: str,
    *,
    limits: Limits,
    entities: Collection[Entity] = (),
    before: AccountContext | None = None,
) -> AccountContext:
    """Return the account's context with the states of `entities`, reading what has changed."""
    with store.session() as session:
        now, versions = _versions(session, account_id, limits)
        is_same_account = before is not None and before.versions.rules == versions.rules
        if before is not None and is_same_account:
            account, rules, modes = before.account, before.rules, before.cells
        else:
            account = stored_account(session, account_id)
            rules = tuple(rulebook.rules(session, account_id))
            modes = cells(session, account_id)
        is_same_place = (
            before is not None
            and before.versions.places == versions.places
            and timedelta() <= now - before.placed_at < PLACES_VALID
        )
        if before is not None and is_same_place:
            places, placed_at = before.places, before.placed_at
        else:
            places, placed_at = standings(session, account, now=now, limits=limits), now
            if before is not None and places == before.places:
                places = before.places
    context = AccountContext(account, rules, modes, places, {}, versions, now, placed_at)
    if before is not None and before.versions.states == versions.states:
        is_same = is_same_account and places is before.places
        kept = before.concluded if is_same else {}
        context = replace(context, states=before.states, concluded=kept)
        entities = [one for one in entities if one not in context.states]
    elif before is not None:
        entities = {*entities, *before.states}
    return with_states(store, context, [one for one in entities if one in places])


def with_states(
    store: Store, context: AccountContext, entities: Collection[Entity]
) -> AccountContext:
    """Return the context with these entities' states beside those it has.

    Kept by the last cycle; where one is missing or somebody has looked since, computed anew.
    """
    if not entities:
        return context
    account, now = context.account, context.read_at
    with store.connection() as connection:
        states = saved_states(connection, account, entities=list(entities), as_of=now)
    if states is None:
        states = current_states(store, account, now=now)
    rows = {entity: row for row, entity in enumerate(states.entities)}
    found = {
        entity: states.take([rows[entity]]).read()
        if entity in rows
        else States(entities=(entity,), moments=(now,), columns={})
        for entity in entities
    }
    return replace(context, states={**context.states, **found})


def _versions(session: Session, account_id: str, limits: Limits) -> tuple[datetime, Versions]:
    row = session.execute(
        _VERSIONS,
        {"account": account_id, "cooldown": limits.cooldown, "rejected": limits.approval_valid},
    ).one()
    return row.now, Versions(rules=row.rules, places=row.places, states=row.states)
