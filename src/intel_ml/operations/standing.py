"""What is known of an entity that decides what may be done with it.

How it is set, and what was done lately.

Reads   the account's structure, open and recent actions, recent hold-outs.
Gives   a `Standing` an entity, and what speaks against an action on it.
Never   looks at performance: that is the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ARM_PERCENT, ARMS, Action, ActionType, Arm, action_of
from intel_ml.core.ids import Entity, EntityId, EntityType
from intel_ml.features.states import Value as Observed
from intel_ml.operations import values
from intel_ml.operations.guards import DELIVERING, LEARNING, LOSS_PREVENTION
from intel_ml.operations.limits import Limits
from intel_ml.operations.values import Value

_LEARNING_DAYS = 7
_SETTINGS_KEPT = 65_536


@dataclass(frozen=True, slots=True)
class Standing:
    """One entity: its name, how it is set, and why it is to be left alone, if it is."""

    entity: Entity
    name: str
    value: Value
    effective_status: str
    is_budget_set_above: bool
    busy: str | None

    @property
    def delivers(self) -> bool:
        """Whether the entity is active, its parents included."""
        return self.effective_status in DELIVERING


_STANDINGS = text(
    """
    SELECT entity.entity_type, entity.entity_id, entity.name, entity.configured_status,
        entity.effective_status, entity.daily_budget_minor,
        entity.entity_type = 'adset'
            AND (campaign.daily_budget_minor > 0 OR campaign.lifetime_budget_minor > 0) AS above,
        busy.why
    FROM intel_entity AS entity
    LEFT JOIN intel_entity AS campaign ON campaign.ad_account_id = entity.ad_account_id
        AND campaign.entity_type = 'campaign' AND campaign.entity_id = entity.campaign_id
    LEFT JOIN (
        SELECT entity_type, entity_id, min(why) AS why FROM (
            SELECT entity_type, entity_id, CASE
                WHEN status = 'rejected' THEN 'a proposal was rejected lately'
                WHEN status IN ('executed', 'undone') THEN 'it was changed lately'
                ELSE 'a proposal is open' END AS why
            FROM intel_automation_action
            WHERE ad_account_id = :account AND (
                status IN ('pending_approval', 'approved', 'executing', 'needs_review')
                OR status IN ('executed', 'undone') AND executed_at > :cooled
                OR status = 'rejected' AND updated_at > :rejected)
            UNION ALL
            SELECT entity_type, entity_id, 'it is left alone to compare with'
            FROM intel_decision
            WHERE ad_account_id = :account AND as_of > :held AND as_of < :now AND is_held_out
        ) AS reasons GROUP BY entity_type, entity_id
    ) AS busy ON busy.entity_type = entity.entity_type AND busy.entity_id = entity.entity_id
    WHERE entity.ad_account_id = :account
        AND (CAST(:only AS text) IS NULL OR entity.entity_id = :only)
    """
)


def standings(
    session: Session, account: Account, *, now: datetime, limits: Limits, only: Entity | None = None
) -> dict[Entity, Standing]:
    """Return where every entity of the account stands, or just one of them."""
    rows = session.execute(
        _STANDINGS,
        {
            "account": account.id,
            "now": now,
            "cooled": now - limits.cooldown,
            "rejected": now - limits.approval_valid,
            "held": now - limits.held_out,
            "only": only.id if only else None,
        },
    )
    found = {}
    for kind, entity_id, name, status, effective, budget, above, why in rows:
        entity = Entity(account.id, EntityType(kind), EntityId(entity_id))
        found[entity] = Standing(
            entity=entity,
            name=name,
            value=Value(account.currency, budget or None, status),
            effective_status=effective,
            is_budget_set_above=bool(above),
            busy=why,
        )
    return found


def allowed_arms(
    standing: Standing, state: Mapping[str, Observed], *, limits: Limits
) -> NDArray[np.bool_]:
    """Return which arms may be chosen, in the order of `ARMS`; maintaining always may."""
    setting = _Setting(standing.delivers, standing.is_budget_set_above, standing.value)
    return np.array(
        _allowed(
            setting, limits.max_budget_change_percent, is_learning=_is_learning(standing, state)
        )
    )


@dataclass(frozen=True, slots=True)
class _Setting:
    """What of a standing decides which arms may be chosen: many entities are set alike."""

    delivers: bool
    is_budget_set_above: bool
    value: Value


@lru_cache(maxsize=_SETTINGS_KEPT)
def _allowed(setting: _Setting, most_percent: int, *, is_learning: bool) -> tuple[bool, ...]:
    return tuple(
        arm is Arm.MAINTAIN
        or (
            abs(ARM_PERCENT[arm] or 0) <= most_percent
            and _against(action_of(arm), setting, is_learning=is_learning) is None
        )
        for arm in ARMS
    )


def objection(
    action: Action, standing: Standing, state: Mapping[str, Observed], *, category: str | None
) -> str | None:
    """Return what speaks against the action on this entity, None when nothing does."""
    setting = _Setting(standing.delivers, standing.is_budget_set_above, standing.value)
    is_learning = category != LOSS_PREVENTION and _is_learning(standing, state)
    return _against(action, setting, is_learning=is_learning)


def _against(  # noqa: PLR0911  # one line for each objection
    action: Action, standing: _Setting, *, is_learning: bool
) -> str | None:
    if not standing.delivers:
        return "it is not active"
    if action.type is ActionType.PAUSE:
        return None
    if action.type not in values.BUDGET_TYPES:
        return f"'{action.type}' is for people to do"
    if standing.is_budget_set_above:
        return "its campaign sets the budget"
    if standing.value.daily_budget is None:
        return "it has no daily budget of its own"
    wanted = values.after(standing.value, action)
    if (wanted.daily_budget_minor or 0) < values.budget_floor(standing.value.currency).minor:
        return "the budget would fall under the floor of its currency"
    if values.touches_same(wanted, standing.value, action.type):
        return "the change is smaller than the smallest unit of its currency"
    if is_learning:
        return "it is learning"
    return None


def _is_learning(standing: Standing, state: Mapping[str, Observed]) -> bool:
    """Return whether an ad set is learning.

    Where Meta does not say, a young one counts as learning.
    """
    if standing.entity.type is not EntityType.ADSET:
        return False
    phase = state.get("learning_phase")
    if phase is not None:
        return phase == LEARNING
    days = state.get("days_active")
    return not isinstance(days, float | int) or days < _LEARNING_DAYS
