"""An account with a log of verdicts: proposals a policy agreed with, and what a person said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from intel_ml.core.actions import ARMS
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AdAccount, AutomationAction, Decision

ACCOUNT = "act_77"
MODEL = "campaign-policy 7"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def an_account(store: Store, *, days: int = 90) -> None:
    """Take an account on so many days ago."""
    with store.session() as session:
        session.add(
            AdAccount(
                ad_account_id=ACCOUNT,
                name="Shop",
                currency="EUR",
                currency_offset=100,
                time_zone="Europe/Berlin",
                mode="live",
                onboarded_at=NOW - timedelta(days=days),
            )
        )


def judged(  # noqa: PLR0913  # a row is what it is
    store: Store,
    said: Sequence[tuple[float, str | None]],
    *,
    arm: str = "pause",
    archetype: str = "Winners",
    version: str = "7",
    first: int = 0,
    policy_arm: str | None = None,
    challenger: str | None = None,
    wants: str | None = None,
    **more: Any,
) -> list[int]:
    """Log one answered proposal for each (sureness, verdict); return the actions' ids.

    A `challenger` of that version was as sure, and `wants` the same arm unless told otherwise.
    """
    made = []
    with store.session() as session:
        for number, (sure, verdict) in enumerate(said, start=first):
            key, at = f"{archetype}-{arm}-{version}-{number}", NOW - timedelta(hours=2000 - number)
            row = _decision(key, at, sure, archetype, arm, version, policy_arm)
            if challenger is not None:
                row.challenger = {
                    "name": "campaign-policy",
                    "version": challenger,
                    "arm": wants or arm,
                    "confidence": sure,
                    "pmf": {},
                }
            session.add(row)
            action = _action(key, at, verdict, sure)
            for name, value in more.items():
                setattr(action, name, value)
            session.add(action)
            session.flush()
            made.append(action.id)
    return made


def _decision(  # noqa: PLR0913, PLR0917  # a row is what it is
    key: str,
    at: datetime,
    sure: float,
    archetype: str,
    arm: str,
    version: str,
    policy_arm: str | None,
) -> Decision:
    return Decision(
        ad_account_id=ACCOUNT,
        decision_id=key,
        entity_type="adset",
        entity_id=key,
        as_of=at,
        decided_at=at,
        mode="live",
        state={},
        features_hash="h",
        allowed=[True] * len(ARMS),
        policy_name="campaign-policy",
        policy_version=version,
        policy_arm=policy_arm or arm,
        policy_confidence=sure,
        archetype=archetype or None,
        shown="policy",
        proposed=arm,
        proposal_pmf={arm: 1.0},
        propensity=1.0,
    )


def _action(key: str, at: datetime, verdict: str | None, sure: float) -> AutomationAction:
    is_open = verdict is None
    return AutomationAction(
        ad_account_id=ACCOUNT,
        key=key,
        decision_id=key,
        source="policy",
        entity_type="adset",
        entity_id=key,
        entity_name=key,
        action_type="pause",
        action_params={},
        value_before={"currency": "EUR", "status": "ACTIVE", "daily_budget_minor": 1000},
        value_after={"currency": "EUR", "status": "PAUSED", "daily_budget_minor": 1000},
        status="pending_approval" if is_open else "expired",
        human_decision=verdict,
        model_confidence=sure,
        reason="why",
        reasons=[],
        triggered_metrics={},
        stake_minor=1,
        data_as_of=at,
        expires_at=NOW + timedelta(days=1),
        created_at=at,
        updated_at=at,
    )
