"""How often the policy would have done what people did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intel_ml.core.actions import ActionStatus
from intel_ml.core.recommendations import IMITATION
from intel_ml.data.store.tables import Decision
from intel_ml.reporting.agreement import agreed
from intel_ml.reporting.queue import card, pending_cards
from tests.operations.conftest import CUT, Desk

WAITS = ActionStatus.PENDING_APPROVAL


def judged(  # noqa: PLR0913  # what was proposed, what the policy had said, what the person said
    desk: Desk,
    number: int,
    *,
    says: str,
    said: str | None,
    model: str = "campaign-policy",
    source: str = "rules",
    **changes: object,
) -> int:
    """Insert a decided proposal to cut by a fifth, of which the policy had said `says`."""
    now = desk.now()
    with desk.store.session() as session:
        session.add(
            Decision(
                ad_account_id="act_1", decision_id=f"d{number}", entity_type="adset",
                entity_id="11", as_of=now - timedelta(hours=100 - number), decided_at=now,
                mode="shadow", state={}, features_hash="x", allowed=[], proposed="reduce_20",
                policy_name=model, policy_version="3", policy_arm=says, policy_confidence=0.91,
                policy_pmf={says: 1.0}, proposal_pmf={}, propensity=0.9, archetype="Dear",
            )
        )  # fmt: skip
    asked = {"status": ActionStatus.EXECUTED} | changes
    return desk.propose(
        "11", CUT, decision_id=f"d{number}", human_decision=said, source=source,
        rule_id=7, rule_version=1, executed_at=now, **asked,
    )  # fmt: skip


def test_doing_what_people_did_counts_and_nothing_else(desk: Desk) -> None:
    judged(desk, 1, says="reduce_20", said="approved")
    judged(desk, 2, says="maintain", said="rejected")
    judged(desk, 3, says="reduce_20", said="rejected")
    judged(desk, 4, says="pause", said="approved")
    judged(desk, 5, says="pause", said="approved", source="exploration")
    judged(desk, 6, says="pause", said=None)
    with desk.store.session() as session:
        found = agreed(session, "act_1", now=desk.now())
        later = agreed(session, "act_1", now=desk.now() + timedelta(days=60))
    assert found is not None
    assert (found.found.n, found.found.rate) == (4, 0.5)
    assert found.text.startswith("The policy would have done what people did with 50% of the 4")
    assert later is None


def test_of_several_models_the_one_that_spoke_last_is_meant(desk: Desk) -> None:
    judged(desk, 1, says="pause", said="approved")
    judged(desk, 2, says="reduce_20", said="approved", model=IMITATION)
    with desk.store.session() as session:
        found = agreed(session, "act_1", now=desk.now())
    assert found is not None
    assert (found.model, found.found.n, found.found.rate) == (IMITATION, 1, 1.0)
    assert found.text.startswith("An imitation of people would have done")


def test_the_card_of_an_imitation_says_what_people_would_do_and_not_what_it_earns(
    desk: Desk,
) -> None:
    judged(desk, 1, says="reduce_20", said=None, model=IMITATION, status=WAITS)
    with desk.store.session() as session:
        (found,) = pending_cards(session, person=desk.ana, now=desk.now())
    assert found.imitates
    assert found.policy_says == (
        "Going by earlier verdicts, people here would also cut its budget by 20% (91% sure)."
    )
    assert found.expected == (
        "Not enough evidence to say. The model only says what people would do, not what that earns."
    )


def test_the_card_of_a_policy_says_nothing_of_people(desk: Desk) -> None:
    judged(desk, 1, says="reduce_20", said=None, status=WAITS)
    with desk.store.session() as session:
        (found,) = pending_cards(session, person=desk.ana, now=desk.now())
    assert not found.imitates
    assert found.expected == "Not enough evidence to say."
    assert "sure that this is best" in found.policy_says


TOLD = {"cell": 1, "archetype": "Dear", "arm": "reduce_20", "threshold": 0.88, "confidence": 0.91}


@pytest.mark.parametrize(
    ("way", "asks", "says"),
    [
        (
            "audit",
            True,
            "Asked at random, although this could have gone on by itself: surer than 88% in Dear.",
        ),
        ("automatic", False, "Went on by itself: surer than 88% in Dear."),
        (
            "automatic",
            True,
            "This would have gone on by itself: surer than 88% in Dear. "
            "A limit asked for a person instead.",
        ),
    ],
)
def test_a_card_says_who_was_asked_and_why(desk: Desk, way: str, says: str, *, asks: bool) -> None:
    changes = {"approved_by": None} if not asks else {}
    action = judged(
        desk, 1, says="reduce_20", said=None, autonomy=TOLD | {"way": way},
        requires_approval=asks, **changes,
    )  # fmt: skip
    with desk.store.session() as session:
        found = card(session, person=desk.ana, account_id="act_1", action_id=action, now=desk.now())
    assert (found.alone, found.was_alone) == (says, not asks)
