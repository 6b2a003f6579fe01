"""One card to look at, with every part filled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from intel_ml.core.actions import ARMS, ActionStatus, ActionType, Arm
from intel_ml.core.ids import AdAccountId, EntityType
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Reason, Source
from intel_ml.operations.values import Value
from intel_ml.reporting.cards import Card, TrendPoint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_TREND = tuple(
    TrendPoint(date(2026, 11, 9) + timedelta(days=n), 40.0 + n, float(n % 3), None, 1.2)
    if n % 3 == 0
    else TrendPoint(
        date(2026, 11, 9) + timedelta(days=n), 40.0 + n, float(n % 3), (40.0 + n) / (n % 3), 1.2
    )
    for n in range(14)
)
_CARD = Card(
    account_id=AdAccountId("act_101"),
    account_name="Shop",
    time_zone="America/New_York",
    currency="USD",
    action_id=7,
    entity_type=EntityType.ADSET,
    entity_id="120010000001",
    entity_name="Summer Sale",
    action_type=ActionType.PAUSE,
    percent=None,
    headline="Pause ad set Summer Sale",
    why="68.50 USD per purchase against a target of 20 for 24 h, 3 purchases",
    reasons=(
        Reason("over target", field="cpa", observed=68.5, operator=">", threshold=40.0, unit="USD"),
    ),
    trend=_TREND,
    expected="Not enough evidence to say.",
    proposer="Rule CPA Exceeds 2x Target v3",
    rule_id=1,
    decision_id="d1",
    policy_arm=Arm.PAUSE,
    policy_confidence=0.62,
    policy_pmf={arm: 0.62 if arm is Arm.PAUSE else 0.076 for arm in ARMS},
    policy_version="campaign-policy 7",
    policy_says="The policy would also pause it (62% sure).",
    agrees=True,
    similar="3 similar approved in 30 days, 1 rejected.",
    stake=Money(200_00, "USD"),
    value_before=Value("USD", 40_00, "ACTIVE"),
    value_after=Value("USD", 40_00, "PAUSED"),
    source=Source.RULES,
    held_out=False,
    created_at=NOW - timedelta(hours=1),
    expires_at=NOW + timedelta(hours=3),
    status=ActionStatus.PENDING_APPROVAL,
    says="Waits for an answer; 3 hours left.",
)


@pytest.fixture
def card() -> Card:
    return _CARD


@pytest.fixture
def now() -> datetime:
    return NOW
