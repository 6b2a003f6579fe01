from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from intel_ml.core.actions import ARMS, ActionStatus, Arm
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.ids import Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode, Source
from intel_ml.data.store.tables import (
    AutomationAction,
    Decision,
    EntityRow,
    EntityState,
    EntityVersion,
    Notification,
    PerformanceDaily,
)
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.operations import rulebook
from intel_ml.operations.answers import Asking, recommend, recommend_many
from intel_ml.operations.decisions import CycleReport, decide
from intel_ml.operations.limits import Limits
from tests.operations.conftest import Desk

QUIET = Limits(holdout_share=0.0)


class Loaded:
    """A policy as the registry hands it in."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.name, self.version = policy, "campaign-policy", "7"


@pytest.fixture
def wasting(desk: Desk) -> Desk:
    """Ad sets 11 to 13 spend without a purchase, the others sell at target; all run for a month."""
    now = desk.now()
    with desk.store.session() as session:
        rulebook.install_defaults(session, desk.account, now=now)
        for row in session.scalars(select(EntityRow)):
            row.created_at = now - timedelta(days=30)
        for version in session.scalars(select(EntityVersion)):
            version.learning_stage = "SUCCESS" if version.entity_type == "adset" else None
        for number in range(11, 23):
            for back in range(14):
                bought = 0.0 if number < 14 else 2.0
                session.add(_day(desk, str(number), now, back, bought))
    return desk


def _day(desk: Desk, key: str, now: datetime, back: int, bought: float) -> PerformanceDaily:
    return PerformanceDaily(
        ad_account_id=desk.account.id,
        entity_type="adset",
        entity_id=key,
        day=(now - timedelta(days=back)).date(),
        seen_at=now - timedelta(minutes=5),
        impressions=2000,
        reach=1500,
        clicks=30,
        link_clicks=20,
        spend_minor=4000,
        conversions=bought,
        conversion_value_minor=int(bought * 3000),
    )


_MANY = 40


def _decide(desk: Desk, limits: Limits = QUIET, **more: object) -> CycleReport:
    return decide(desk.store, desk.account, now=desk.now(), limits=limits, **more)  # type: ignore[arg-type]


def _actions(desk: Desk) -> list[AutomationAction]:
    with desk.store.session() as session:
        return list(session.scalars(select(AutomationAction).order_by(AutomationAction.entity_id)))


def test_a_cycle_proposes_what_the_rules_found_with_numbers(wasting: Desk) -> None:
    report = _decide(wasting)
    assert (report.proposals, report.held_out, report.explored) == (3, 0, 0)
    rows = _actions(wasting)
    assert [row.entity_id for row in rows] == ["11", "12", "13"]
    first = rows[0]
    assert (first.action_type, first.status, first.source) == (
        "pause",
        ActionStatus.PENDING_APPROVAL,
        Source.RULES,
    )
    assert first.reason.startswith("Spent 120.00 USD with no purchase")
    assert first.stake_minor == 4000
    assert first.value_after["status"] == "PAUSED"
    assert wasting.count(Notification) == 2


def test_the_same_moment_twice_changes_nothing(wasting: Desk) -> None:
    now = wasting.now()
    first, second = (
        decide(wasting.store, wasting.account, now=now, limits=QUIET) for _ in range(2)
    )
    assert first.decisions == 14
    assert (second.decisions, second.proposals) == (0, 0)
    assert len(_actions(wasting)) == 3


def test_an_open_proposal_and_a_rejected_one_are_not_proposed_again(wasting: Desk) -> None:
    _decide(wasting)
    assert _decide(wasting).proposals == 0
    with wasting.store.session() as session:
        for row in session.scalars(select(AutomationAction)):
            row.status, row.updated_at = ActionStatus.REJECTED, wasting.now()
    assert _decide(wasting).proposals == 0


def test_every_decision_is_logged_with_a_distribution(wasting: Desk) -> None:
    limits = Limits(holdout_share=0.3, exploration_share=0.4)
    _decide(wasting, limits, policy=Loaded(make_policy("uniform")))
    with wasting.store.session() as session:
        rows = list(session.scalars(select(Decision)))
        states = session.scalars(select(EntityState)).all()
    assert len(rows) >= 12
    assert len(states) >= len(rows)
    for row in rows:
        assert sum(row.proposal_pmf.values()) == pytest.approx(1, abs=1e-5)
        assert row.propensity == pytest.approx(row.proposal_pmf[row.proposed], abs=1e-5)
        assert row.policy_pmf is not None
        assert row.policy_name == "campaign-policy"
        assert sum(row.policy_pmf.values()) == pytest.approx(1, abs=1e-5)
        if row.is_held_out:
            assert row.proposed == Arm.MAINTAIN
    acting = {row.decision_id for row in rows if row.proposed != Arm.MAINTAIN}
    assert acting == {row.decision_id for row in _actions(wasting)}


def test_what_the_challenger_would_do_is_kept_and_shown_to_nobody(wasting: Desk) -> None:
    rival = Loaded(make_policy("uniform"))
    rival.version = "8"
    _decide(wasting, policy=Loaded(make_policy("uniform")), challenger=rival)
    with wasting.store.session() as session:
        rows = session.scalars(select(Decision).where(Decision.entity_type == "adset")).all()
        assert rows
        for row in rows:
            kept = row.challenger
            assert kept is not None
            assert (kept["name"], kept["version"]) == ("campaign-policy", "8")
            assert sum(kept["pmf"].values()) == pytest.approx(1.0)
            assert row.policy_version == "7"
    assert all(one.source != "challenger" for one in _actions(wasting))


def test_a_unit_that_was_held_out_stays_so_until_it_is_measured(wasting: Desk) -> None:
    assert _decide(wasting, Limits(holdout_share=0.4999)).checked > 0
    with wasting.store.session() as session:
        held = {row.entity_id for row in session.scalars(select(Decision)) if row.is_held_out}
    _decide(wasting)
    assert held.isdisjoint(row.entity_id for row in _actions(wasting))


def test_a_random_try_says_that_it_is_one(wasting: Desk) -> None:
    # Chance follows the moment: the first of many moments at which it tries something will do.
    tries: list[AutomationAction] = []
    for _ in range(_MANY):
        _decide(wasting, Limits(holdout_share=0.0, exploration_share=0.49, cooldown_hours=0))
        tries = [row for row in _actions(wasting) if row.source == Source.EXPLORATION]
        if tries:
            break
    assert tries
    assert all(row.reason.startswith("A small test by chance: it shows") for row in tries)
    assert all(row.rule_id is None and row.requires_approval for row in tries)


def test_a_cut_is_made_smaller_where_the_limit_asks_for_it_and_says_so(wasting: Desk) -> None:
    with wasting.store.session() as session:
        for row in session.scalars(
            select(PerformanceDaily).where(PerformanceDaily.entity_id == "14")
        ):
            row.spend_minor, row.conversions = 20000, 1.5
    _decide(wasting)
    cut = next(row for row in _actions(wasting) if row.entity_id == "14")
    assert cut.action_params == {"percentage": 30}
    assert cut.value_after["daily_budget_minor"] == 3500
    assert "asked for 50%" in str(cut.reasons)


def test_a_proposal_whose_rule_does_not_hold_any_more_is_closed(wasting: Desk) -> None:
    _decide(wasting)
    with wasting.store.session() as session:
        for row in session.scalars(
            select(PerformanceDaily).where(PerformanceDaily.entity_id == "11")
        ):
            row.conversions = 3.0
    _decide(wasting)
    assert [row.status for row in _actions(wasting)] == [
        "stale",
        "pending_approval",
        "pending_approval",
    ]


def test_what_was_approved_is_not_done_when_the_latest_data_speaks_against_it(
    wasting: Desk,
) -> None:
    _decide(wasting)
    first, second, _ = _actions(wasting)
    with wasting.store.session() as session:
        for row in session.scalars(select(AutomationAction)):
            row.approved_by, row.approved_at, row.status = wasting.ana.id, wasting.now(), "approved"
        state = session.get_one(EntityState, ("act_1", "adset", first.entity_id))
        state.state = {**state.state, "conversions": 4.0}
    wasting.drain()
    assert wasting.action(first.id).status == ActionStatus.STALE
    assert wasting.action(second.id).status == ActionStatus.EXECUTED
    assert ("12", {"status": "PAUSED"}) in wasting.graph.writes


def test_an_answer_is_logged_and_says_when_no_model_speaks(wasting: Desk) -> None:
    entity = Entity(wasting.account.id, EntityType.ADSET, EntityId("11"))
    told = recommend(wasting.store, wasting.account, entity, Asking(wasting.now(), QUIET))
    assert told.rules is not None
    assert told.rules.action.type == "pause"
    assert (told.shown, told.mode, told.policy, told.agreement) == (
        Source.RULES,
        Mode.SHADOW,
        None,
        None,
    )
    assert "No usable model" in told.warnings[0]
    with wasting.store.session() as session:
        logged = session.get_one(Decision, ("act_1", told.decision_id))
    assert logged.trigger == "request"
    assert not _actions(wasting)


def test_a_state_that_is_brought_is_judged_as_it_is(wasting: Desk) -> None:
    asking = Asking(wasting.now(), QUIET, policy=Loaded(make_policy("uniform")))
    state = {"spend": 68.5, "conversions": 0.0, "impressions": 4000.0}
    told, quiet = recommend_many(wasting.store, wasting.account, [state, {"spend": 1.0}], asking)
    assert told.rules is not None
    assert told.policy is not None
    assert np.isclose(sum(told.policy.pmf.values()), 1)
    assert list(told.policy.pmf) == list(ARMS)
    assert quiet.rules is None


@pytest.mark.parametrize(
    ("state", "refusal"),
    [({"spnd": 1.0}, UnknownNameError), ({"spend": "much"}, InvalidValueError)],
)
def test_a_wrong_state_is_refused_with_its_name(
    wasting: Desk, state: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal, match=r"spend"):
        recommend(wasting.store, wasting.account, state, Asking(wasting.now(), QUIET))  # type: ignore[arg-type]


def test_another_account_s_entity_does_not_exist(wasting: Desk) -> None:
    foreign = Entity(wasting.account.id, EntityType.ADSET, EntityId("404"))
    with pytest.raises(NotFoundError):
        recommend(wasting.store, wasting.account, foreign, Asking(wasting.now(), QUIET))
