"""What the dashboard says of an account, and that it does not say more than is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from intel_ml.core.recommendations import Role
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import (
    AccountScore,
    AutomationAction,
    Decision,
    LearnedPattern,
    PerformanceDaily,
)
from intel_ml.surfaces.ui.pages import Pages
from tests.surfaces.ui.scene import (
    EVIL,
    cookies_of,
    pages_of,
)


@pytest.fixture
def pages(store: Store) -> Pages:
    return pages_of(store)


def test_the_dashboard_opens_where_most_is_at_stake(pages: Pages, store: Store) -> None:
    with store.session() as session:
        admin = account_rows.person_named(session, "anna")
        assert admin is not None
        for account_id in ("act_1", "act_2"):
            account_rows.grant(
                session, user_id=admin[0].id, account_id=account_id, role=Role.OPERATOR
            )
        session.scalars(
            select(AutomationAction).where(AutomationAction.ad_account_id == "act_2")
        ).one().stake_minor = 10_000_000
    html = pages.first("/dashboard", {}, cookies_of(store, "anna"))
    assert 'value="act_2" selected' in html
    assert "Waiting in all accounts" in html


def test_the_dashboard_shows_what_is_known_and_says_what_is_not(pages: Pages, store: Store) -> None:
    anna = cookies_of(store, "anna")
    bare = pages.answer({"page": "dashboard"}, anna)["body"]
    for words in ("Nothing to judge by yet", "No delivery was seen", "No kinds (archetypes) yet"):
        assert words in bare
    with store.session() as session:
        _add_results(session)
    full = pages.answer({"page": "dashboard", "days": "30"}, anna)["body"]
    for words in ("78", "↑ +5 points", "Cost per result, USD", "10 am", "87%", "High CPA"):
        assert words in full
    assert "<script" not in full


def _add_results(session: Any) -> None:
    now = platform_now(session)
    for days, score in ((8, 73), (0, 78)):
        session.add(
            AccountScore(
                ad_account_id="act_1",
                calculated_at=now - timedelta(days=days),
                overall_score=score,
                score_breakdown={},
                recommendations=[
                    {"priority": "high", "action": "pause", "entity": "adset:1", "reason": EVIL}
                ],
            )
        )
    session.add(
        LearnedPattern(
            ad_account_id="act_1",
            pattern_type="time_performance",
            pattern_data={"best_hours": [10, 11]},
            confidence_score=0.87,
            sample_size=40,
            valid_from=now,
            valid_until=now + timedelta(days=3),
            created_at=now,
        )
    )
    for days in range(30):
        session.add(
            PerformanceDaily(
                ad_account_id="act_1",
                entity_type="campaign",
                entity_id="7",
                day=(now - timedelta(days=days)).date(),
                seen_at=now,
                spend_minor=4000,
                conversions=2.0,
                conversion_value_minor=9000,
                source="api",
            )
        )
    session.add(
        Decision(
            ad_account_id="act_1",
            decision_id="d1",
            entity_type="adset",
            entity_id="120",
            as_of=now,
            decided_at=now,
            mode="shadow",
            state={},
            features_hash="0" * 16,
            allowed=[True] * 6,
            archetype="High CPA Candidates for Pause",
            proposed="maintain",
            proposal_pmf={"maintain": 1.0},
            propensity=1.0,
        )
    )
