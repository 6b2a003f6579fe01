"""Rules, every decision, the actions that came of it, and the journal of each action."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKeyConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.core.actions import ARMS, ActionStatus, ActionType
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Mode, Source, Verdict
from intel_ml.data.store.tables.base import Account, Base, Big, Key, Moment, Serial, one_of

CATEGORIES = (
    "loss_prevention",
    "scaling",
    "learning_protection",
    "time_based",
    "budget_reallocation",
    "fatigue_detection",
)
EXECUTION_MODES = ("approval_required", "automatic", "suggestion_only")


class AutomationRule(Base):
    """A rule of an account; an edit raises `version`, decisions keep the number they had."""

    __tablename__ = "intel_automation_rule"
    __table_args__ = (
        one_of("category", CATEGORIES),
        one_of("action_type", list(ActionType)),
        one_of("execution_mode", EXECUTION_MODES),
        one_of("applies_to", list(EntityType)),
        Index(
            "uq_intel_automation_rule_live_name",
            "ad_account_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(32))
    conditions: Mapped[dict[str, Any]]
    action_type: Mapped[str] = mapped_column(String(32))
    action_params: Mapped[dict[str, Any]]
    execution_mode: Mapped[str] = mapped_column(String(32))
    applies_to: Mapped[str] = mapped_column(String(16))
    is_active: Mapped[bool] = mapped_column(default=True)
    priority: Mapped[int] = mapped_column(default=0)
    times_triggered: Mapped[Big] = mapped_column(default=0)
    times_executed: Mapped[Big] = mapped_column(default=0)
    last_triggered_at: Mapped[Moment | None]
    user_id: Mapped[Big | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[Moment | None]


class Decision(Base):
    """What rules and policy each said about one entity, and what was proposed.

    `policy_pmf`, `proposal_pmf`: {arm: probability}. `propensity` is the probability of `proposed`
    under the proposal distribution, hold-out and exploration included. `challenger` is what the
    model that is compared with the champion would have done; nobody is shown it.
    """

    __tablename__ = "intel_decision"
    __table_args__ = (
        one_of("entity_type", list(EntityType)),
        one_of("mode", list(Mode)),
        one_of("proposed", list(ARMS)),
        one_of("trigger", ["cycle", "request"]),
        CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity_is_probability"),
        Index(None, "ad_account_id", "as_of"),
        Index(None, "ad_account_id", "entity_id", "as_of"),
        Index(
            "ix_intel_decision_held_out",
            "ad_account_id",
            "as_of",
            postgresql_where=text("is_held_out"),
        ),
        Index(
            "ix_intel_decision_challenged",
            "ad_account_id",
            "as_of",
            postgresql_where=text("challenger ->> 'arm' <> 'maintain'"),
        ),
    )

    ad_account_id: Mapped[Account]
    decision_id: Mapped[Key]
    entity_type: Mapped[str] = mapped_column(String(16))
    entity_id: Mapped[str] = mapped_column(String(64))
    as_of: Mapped[Moment]
    decided_at: Mapped[Moment]
    trigger: Mapped[str] = mapped_column(String(8), default="cycle")
    mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[dict[str, Any]]
    features_hash: Mapped[str] = mapped_column(String(16))
    allowed: Mapped[list[Any]]
    rule_id: Mapped[Big | None]
    rule_version: Mapped[int | None]
    rule_action: Mapped[dict[str, Any] | None]
    rule_reasons: Mapped[list[Any] | None]
    policy_name: Mapped[str | None] = mapped_column(String(120))
    policy_version: Mapped[str | None] = mapped_column(String(32))
    policy_pmf: Mapped[dict[str, Any] | None]
    policy_arm: Mapped[str | None] = mapped_column(String(16))
    policy_confidence: Mapped[float | None] = mapped_column(Float)
    policy_reasons: Mapped[list[Any] | None]
    archetype: Mapped[str | None] = mapped_column(String(120))
    shown: Mapped[str | None] = mapped_column(String(16))
    proposed: Mapped[str] = mapped_column(String(16))
    proposal_pmf: Mapped[dict[str, Any]]
    propensity: Mapped[float] = mapped_column(Float)
    is_held_out: Mapped[bool] = mapped_column(default=False)
    is_explored: Mapped[bool] = mapped_column(default=False)
    challenger: Mapped[dict[str, Any] | None]


class AutomationAction(Base):
    """One proposed change; a trigger keeps its status to `core.actions.TRANSITIONS`.

    `autonomy` is set where the change had earned to go on without a person: the cell, whether it
    did or a person was asked at random all the same (an audit), and how likely that was.
    """

    __tablename__ = "intel_automation_action"
    __table_args__ = (
        one_of("entity_type", list(EntityType)),
        one_of("action_type", list(ActionType)),
        one_of("status", list(ActionStatus)),
        one_of("human_decision", list(Verdict)),
        one_of("source", list(Source)),
        CheckConstraint(
            "status NOT IN ('approved', 'executing', 'executed') "
            "OR approved_by IS NOT NULL OR NOT requires_approval",
            name="nothing_acts_unapproved",
        ),
        Index(
            "uq_intel_automation_action_one_open",
            "ad_account_id",
            "entity_type",
            "entity_id",
            unique=True,
            postgresql_where=text(
                "status IN ('pending_approval', 'approved', 'executing', 'needs_review')"
            ),
        ),
        Index(None, "ad_account_id", "status", "created_at"),
        Index(None, "ad_account_id", "entity_id", "created_at"),
        Index(None, "status", "expires_at"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    decision_id: Mapped[str | None] = mapped_column(String(64))
    undoes_id: Mapped[Big | None]
    rule_id: Mapped[Big | None]
    rule_version: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(16))
    entity_type: Mapped[str] = mapped_column(String(16))
    entity_id: Mapped[str] = mapped_column(String(64))
    entity_name: Mapped[str]
    action_type: Mapped[str] = mapped_column(String(32))
    action_params: Mapped[dict[str, Any]]
    value_before: Mapped[dict[str, Any]]
    value_after: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(24), default=ActionStatus.PENDING_APPROVAL)
    status_reason: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[Any]]
    triggered_metrics: Mapped[dict[str, Any]]
    stake_minor: Mapped[Big]
    data_as_of: Mapped[Moment]
    requires_approval: Mapped[bool] = mapped_column(default=True)
    autonomy: Mapped[dict[str, Any] | None]
    approved_by: Mapped[Big | None]
    approved_at: Mapped[Moment | None]
    rejection_reason: Mapped[str | None] = mapped_column(Text)
    model_recommendation: Mapped[str | None] = mapped_column(String(16))
    model_confidence: Mapped[float | None] = mapped_column(Float)
    model_version: Mapped[str | None] = mapped_column(String(64))
    features_used: Mapped[list[Any] | None]
    feature_values: Mapped[dict[str, Any] | None]
    human_decision: Mapped[str | None] = mapped_column(String(16))
    human_modified_action: Mapped[dict[str, Any] | None]
    human_feedback_reason: Mapped[str | None] = mapped_column(Text)
    executed_at: Mapped[Moment | None]
    execution_result: Mapped[dict[str, Any] | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    outcome_measured_at: Mapped[Moment | None]
    outcome_metrics: Mapped[dict[str, Any] | None]
    outcome_score: Mapped[float | None] = mapped_column(Float)
    expires_at: Mapped[Moment]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class ActionEvent(Base):
    """The append-only journal: every transition, every request to Meta and its answer."""

    __tablename__ = "intel_action_event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["ad_account_id", "action_id"],
            ["intel_automation_action.ad_account_id", "intel_automation_action.id"],
        ),
        one_of("kind", ["transition", "intent", "request", "answer", "guard", "read_back", "note"]),
        Index(None, "ad_account_id", "action_id"),
        Index(None, "ad_account_id", "kind", "at"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    action_id: Mapped[Big]
    at: Mapped[Moment]
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(120))
    detail: Mapped[dict[str, Any]]
