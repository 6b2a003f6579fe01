"""A proposal over HTTP, with every fact that its card on the page has.

Reads   a `Card`, by its own names: what is added to a card is added here by naming it once.
Gives   `CardOut`.
Never   words anything itself: the sentences are those of the page.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from intel_ml.core.actions import ActionStatus, ActionType, Arm
from intel_ml.core.ids import EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Source
from intel_ml.operations.values import Value
from intel_ml.reporting.cards import Card
from intel_ml.surfaces.api.schemas import MoneyOut, ReasonOut


def _money(amount: object) -> object:
    return MoneyOut.of(amount) if isinstance(amount, Money) else amount


def _settings(value: object) -> object:
    return value.as_json() if isinstance(value, Value) else value


Settings = Annotated[dict[str, Any], BeforeValidator(_settings)]


class CardOut(BaseModel):
    """A proposal in the words of the approvals page."""

    account_id: str
    action_id: int
    entity_type: EntityType
    entity_id: str
    entity_name: str
    action_type: ActionType
    percent: int | None
    headline: str
    why: str
    reasons: list[ReasonOut]
    expected: str
    proposer: str
    source: Source
    is_try: bool = Field(description="Chance proposes it, so that its effect is known.")
    rule_id: int | None
    decision_id: str | None
    policy: str = Field(
        validation_alias="policy_says", description="What the policy makes of it, in words."
    )
    policy_arm: Arm | None = Field(description="What the policy thinks best.")
    policy_confidence: float | None
    policy_pmf: dict[Arm, float]
    policy_version: str | None
    agrees: bool | None
    imitates: bool = Field(description="The policy's view is what people would do.")
    similar: str
    stake: Annotated[MoneyOut, BeforeValidator(_money)]
    value_before: Settings
    value_after: Settings
    held_out: bool
    status: ActionStatus
    says: str = Field(description="What happens next, or what happened.")
    may_undo: bool = Field(description="It was done, and we set nothing else since.")
    alone: str = Field(description="That it went on by itself or could have; empty: it could not.")
    was_alone: bool = Field(description="Nobody was asked.")
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime
    expires_at: datetime
    executed_at: datetime | None


def card_out(card: Card) -> CardOut:
    """Return a card ready for JSON."""
    return CardOut.model_validate(card, from_attributes=True)
