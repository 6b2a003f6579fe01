"""What went on by itself, what was asked at random, what may be granted: as a person sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from intel_ml.core.actions import Arm
from intel_ml.core.recommendations import IMITATION
from intel_ml.data.store.sessions import platform_now
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.learning.cells import CellMode, grant

if TYPE_CHECKING:
    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser
ARCHETYPE = "High CPA Candidates for Pause"
TOLD = {"cell": "1", "archetype": ARCHETYPE, "arm": "pause", "confidence": 0.97, "threshold": 0.9}
SUMMER = "Summer Sale \N{EN DASH} Lookalike 2%"


def _verdicts(site: Site, archetype: str, *, arm: Arm, count: int) -> None:
    """Insert as many proposals that the policy foresaw and a person approved."""
    with site.store.session() as session:
        now = platform_now(session)
        rows = [
            {
                "ad_account_id": "act_101", "decision_id": f"{archetype[:4]}-{number}",
                "entity_type": "adset", "entity_id": f"9{number}",
                "as_of": now - timedelta(days=9) + timedelta(hours=number),
                "decided_at": now, "mode": "shadow", "state": {}, "features_hash": "x",
                "allowed": [], "proposed": arm, "policy_name": "campaign-policy",
                "policy_version": "7", "policy_arm": arm, "policy_pmf": {arm: 1.0},
                "policy_confidence": 0.9 + number / 2000, "proposal_pmf": {}, "propensity": 0.9,
                "archetype": archetype,
            }
            for number in range(count)
        ]  # fmt: skip
        session.execute(insert(Decision), rows)
        session.execute(
            insert(AutomationAction),
            [_decided(site, row, now - timedelta(days=8)) for row in rows],
        )


def _decided(site: Site, row: dict[str, Any], at: Any, **changes: Any) -> dict[str, Any]:
    before = {"daily_budget_minor": 5000, "status": "ACTIVE", "currency": "USD"}
    return {
        "ad_account_id": "act_101", "key": f"k{row['decision_id']}", "source": "rules",
        "decision_id": row["decision_id"], "rule_version": 1, "entity_type": "adset",
        "entity_id": row["entity_id"], "entity_name": "Cold Audience", "action_type": "pause",
        "action_params": {}, "value_before": before, "value_after": before | {"status": "PAUSED"},
        "status": "executed", "executed_at": at, "requires_approval": True,
        "approved_by": site.people["anna"].id, "approved_at": at, "human_decision": "approved",
        "reason": "It costs too much.", "reasons": [], "triggered_metrics": {}, "stake_minor": 100,
        "data_as_of": at, "expires_at": at, "created_at": at, "updated_at": at,
    } | changes  # fmt: skip


def test_the_dashboard_tells_what_runs_what_could_and_what_is_missing(
    site: Site, visit: Callable[..., Any]
) -> None:
    _verdicts(site, ARCHETYPE, arm=Arm.PAUSE, count=130)
    _verdicts(site, "Star Performers", arm=Arm.SCALE_20, count=37)
    _verdicts(site, "Rising", arm=Arm.SCALE_10, count=110)
    with site.store.session() as session:
        granted = grant(
            session, "act_101", archetype=ARCHETYPE, arm=Arm.PAUSE, by="ops", reason="proven",
            now=platform_now(session), floor=0.85, require_days=7,
        )  # fmt: skip
    assert granted.mode is CellMode.AUTOMATIC
    page = visit("anna", "/dashboard?account=act_101")
    panel = page.locator("#alone")
    assert "of the 277 proposals judged in 30 days" in panel.text_content()
    rows = {row.split("\n")[0]: row for row in panel.locator("tbody tr").all_inner_texts()}
    told = {name.split("\t")[0].strip(): row for name, row in rows.items()}
    assert "runs by itself" in told[ARCHETYPE]
    assert "0 of 0" in told[ARCHETYPE]
    assert "intel-ml autonomy revoke act_101 pause" in told[ARCHETYPE]
    assert "63 more verdicts before it can be proven." in told["Star Performers"]
    assert "intel-ml autonomy grant act_101 scale_10 --archetype Rising" in told["Rising"]
    assert page.strangers == []


def test_on_a_phone_the_table_stays_within_the_page(site: Site, visit: Callable[..., Any]) -> None:
    _verdicts(site, ARCHETYPE, arm=Arm.PAUSE, count=110)
    page = visit("anna", "/dashboard?account=act_101", width=390)
    page.wait_for_selector("#alone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('#alone').scrollWidth") <= 390


def test_where_nothing_was_judged_the_dashboard_says_what_would_prove_it(
    site: Site, visit: Callable[..., Any]
) -> None:
    assert site.people
    page = visit("anna", "/dashboard?account=act_101")
    assert "nobody has judged a proposal that the policy agreed with" in page.text_content("#alone")


def test_a_spot_check_says_why_a_person_is_asked(site: Site, visit: Callable[..., Any]) -> None:
    with site.store.session() as session:
        row = session.get_one(AutomationAction, ("act_101", site.action(SUMMER).id))
        row.autonomy = TOLD | {"way": "audit"}
    page = visit("anna")
    said = page.text_content(".card .alone")
    assert "Spot check" in said
    assert "Asked at random, although this could have gone on by itself" in said
    assert f"surer than 90% in {ARCHETYPE}" in said


def test_history_tells_what_went_on_by_itself_and_offers_the_way_back(
    site: Site, visit: Callable[..., Any]
) -> None:
    with site.store.session() as session:
        now = platform_now(session)
        made = {"decision_id": "d", "entity_id": "77"}
        changes = {
            "requires_approval": False, "approved_by": None, "human_decision": None,
            "autonomy": TOLD | {"way": "automatic"},
        }  # fmt: skip
        session.execute(insert(AutomationAction), [_decided(site, made, now, **changes)])
    page = visit("anna", "/history?account=act_101")
    row = page.locator("table.past tbody tr").first
    assert "nobody was asked" in row.text_content()
    assert f"Went on by itself: surer than 90% in {ARCHETYPE}." in row.text_content()
    assert row.locator('[data-send="undo"]').count() == 1


def test_the_card_of_an_imitation_says_that_it_is_what_people_would_do(
    site: Site, visit: Callable[..., Any]
) -> None:
    with site.store.session() as session:
        now = platform_now(session)
        row = session.get_one(AutomationAction, ("act_101", site.action(SUMMER).id))
        row.decision_id = "spoken"
        session.add(
            Decision(
                ad_account_id="act_101", decision_id="spoken", entity_type="adset",
                entity_id=row.entity_id, as_of=now, decided_at=now, mode="shadow", state={},
                features_hash="x", allowed=[], proposed="pause", policy_name=IMITATION,
                policy_version="2", policy_arm="pause", policy_confidence=0.8,
                policy_pmf={"pause": 0.8, "maintain": 0.2}, proposal_pmf={}, propensity=0.9,
            )
        )  # fmt: skip
    page = visit("anna")
    facts = page.text_content(".card .facts")
    assert "What people would do" in facts
    assert "people here would also pause it (80% sure)" in facts
    assert "not what that earns" in facts
    assert "How likely people are to want each" in facts
