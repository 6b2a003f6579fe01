"""What an approver sees of one proposal.

Reads   nothing.
Gives   `Card` and `TrendPoint`; values before and after are `operations.values.Value`.
Never   asks the database: `queue` fills a card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from intel_ml.core.actions import ActionStatus, ActionType, Arm
from intel_ml.core.ids import AdAccountId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Reason, Source
from intel_ml.operations.values import Value


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One account day of one entity.

    What is not known is None. Money in major units, CTR in percent.
    """

    day: date
    spend: float | None
    conversions: float | None
    cpa: float | None
    ctr: float | None
    roas: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One proposal in the order in which it is read.

    What, why, how it went, what is expected, who says so.

    `expected`, `similar`, `proposer` and `says` are sentences ready to print; `says` tells what
    happens next, or what happened.
    `policy_*` is None where no model had a view; `agrees` compares the policy's arm with what is
    proposed. `alone` says that it went on by itself (`was_alone`) or could have, empty where it
    could not; `imitates`, that the model's view is what people would do; `is_try`, that chance
    proposes it, so that its effect is known; `may_undo`, that it was done and nothing we did since
    set the same thing otherwise.
    """

    account_id: AdAccountId
    account_name: str
    time_zone: str
    currency: str
    action_id: int
    entity_type: EntityType
    entity_id: str
    entity_name: str
    action_type: ActionType
    percent: int | None
    headline: str
    why: str
    reasons: tuple[Reason, ...]
    trend: tuple[TrendPoint, ...]
    expected: str
    proposer: str
    rule_id: int | None
    decision_id: str | None
    policy_arm: Arm | None
    policy_confidence: float | None
    policy_pmf: Mapping[Arm, float]
    policy_version: str | None
    policy_says: str
    agrees: bool | None
    similar: str
    stake: Money
    value_before: Value
    value_after: Value
    source: Source
    held_out: bool
    created_at: datetime
    expires_at: datetime
    status: ActionStatus
    says: str
    decided_by: str | None = None
    decided_at: datetime | None = None
    executed_at: datetime | None = None
    alone: str = ""
    was_alone: bool = False
    imitates: bool = False
    may_undo: bool = False

    @property
    def is_try(self) -> bool:
        """Whether chance proposes it."""
        return self.source is Source.EXPLORATION
