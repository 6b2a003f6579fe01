"""Actions as the REST API takes and gives them.

Reads   nothing.
Gives   the bodies and answers of the plan's section 5.3.
Never   holds a float for an amount.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from intel_ml.core.actions import ActionStatus, ActionType
from intel_ml.core.ids import EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Source, Verdict
from intel_ml.reporting.savings import Savings
from intel_ml.surfaces.api.schemas import MoneyOut, Request, Text

LARGEST_PERCENT = 1_000


class ActionIn(Request):
    """A change, with a signed percentage where it has one."""

    type: Annotated[ActionType, Field(strict=False)]
    percent: Annotated[int, Field(gt=-100, le=LARGEST_PERCENT)] | None = None


class ApproveIn(Request):
    """An optional note to an approval."""

    note: Text | None = None


class RejectIn(Request):
    """Why not."""

    reason: Text


class ModifyIn(Request):
    """What to do instead, and why."""

    action: ActionIn
    reason: Text


class ActionOut(BaseModel):
    """One proposed change and where it is in its life."""

    id: int
    account_id: str
    entity_type: EntityType
    entity_id: str
    entity_name: str
    action_type: ActionType
    action_params: dict[str, Any]
    value_before: dict[str, Any]
    value_after: dict[str, Any]
    status: ActionStatus
    status_reason: str | None
    reason: str
    reasons: list[dict[str, Any]]
    triggered_metrics: dict[str, Any]
    source: Source
    rule_id: int | None
    rule_version: int | None
    decision_id: str | None
    undoes_id: int | None
    stake: MoneyOut
    requires_approval: bool
    approved_by: int | None
    approved_at: datetime | None
    rejection_reason: str | None
    human_decision: Verdict | None
    model_recommendation: str | None
    model_confidence: float | None
    model_version: str | None
    executed_at: datetime | None
    execution_result: dict[str, Any] | None
    error_message: str | None
    outcome_measured_at: datetime | None
    outcome_score: float | None
    expires_at: datetime
    created_at: datetime


class ActionDecided(ActionOut):
    """An action as somebody has just decided it, and what happens next."""

    says: str = Field(examples=["Approved. The change is made within seconds."])


class ActionList(BaseModel):
    """Actions, newest first."""

    actions: list[ActionOut]


class SavingsOut(BaseModel):
    """What pauses and cuts saved, against held-out units; null where evidence is too thin."""

    account_id: str
    amount: MoneyOut | None
    low: MoneyOut | None
    high: MoneyOut | None
    n: int
    note: str


def savings_out(account_id: str, found: Savings) -> SavingsOut:
    """Return savings ready for JSON."""

    def money(amount: Money | None) -> MoneyOut | None:
        return None if amount is None else MoneyOut.of(amount)

    return SavingsOut(
        account_id=account_id,
        amount=money(found.amount),
        low=money(found.low),
        high=money(found.high),
        n=found.n,
        note=found.note,
    )


class ActionStats(BaseModel):
    """How many actions were triggered in the period, and what became of them."""

    days: int
    triggered: int
    executed: int
    by_status: dict[str, int]
    savings: list[SavingsOut]
