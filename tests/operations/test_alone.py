"""What goes on without a person, and what is asked about all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from intel_ml.core.actions import ActionStatus
from intel_ml.core.ids import Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode, Source
from intel_ml.data.store.tables import (
    ActionEvent,
    AutomationAction,
    AutomationRule,
    Decision,
    PolicyCell,
)
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing
from intel_ml.intelligence.policy.protocol import Choices
from intel_ml.operations.answers import Asking, recommend
from intel_ml.operations.decisions import decide
from intel_ml.operations.limits import Limits
from intel_ml.reporting.queue import pending_cards
from tests.operations.conftest import Desk, desk, graph
from tests.operations.test_decisions import wasting
from tests.surfaces.test_feature_matrix import Sure, automatic

__all__ = ["desk", "graph", "wasting"]

ALONE = Limits(holdout_share=0.0, require_approval_days=5, acts_alone=True, audit_share=0.0)


def _decided(desk: Desk, limits: Limits = ALONE, **more: Any) -> list[AutomationAction]:
    given = {"policy": Sure(0.95), "mode": Mode.SHADOW} | more
    decide(desk.store, desk.account, now=desk.now(), limits=limits, **given)
    with desk.store.session() as session:
        return list(session.scalars(select(AutomationAction).order_by(AutomationAction.id)))


def _set(desk: Desk, mode: str, **evidence: Any) -> None:
    proof = {"model": "campaign-policy 7", "threshold": 0.7, "risk": 0.05, "delta": 0.1}
    with desk.store.session() as session:
        session.add(
            PolicyCell(
                ad_account_id=desk.account.id,
                archetype="",
                arm="pause",
                mode=mode,
                since=desk.now(),
                set_by="ana",
                reason="because",
                evidence=proof | evidence,
            )
        )


def test_what_earned_it_goes_on_and_the_journal_says_on_what(wasting: Desk) -> None:
    automatic(wasting)
    rows = _decided(wasting)
    assert {row.status for row in rows} == {ActionStatus.APPROVED}
    assert not any(row.requires_approval for row in rows)
    with wasting.store.session() as session:
        told = session.scalars(select(ActionEvent).where(ActionEvent.action_id == rows[0].id)).one()
    assert told.detail["autonomy"] == rows[0].autonomy
    assert rows[0].autonomy is not None
    assert rows[0].autonomy | {"cell": 0} == {
        "cell": 0,
        "archetype": "",
        "arm": "pause",
        "way": "automatic",
        "confidence": 0.95,
        "threshold": 0.7,
        "audit_share": 0.0,
    }


def test_an_audit_waits_for_a_person_and_says_how_likely_that_was(wasting: Desk) -> None:
    automatic(wasting)
    rows = _decided(wasting, replace(ALONE, audit_share=1.0))
    assert {row.status for row in rows} == {ActionStatus.PENDING_APPROVAL}
    assert {(row.autonomy or {}).get("way") for row in rows} == {"audit"}
    assert {(row.autonomy or {}).get("audit_share") for row in rows} == {1.0}


@pytest.mark.parametrize(
    ("limits", "evidence"),
    [
        (replace(ALONE, acts_alone=False), {}),
        (replace(ALONE, require_approval_days=30), {}),
        (replace(ALONE, min_confidence_for_auto=0.96), {}),
        (ALONE, {"threshold": 0.95}),
        (ALONE, {"model": "campaign-policy 6"}),
    ],
    ids=["switched off", "young account", "under the floor", "at the threshold", "other version"],
)
def test_each_condition_alone_keeps_a_person_in(
    wasting: Desk, limits: Limits, evidence: dict[str, Any]
) -> None:
    automatic(wasting)
    _set(wasting, "automatic", **evidence)
    assert {row.status for row in _decided(wasting, limits)} == {ActionStatus.PENDING_APPROVAL}


def test_a_rule_whose_owner_wants_to_be_asked_asks(wasting: Desk) -> None:
    _set(wasting, "automatic")
    assert {row.status for row in _decided(wasting)} == {ActionStatus.PENDING_APPROVAL}


def test_a_cell_taken_back_before_its_turn_asks_after_all(wasting: Desk) -> None:
    automatic(wasting)
    rows = _decided(wasting)
    _set(wasting, "live")
    wasting.drain(ALONE)
    after = [wasting.action(row.id) for row in rows]
    assert {row.status for row in after} == {ActionStatus.PENDING_APPROVAL}
    assert all("by themselves" in (row.status_reason or "") for row in after)
    assert wasting.graph.writes == []


def test_where_the_account_is_live_a_cell_in_shadow_leaves_it_to_the_rules(wasting: Desk) -> None:
    # The policy would pause everything; only three ad sets break a rule.
    _set(wasting, "shadow")
    rows = _decided(wasting, mode=Mode.LIVE)
    assert {(row.entity_id, row.source) for row in rows} == {
        (key, Source.RULES) for key in ("11", "12", "13")
    }
    with wasting.store.session() as session:
        logged = list(session.scalars(select(Decision)))
    assert {row.policy_arm for row in logged} == {"pause"}
    for row in logged:
        assert row.proposal_pmf[row.proposed] == pytest.approx(1)


def test_where_account_and_cell_are_live_the_policy_is_shown_and_may_go_on(wasting: Desk) -> None:
    _set(wasting, "automatic")
    rows = _decided(wasting, mode=Mode.LIVE)
    assert len(rows) > 3
    assert {(row.source, row.status) for row in rows} == {(Source.POLICY, ActionStatus.APPROVED)}


class Wavering:
    """A policy in use that is sure to leave things alone best, and mostly draws a pause."""

    name, version = "campaign-policy", "7"
    features: tuple[str, ...] = ()
    entity_types: tuple[str, ...] = ()

    @property
    def policy(self) -> Any:
        return self

    def choose(self, _: States, *, allowed: Any, keys: Sequence[str]) -> Choices:
        pmf = np.zeros(allowed.shape)
        pmf[:, :2] = 0.95, 0.05
        sure, greedy = np.full(len(pmf), 0.95), np.ones(len(pmf), dtype=np.intp)
        return drawing.choices(pmf, keys, greedy=greedy, confidence=sure)

    def explain(self, *_: Any) -> tuple[()]:
        return ()


def test_what_a_live_policy_only_draws_is_a_try_that_asks_a_person(wasting: Desk) -> None:
    _set(wasting, "automatic")
    with wasting.store.session() as session:
        for rule in session.scalars(select(AutomationRule)):
            rule.is_active = False
    limits = replace(ALONE, explorations_per_day=4, exploration_spend_share=1.0)
    rows = _decided(wasting, limits, mode=Mode.LIVE, policy=Wavering())
    assert len(rows) == 4
    assert {(row.source, row.status) for row in rows} == {
        (Source.EXPLORATION, ActionStatus.PENDING_APPROVAL)
    }
    with wasting.store.session() as session:
        logged = session.scalars(select(Decision)).all()
        told = pending_cards(session, person=wasting.ana, now=wasting.now())
    assert {row.policy_arm for row in logged} == {"maintain"}
    # Once the day's tries are used up, it is certain that things are left alone.
    assert {0.95, 1.0} <= {row.propensity for row in logged} <= {0.95, 0.05, 1.0}
    assert {card.agrees for card in told} == {False}
    assert {card.proposer for card in told} == {
        "Policy campaign-policy 7, by chance: it thinks another choice best"
    }


def test_who_asks_is_told_what_a_live_policy_thinks_best_never_a_draw(wasting: Desk) -> None:
    for key in ("14", "15", "16", "17", "18"):
        entity = Entity(wasting.account.id, EntityType.ADSET, EntityId(key))
        asking = Asking(wasting.now(), ALONE, policy=Wavering(), mode=Mode.LIVE)
        told = recommend(wasting.store, wasting.account, entity, asking)
        assert told.policy is not None
        assert told.policy.action.type == "do_nothing"
    with wasting.store.session() as session:
        assert set(session.scalars(select(Decision.propensity))) == {1.0}
