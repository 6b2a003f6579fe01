"""What the guards look at: the change, the entity as it is now, and what was done before it.

Reads   the journal, the account, the latest data; the platform's view is handed in.
Gives   `Facts`, all of one moment.
Never   judges them: that is `guards`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from intel_ml.core.actions import Action, ActionStatus, ActionType
from intel_ml.core.days import account_day, day_start
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Source, Verdict
from intel_ml.data.store.tables import (
    AdAccount,
    AutomationAction,
    CollectionRun,
    EntityState,
)
from intel_ml.features.states import states_of
from intel_ml.judgement.rules import evaluate
from intel_ml.learning.cells import CellMode, cells
from intel_ml.operations import rulebook, switches
from intel_ml.operations.approvals import action_from
from intel_ml.operations.values import BUDGET_TYPES, Value, value_of

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """An entity as the platform has it at this moment."""

    value: Value
    effective_status: str
    has_lifetime_budget: bool = False
    learning: str | None = None
    campaign_id: str | None = None
    adset_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One approved action, as the executor reads it."""

    account_id: str
    action_id: int
    key: str
    entity_type: EntityType
    entity_id: str
    entity_name: str
    action: Action
    before: Value
    after: Value
    source: Source
    is_undo: bool
    was_modified: bool
    requires_approval: bool
    is_approved: bool
    expires_at: datetime
    rule_id: int | None
    confidence: float | None
    cell_id: int | None = None

    @property
    def touches_budget(self) -> bool:
        """Whether the change sets a budget."""
        return self.action.type in BUDGET_TYPES


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a guard may look at.

    What is not known is None, and then the guard that needs it denies.
    """

    now: datetime
    change: Change
    seen: Seen
    parent: Seen | None
    acting_allowed: bool
    others_in_last_hour: tuple[datetime, ...]
    budget_changes_in_last_hour: tuple[datetime, ...]
    last_executed_at: datetime | None
    start_of_day_minor: int | None
    latest_data_at: datetime | None
    onboarded_at: datetime
    rule_category: str | None
    rule_holds: bool | None
    cell_holds: bool = False


def change_of(row: AutomationAction) -> Change:
    """Return an action's row as a value."""
    return Change(
        account_id=row.ad_account_id,
        action_id=row.id,
        key=row.key,
        entity_type=EntityType(row.entity_type),
        entity_id=row.entity_id,
        entity_name=row.entity_name,
        action=action_from(row.action_type, row.action_params),
        before=value_of(row.value_before),
        after=value_of(row.value_after),
        source=Source(row.source),
        is_undo=row.undoes_id is not None,
        was_modified=row.human_decision == Verdict.MODIFIED,
        requires_approval=row.requires_approval,
        is_approved=row.approved_by is not None,
        expires_at=row.expires_at,
        rule_id=row.rule_id,
        confidence=row.model_confidence,
        cell_id=None if row.autonomy is None else int(row.autonomy["cell"]),
    )


def facts(
    session: Session, change: Change, *, seen: Seen, parent: Seen | None, now: datetime
) -> Facts:
    """Return what is known at `now`, inside the caller's transaction."""
    account = session.get_one(AdAccount, change.account_id)
    day_began = day_start(account_day(now, account.time_zone), account.time_zone)
    category, holds = _rule(session, change, now=now)
    return Facts(
        now=now,
        change=change,
        seen=seen,
        parent=parent,
        acting_allowed=switches.acting_allowed(session),
        others_in_last_hour=_intents(session, change, now=now, entity=None),
        budget_changes_in_last_hour=_intents(session, change, now=now, entity=change.entity_id),
        last_executed_at=_last_executed(session, change),
        start_of_day_minor=_start_of_day(session, change, since=day_began, seen=seen),
        latest_data_at=session.scalar(
            select(func.max(CollectionRun.as_of)).where(
                CollectionRun.ad_account_id == change.account_id,
                CollectionRun.status.in_(("done", "partial")),
                CollectionRun.as_of <= now,
            )
        ),
        onboarded_at=account.onboarded_at,
        rule_category=category,
        rule_holds=holds,
        cell_holds=change.cell_id is not None
        and any(
            cell.id == change.cell_id and cell.mode is CellMode.AUTOMATIC
            for cell in cells(session, change.account_id).values()
        ),
    )


