from __future__ import annotations

from datetime import timedelta

import pytest

from intel_ml.core.errors import NotFoundError
from intel_ml.data.store.tables import AccountScore, LearnedPattern
from intel_ml.operations.decisions import decide
from intel_ml.operations.limits import Limits
from intel_ml.reporting.dashboard import dashboard
from intel_ml.reporting.scoring import refresh
from tests.operations.conftest import CUT, Desk


def test_a_new_account_says_what_is_not_known_yet(desk: Desk) -> None:
    with desk.store.session() as session:
        page = dashboard(session, person=desk.ana, account_id="act_1", now=desk.now())
    assert (page.score, page.last_cycle, page.pending, page.recent) == (None, None, 0, ())
    assert page.savings.amount is None
    assert page.savings.note.startswith("Not enough evidence yet: 0 pauses or cuts")
    assert len(page.week) == 7
    assert all(point.spend is None for point in page.month)


def test_a_young_score_is_compared_with_its_oldest(desk: Desk) -> None:
    now = desk.now()
    with desk.store.session() as session:
        for days, overall in ((3, 70), (1, 75), (0, 78)):
            session.add(
                AccountScore(
                    ad_account_id="act_1",
                    calculated_at=now - timedelta(days=days),
                    overall_score=overall,
                    score_breakdown={},
                    recommendations=[],
                )
            )
        session.flush()
        score = dashboard(session, person=desk.ana, account_id="act_1", now=now).score
    assert score is not None
    assert (score.change, score.since) == (8, now - timedelta(days=3))


def test_a_running_account_on_one_page(wasting: Desk) -> None:
    now = wasting.now()
    decide(wasting.store, wasting.account, now=now, limits=Limits(holdout_share=0.0))
    refresh(wasting.store, wasting.account, now=now)
    with wasting.store.session() as session:
        first = session.get_one(AccountScore, ("act_1", now))
        earlier = AccountScore(
            ad_account_id="act_1",
            calculated_at=now - timedelta(days=8),
            overall_score=(first.overall_score or 0) - 5,
            score_breakdown={},
            recommendations=[],
        )
        session.add(earlier)
        session.add(
            LearnedPattern(
                ad_account_id="act_1",
                pattern_type="time_performance",
                pattern_data={"best_hours": [10, 11, 12, 13, 19, 20]},
                confidence_score=0.87,
                sample_size=300,
                valid_from=now,
                valid_until=now + timedelta(days=7),
                created_at=now,
            )
        )
    wasting.propose("20", CUT)
    wasting.drain()
    with wasting.store.session() as session:
        page = dashboard(session, person=wasting.ana, account_id="act_1", now=wasting.now())
    assert page.score is not None
    assert page.score.change == 5
    assert set(page.score.parts) == {
        "learning_health",
        "performance",
        "budget_efficiency",
        "creative_health",
    }
    assert (page.pending, page.active_rules) == (3, 5)
    assert page.last_cycle is not None
    assert page.last_cycle.says == "14 entities were checked."
    assert page.patterns[0].says == "Best hours: 10 am to 2 pm, 7 pm to 9 pm."
    assert [card.headline for card in page.recent] == ["Cut the budget of ad set Ad set 20 by 20%"]
    assert page.week[-1].spend == 480.0
    assert page.week[-1].roas == pytest.approx(9 * 6000 / 48000)


def test_another_s_account_has_no_page(desk: Desk) -> None:
    with pytest.raises(NotFoundError), desk.store.session() as session:
        dashboard(session, person=desk.stranger, account_id="act_1", now=desk.now())
