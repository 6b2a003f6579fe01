"""Training rows, the audited life of models, learned patterns, account scores."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Float, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.core.actions import ARMS
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Verdict
from intel_ml.data.store.tables.base import Account, Base, Big, Moment, Serial, one_of

PATTERN_TYPES = (
    "time_performance",
    "audience_decay",
    "creative_fatigue",
    "budget_sweet_spot",
    "conversion_lag",
    "seasonal",
)
CELL_MODES = ("shadow", "live", "automatic")
MODEL_STATUSES = ("training", "testing", "shadow", "active", "deprecated")


class TrainingRow(Base):
    """One decision with what was done and, 24 to 72 hours later, what came of it.

    `p_executed` is the probability that `executed` was executed, people's part in it included.
    Rewards are null until measured.
    """

    __tablename__ = "intel_ml_training_data"
    __table_args__ = (
        UniqueConstraint("ad_account_id", "decision_id", "horizon_hours"),
        one_of("entity_type", list(EntityType)),
        one_of("proposed", list(ARMS)),
        one_of("executed", list(ARMS)),
        one_of("verdict", list(Verdict)),
        one_of("action_source", ["human", "rule", "model"]),
        CheckConstraint("p_executed > 0 AND p_executed <= 1", name="p_executed_is_probability"),
        CheckConstraint("horizon_hours IN (24, 48, 72)", name="horizon_known"),
        Index(None, "ad_account_id", "state_captured_at"),
        Index(None, "ad_account_id", "outcome_measured"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    decision_id: Mapped[str] = mapped_column(String(64))
    horizon_hours: Mapped[int] = mapped_column(Integer)
    entity_type: Mapped[str] = mapped_column(String(16))
    entity_id: Mapped[str] = mapped_column(String(64))
    state_vector: Mapped[dict[str, Any]]
    features_hash: Mapped[str] = mapped_column(String(16))
    rule_id: Mapped[Big | None]
    archetype: Mapped[str | None] = mapped_column(String(120))
    pmf: Mapped[dict[str, Any]]
    proposed: Mapped[str] = mapped_column(String(16))
    is_held_out: Mapped[bool] = mapped_column(default=False)
    verdict: Mapped[str | None] = mapped_column(String(16))
    verdict_reason: Mapped[str | None] = mapped_column(Text)
    executed: Mapped[str] = mapped_column(String(16))
    action_params: Mapped[dict[str, Any] | None]
    action_source: Mapped[str] = mapped_column(String(8))
    p_executed: Mapped[float] = mapped_column(Float)
    outcome_measured: Mapped[bool] = mapped_column(default=False)
    reward_before_after: Mapped[float | None] = mapped_column(Float)
    reward_against_holdout: Mapped[float | None] = mapped_column(Float)
    outcome_details: Mapped[dict[str, Any] | None]
    state_captured_at: Mapped[Moment]
    action_taken_at: Mapped[Moment | None]
    outcome_measured_at: Mapped[Moment | None]
    used_for_training: Mapped[bool] = mapped_column(default=False)
    training_batch_id: Mapped[str | None] = mapped_column(String(64))


class ModelVersion(Base):
    """The audited life of a registered model version, one row an event, newest last."""

    __tablename__ = "intel_model_version"
    __table_args__ = (
        one_of("model_type", ["rules", "statistical", "kmeans", "reinforcement"]),
        one_of("status", MODEL_STATUSES),
        Index(None, "name", "version"),
    )

    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(32))
    model_type: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    status_reason: Mapped[str | None] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(String(120))
    at: Mapped[Moment]
    run_id: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str | None] = mapped_column(String(64))
    features_hash: Mapped[str | None] = mapped_column(String(16))
    training_data_count: Mapped[int | None]
    training_data_range: Mapped[dict[str, Any] | None]
    evaluation: Mapped[dict[str, Any] | None]
    model_config: Mapped[dict[str, Any] | None]


class PolicyCell(Base):
    """How far the policy may go with one arm in one archetype of an account; newest row counts.

    Rows are added, never changed: who let it go how far, when, on which evidence.
    """

    __tablename__ = "intel_policy_cell"
    __table_args__ = (
        one_of("arm", list(ARMS)),
        one_of("mode", CELL_MODES),
        CheckConstraint("mode <> 'automatic' OR evidence IS NOT NULL", name="autonomy_is_earned"),
        Index(None, "ad_account_id", "archetype", "arm", "id"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    archetype: Mapped[str] = mapped_column(String(120))
    arm: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))
    since: Mapped[Moment]
    set_by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any] | None]


class LearnedPattern(Base):
    """A regularity of an account with its evidence, replaced when it is learned again."""

    __tablename__ = "intel_learned_pattern"
    __table_args__ = (
        one_of("pattern_type", PATTERN_TYPES),
        CheckConstraint(
            "confidence_score >= 0 AND confidence_score <= 1", name="confidence_is_share"
        ),
        Index(None, "ad_account_id", "pattern_type", "is_active"),
    )

    ad_account_id: Mapped[Account]
    id: Mapped[Serial]
    pattern_type: Mapped[str] = mapped_column(String(32))
    pattern_data: Mapped[dict[str, Any]]
    confidence_score: Mapped[float] = mapped_column(Float)
    sample_size: Mapped[int]
    valid_from: Mapped[Moment]
    valid_until: Mapped[Moment]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class AccountScore(Base):
    """The account's score and its parts, 0 to 100; null where nothing could be judged."""

    __tablename__ = "intel_account_score"

    ad_account_id: Mapped[Account]
    calculated_at: Mapped[Moment] = mapped_column(primary_key=True)
    overall_score: Mapped[int | None]
    learning_health_score: Mapped[int | None]
    performance_score: Mapped[int | None]
    budget_efficiency_score: Mapped[int | None]
    creative_health_score: Mapped[int | None]
    score_breakdown: Mapped[dict[str, Any]]
    recommendations: Mapped[list[Any]]
