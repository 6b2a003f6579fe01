"""A judgement and the reasons it carries.

Reads   nothing.
Gives   `Reason`, `Recommendation`, and the words around them: `Mode`, `Source`, `Role`, `Verdict`.
Never   exists without a reason: silence is None, not an empty recommendation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from intel_ml.core.actions import Action, Arm
from intel_ml.core.ids import Entity


class Mode(StrEnum):
    """Whose recommendation is shown: the rules' (shadow) or the policy's (live)."""

    SHADOW = "shadow"
    LIVE = "live"


class Source(StrEnum):
    """Who a recommendation comes from."""

    RULES = "rules"
    POLICY = "policy"
    HUMAN = "human"
    EXPLORATION = "exploration"


class Verdict(StrEnum):
    """What a person said to a proposal."""

    APPROVED = "approved"
    REJECTED = "rejected"
    MODIFIED = "modified"


class Role(StrEnum):
    """What a person may do with an account; each includes the one before."""

    VIEWER = "viewer"
    APPROVER = "approver"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a sentence, and the number observed beside the threshold or the weight it had."""

    text: str
    field: str | None = None
    observed: float | str | None = None
    operator: str | None = None
    threshold: float | str | None = None
    unit: str | None = None
    contribution: float | None = None


@dataclass(frozen=True, slots=True)
class RuleRef:
    """Which rule, in which version."""

    id: int
    version: int
    name: str


#: Registered under this name, a model says what people would do, never what that earns.
IMITATION = "campaign-imitation"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which registered model, in which version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What one source would do with one entity, and why."""

    entity: Entity
    action: Action
    source: Source
    reasons: tuple[Reason, ...]
    rule: RuleRef | None = None
    model: ModelRef | None = None
    confidence: float | None = None
    pmf: Mapping[Arm, float] = field(default_factory=dict)
    archetype: str | None = None
