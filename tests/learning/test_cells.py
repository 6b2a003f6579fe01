from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from intel_ml.core.accounts import Person
from intel_ml.core.actions import Arm
from intel_ml.core.errors import ConflictError
from intel_ml.core.ids import AdAccountId
from intel_ml.core.recommendations import Role
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AutomationAction
from intel_ml.learning.cells import (
    Cell,
    CellMode,
    cells,
    evidence,
    grant,
    history,
    reconsider,
    set_mode,
)
from intel_ml.operations.approvals import approve, reject
from intel_ml.operations.undo import undo
from tests.learning.verdicts import ACCOUNT, MODEL, NOW, an_account, judged

AGREED: list[tuple[float, str | None]] = [(0.9 + n / 10_000, "approved") for n in range(200)]
KEY = ("Winners", Arm.PAUSE)
FLOOR, DAYS = 0.85, 30
PERSON = Person(1, "Ana", ((AdAccountId(ACCOUNT), Role.APPROVER),))


def _grant(store: Store, **changes: object) -> Cell:
    how = {"archetype": "Winners", "arm": Arm.PAUSE, "by": "ana", "reason": "proven", "now": NOW}
    with store.session() as session:
        return grant(session, ACCOUNT, floor=FLOOR, require_days=DAYS, **{**how, **changes})  # type: ignore[arg-type]


def _seen(store: Store, cell: Cell, way: str, numbers: range) -> list[int]:
    """Propose changes that the cell lets pass, or asks about at random."""
    said: list[tuple[float, str | None]] = [(0.95, None)] * len(numbers)
    return judged(store, said, first=numbers.start, autonomy={"cell": cell.id, "way": way})


def test_agreement_earns_it_and_the_evidence_is_kept(store: Store):
    an_account(store)
    judged(store, AGREED)
    cell = _grant(store)
    assert (cell.mode, cell.set_by, cell.reason) == (CellMode.AUTOMATIC, "ana", "proven")
    assert cell.evidence["n"] == 200
    assert cell.evidence["risk"] == 0.05
    assert cell.threshold is not None
    assert cell.threshold >= FLOOR
    assert cell.lets_pass(confidence=0.999, model=MODEL)
    assert not cell.lets_pass(confidence=cell.threshold, model=MODEL)
    assert not cell.lets_pass(confidence=0.999, model="campaign-policy 8")


@pytest.mark.parametrize(
    ("said", "days", "changes", "why"),
    [
        (AGREED[:99], 90, {}, "Nothing yet"),
        (
            [(s, "rejected" if n % 5 == 0 else "approved") for n, (s, _) in enumerate(AGREED)],
            90,
            {},
            "Nothing yet",
        ),
        ([(0.8, "approved")] * 200, 90, {}, "Nothing yet"),
        (AGREED, 29, {}, "first 30 days"),
        (AGREED, 90, {"archetype": "Losers"}, "Nobody has judged"),
        (AGREED, 90, {"arm": Arm.MAINTAIN}, "no one's leave"),
    ],
    ids=["few", "disagreed", "unsure", "young", "another cell", "maintain"],
)
def test_what_is_not_proven_is_refused_with_what_is_missing(
    store: Store,
    said: list[tuple[float, str | None]],
    days: int,
    changes: dict[str, object],
    why: str,
):
    an_account(store, days=days)
    judged(store, said)
    with pytest.raises(ConflictError, match=why):
        _grant(store, **changes)
    with store.session() as session:
        assert cells(session, ACCOUNT) == {}


def test_only_what_would_have_run_by_itself_proves_anything(store: Store):
    an_account(store)
    judged(store, AGREED[:80], policy_arm="maintain")
    judged(store, AGREED[:80], first=100, source="exploration")
    with store.session() as session:
        assert evidence(session, ACCOUNT, now=NOW, floor=FLOOR) == []


def test_the_newest_model_earns_it_anew(store: Store):
    an_account(store)
    judged(store, AGREED)
    judged(store, AGREED[:30], version="8", first=300)
    with store.session() as session:
        (found,) = evidence(session, ACCOUNT, now=NOW, floor=FLOOR)
    assert (found.model, found.found.n) == ("campaign-policy 8", 30)
    assert not found.found.has_passed