_INTENTS = text(
    """
    SELECT max(event.at) AS at FROM intel_action_event AS event
    JOIN intel_automation_action AS action
        ON action.ad_account_id = event.ad_account_id AND action.id = event.action_id
    WHERE event.ad_account_id = :account AND event.kind = 'intent' AND event.at > :since
        AND event.action_id <> :id AND (CAST(:entity AS text) IS NULL OR (action.entity_type = :kind
        AND action.entity_id = :entity
        AND action.action_type IN ('increase_budget', 'decrease_budget')))
    GROUP BY event.action_id ORDER BY 1
    """
)


def _intents(
    session: Session, change: Change, *, now: datetime, entity: str | None
) -> tuple[datetime, ...]:
    """Return when other actions were begun in the last hour, each once, oldest first."""
    keys = {
        "account": change.account_id,
        "since": now - HOUR,
        "id": change.action_id,
        "kind": change.entity_type,
        "entity": entity,
    }
    return tuple(session.execute(_INTENTS, keys).scalars())


def _last_executed(session: Session, change: Change) -> datetime | None:
    return session.scalar(
        select(func.max(AutomationAction.executed_at)).where(
            AutomationAction.ad_account_id == change.account_id,
            AutomationAction.entity_type == change.entity_type,
            AutomationAction.entity_id == change.entity_id,
            AutomationAction.id != change.action_id,
        )
    )


def _start_of_day(session: Session, change: Change, *, since: datetime, seen: Seen) -> int | None:
    """Return the budget the account's day began with.

    Before the first change of it, ours or anybody's.
    """
    if not change.touches_budget:
        return None
    keys: Mapping[str, Any] = {
        "account": change.account_id,
        "kind": change.entity_type,
        "entity": change.entity_id,
        "since": since,
        "types": [ActionType.INCREASE_BUDGET, ActionType.DECREASE_BUDGET],
        "statuses": [ActionStatus.EXECUTED, ActionStatus.UNDONE],
    }
    first = session.execute(
        text(
            """
            SELECT minor FROM (
                SELECT executed_at AS at, (value_before ->> 'daily_budget_minor')::bigint AS minor
                FROM intel_automation_action
                WHERE ad_account_id = :account AND entity_type = :kind AND entity_id = :entity
                  AND executed_at >= :since AND action_type = ANY(:types)
                  AND status = ANY(:statuses)
                UNION ALL
                SELECT seen_at, (changes -> 'daily_budget_minor' ->> 0)::bigint
                FROM intel_entity_revision
                WHERE ad_account_id = :account AND entity_type = :kind AND entity_id = :entity
                  AND seen_at >= :since
                  AND jsonb_typeof(changes -> 'daily_budget_minor' -> 0) = 'number'
            ) AS changed ORDER BY at LIMIT 1
            """
        ),
        keys,
    ).scalar()
    return seen.value.daily_budget_minor if first is None else int(first)


def _rule(session: Session, change: Change, *, now: datetime) -> tuple[str | None, bool | None]:
    """Return the rule's category, and whether it still holds on the latest data.

    None where no rule speaks.
    """
    if change.rule_id is None:
        return None, None
    rule = rulebook.rule(session, change.account_id, change.rule_id)
    if rule is None:
        return None, False if change.source is Source.RULES else None
    if change.source is not Source.RULES:
        return rule.category, None
    row = session.get(EntityState, (change.account_id, change.entity_type, change.entity_id))
    if row is None or not rule.is_active:
        return rule.category, False
    entity = Entity(AdAccountId(change.account_id), change.entity_type, EntityId(change.entity_id))
    latest = states_of([row.state], entities=[entity], moments=[now])
    return rule.category, bool(evaluate([rule], latest).hits)
