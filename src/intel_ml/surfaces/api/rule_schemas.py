"""Rules as the REST API takes and gives them.

Reads   nothing.
Gives   the bodies and answers of the plan's section 5.2.
Never   judges a definition: the rule language does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from intel_ml.core.actions import ActionType
from intel_ml.core.ids import EntityType
from intel_ml.judgement.rules.language import Category, ExecutionMode
from intel_ml.surfaces.api.schemas import LONGEST_TEXT, Name, Request, Word


class RuleIn(Request):
    """A rule as the plan's section 8 writes it; the rule language checks its words."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account_id": "act_101",
                "name": "Zero Conversions Stop Loss",
                "category": "loss_prevention",
                "conditions": {
                    "operator": "AND",
                    "rules": [
                        {"field": "spend", "operator": ">", "value": 50},
                        {"field": "conversions", "operator": "=", "value": 0},
                    ],
                },
                "action_type": "pause",
                "execution_mode": "approval_required",
                "applies_to": "adset",
            }
        }
    )

    account_id: str
    name: Name
    description: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = None
    category: Word = Field(json_schema_extra={"enum": [str(one) for one in Category]})
    conditions: dict[str, Any]
    action_type: Word = Field(json_schema_extra={"enum": [str(one) for one in ActionType]})
    action_params: dict[str, Any] = Field(default_factory=dict)
    execution_mode: Word = Field(
        "approval_required", json_schema_extra={"enum": [str(one) for one in ExecutionMode]}
    )
    applies_to: Word = Field(json_schema_extra={"enum": [str(one) for one in EntityType]})
    is_active: bool = True
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    version: Annotated[int, Field(ge=1)] | None = Field(
        None, description="The version you edited: another one in store is answered with 409."
    )


class RuleOut(BaseModel):
    """A rule as stored."""

    id: int
    version: int
    account_id: str
    name: str
    description: str | None
    category: str
    conditions: dict[str, Any]
    action_type: ActionType
    action_params: dict[str, Any]
    execution_mode: str
    applies_to: EntityType
    is_active: bool
    priority: int
    times_triggered: int
    times_executed: int
    last_triggered_at: datetime | None
    created_at: datetime
    updated_at: datetime


class RuleTemplate(BaseModel):
    """A built-in rule with thresholds in the account's own currency and targets."""

    name: str
    description: str | None
    category: str
    conditions: dict[str, Any]
    action_type: ActionType
    action_params: dict[str, Any]
    execution_mode: str
    applies_to: EntityType
    priority: int


class RuleList(BaseModel):
    """The rules of the accounts you may see."""

    rules: list[RuleOut]


class TemplateList(BaseModel):
    """The built-in rules for one account."""

    account_id: str
    templates: list[RuleTemplate]


class Toggle(Request):
    """Whether a rule is to be active."""

    active: bool


class Deleted(BaseModel):
    """What was deleted; its past decisions and actions stay."""

    id: int
    deleted: bool = True