def test_disagreement_in_audits_takes_it_back_at_once(store: Store):
    an_account(store)
    judged(store, AGREED)
    cell = _grant(store)
    audits = _seen(store, cell, "audit", range(300, 304))
    for action, says in zip(audits, ("yes", "no", "no"), strict=False):
        with store.session() as session:
            keys = {"account_id": ACCOUNT, "action_id": action, "by": PERSON, "now": NOW}
            if says == "yes":
                approve(session, **keys)
                assert cells(session, ACCOUNT)[KEY].mode is CellMode.AUTOMATIC
            else:
                reject(session, reason="too early", **keys)
    with store.session() as session:
        now = cells(session, ACCOUNT)[KEY]
        steps = history(session, ACCOUNT)
    assert now.mode is CellMode.LIVE
    assert now.reason.startswith("2 of 3 looked at since were disagreed with")
    assert [step.mode for step in steps] == [CellMode.AUTOMATIC, CellMode.LIVE]
    assert now.threshold is None


def test_undoing_what_ran_by_itself_counts_as_disagreement(store: Store):
    an_account(store)
    judged(store, AGREED)
    cell = _grant(store)
    for action in _seen(store, cell, "automatic", range(300, 302)):
        with store.session() as session:
            row = session.get_one(AutomationAction, (ACCOUNT, action))
            row.requires_approval = False
            session.flush()
            for step in ("approved", "executing", "executed"):
                row.status = step
                session.flush()
        with store.session() as session:
            undo(session, account_id=ACCOUNT, action_id=action, by=PERSON, now=NOW)
    with store.session() as session:
        assert cells(session, ACCOUNT)[KEY].mode is CellMode.LIVE


def test_a_promise_that_holds_is_left_alone(store: Store):
    an_account(store)
    judged(store, AGREED)
    cell = _grant(store)
    mark = {"autonomy": {"cell": cell.id, "way": "audit"}}
    judged(store, [(0.95, "approved")] * 40, first=300, **mark)
    judged(store, [(0.95, "rejected")], first=400, **mark)
    with store.session() as session:
        assert reconsider(session, ACCOUNT, now=NOW) == []
        (found,) = evidence(session, ACCOUNT, now=NOW, floor=FLOOR)
    assert (found.asked, found.disagreed) == (41, 1)
    assert found.e_value < 1 / found.found.promise.delta


def test_a_step_back_needs_no_proof_and_automatic_cannot_be_set(store: Store):
    an_account(store)
    how = {"archetype": "Winners", "arm": Arm.PAUSE, "by": "ana", "reason": "holidays", "now": NOW}
    with store.session() as session:
        set_mode(session, ACCOUNT, mode=CellMode.SHADOW, **how)  # type: ignore[arg-type]
        assert cells(session, ACCOUNT)[KEY].mode is CellMode.SHADOW
        with pytest.raises(ConflictError, match="granted"):
            set_mode(session, ACCOUNT, mode=CellMode.AUTOMATIC, **how)  # type: ignore[arg-type]


def test_rows_are_never_rewritten_and_autonomy_needs_evidence(store: Store):
    an_account(store)
    judged(store, AGREED)
    _grant(store)
    with pytest.raises(IntegrityError, match="append-only"), store.connection() as connection:
        connection.execute(text("UPDATE intel_policy_cell SET mode = 'shadow'"))
    with (
        pytest.raises(IntegrityError, match="autonomy_is_earned"),
        store.connection() as connection,
    ):
        connection.execute(
            text(
                "INSERT INTO intel_policy_cell (ad_account_id, archetype, arm, mode, since, set_by,"
                " reason) VALUES ('a', '', 'pause', 'automatic', now(), 'me', 'because')"
            )
        )


def test_old_verdicts_prove_nothing(store: Store):
    an_account(store)
    judged(store, AGREED)
    with store.session() as session:
        later = NOW + timedelta(days=365)
        assert evidence(session, ACCOUNT, now=later, floor=FLOOR) == []
