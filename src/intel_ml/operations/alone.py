"""Which changes go on without a person: where the cell earned it, and chance does not ask.

    P(a person is asked all the same) = audit share, drawn by the decision's id

Reads   what was judged, the account's cells, the limits.
Gives   `Alone`: the cell, the sureness it asks for, and whether this one goes on or is an audit.
Never   lets anything go on that was drawn at random, in an account's first days, without a policy
        that agrees and is surer than the floor, or by a model that did not earn it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm
from intel_ml.core.recommendations import Source
from intel_ml.judgement.rules.language import ExecutionMode
from intel_ml.learning.cells import NO_ARCHETYPE, Cell
from intel_ml.operations.drawing import chance
from intel_ml.operations.judging import Judged
from intel_ml.operations.limits import Limits

_DIGITS = 6


class Way(StrEnum):
    """How a change that may go on by itself goes on."""

    AUTOMATIC = "automatic"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose changes are in question, when, and how far the policy may go with them."""

    account: Account
    now: datetime
    limits: Limits
    cells: Mapping[tuple[str, Arm], Cell]


@dataclass(frozen=True, slots=True)
class Alone:
    """A change that may go on by itself, and the probability that a person is asked anyway."""

    cell: Cell
    way: Way
    confidence: float
    audit_share: float

    def as_json(self) -> dict[str, Any]:
        """Return what is kept with the action."""
        return {
            "cell": self.cell.id,
            "archetype": self.cell.archetype,
            "arm": self.cell.arm,
            "way": self.way,
            "confidence": round(self.confidence, _DIGITS),
            "threshold": self.cell.threshold,
            "audit_share": self.audit_share,
        }


def standing_alone(
    judged: Judged, terms: Terms, *, source: Source, model: str | None, key: str
) -> Alone | None:
    """Return on what the change stands without a person; None where one is to be asked."""
    limits, view = terms.limits, judged.policy
    if not limits.acts_alone or not _is_wanted(judged, source):
        return None
    if terms.now < terms.account.onboarded_at + timedelta(days=limits.require_approval_days):
        return None
    if view is None or view.confidence is None or model is None:
        return None
    if judged.policy_arm is not judged.arm or view.confidence < limits.min_confidence_for_auto:
        return None
    cell = terms.cells.get((judged.archetype or NO_ARCHETYPE, judged.arm))
    if cell is None or not cell.lets_pass(confidence=view.confidence, model=model):
        return None
    is_audit = chance(key, "audit") < limits.audit_share
    way = Way.AUDIT if is_audit else Way.AUTOMATIC
    return Alone(cell, way, view.confidence, limits.audit_share)


def model_of(judged: Judged) -> str | None:
    """Return the name and version of the policy that gave its view."""
    model = None if judged.policy is None else judged.policy.model
    return None if model is None else f"{model.name} {model.version}"


def _is_wanted(judged: Judged, source: Source) -> bool:
    """Return whether whoever proposes it may go on: a rule only where its owner said so."""
    if source is Source.POLICY:
        return True
    rule = judged.rule
    if source is not Source.RULES or rule is None:
        return False
    return rule.execution_mode is ExecutionMode.AUTOMATIC
