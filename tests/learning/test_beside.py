from __future__ import annotations

import pytest
from sqlalchemy import text

from intel_ml.core.actions import Arm
from intel_ml.data.store.sessions import Store
from intel_ml.learning.cells import Earned, evidence, grant
from tests.learning.verdicts import ACCOUNT, NOW, an_account, judged

AGREED: list[tuple[float, str | None]] = [(0.9 + n / 10_000, "approved") for n in range(200)]
NEW = "campaign-policy 8"
FLOOR = 0.85


def _of_pauses(store: Store) -> Earned:
    with store.session() as session:
        every = evidence(session, ACCOUNT, now=NOW, floor=FLOOR)
    return next(one for one in every if one.arm is Arm.PAUSE)


def _promoted(store: Store) -> None:
    """Version 8 is asked now; nobody has judged a proposal of its own."""
    judged(store, [(0.95, None)], arm="scale_10", version="8", first=900)


def _all_decisions(store: Store, change: str) -> None:
    with store.connection() as connection:
        connection.execute(text(f"UPDATE intel_decision SET {change} WHERE proposed <> 'pause'"))  # noqa: S608  # written here
        connection.commit()


def test_a_new_version_brings_what_it_earned_as_challenger(store: Store):
    an_account(store)
    judged(store, AGREED, challenger="8")
    _promoted(store)
    found = _of_pauses(store)
    assert (found.model, found.beside, found.found.n) == (NEW, 200, 200)
    assert found.found.has_passed
    with store.session() as session:
        cell = grant(
            session,
            ACCOUNT,
            archetype="Winners",
            arm=Arm.PAUSE,
            by="ana",
            reason="proven beside",
            now=NOW,
            floor=FLOOR,
            require_days=30,
        )
    assert cell.evidence["beside"] == 200
    assert cell.lets_pass(confidence=0.999, model=NEW)
    assert not cell.lets_pass(confidence=0.999, model="campaign-policy 7")


def test_its_own_verdicts_follow_those_from_beside(store: Store):
    an_account(store)
    judged(store, AGREED[:60], challenger="8")
    judged(store, AGREED[:50], version="8", first=300)
    found = _of_pauses(store)
    assert (found.model, found.beside, found.found.n) == (NEW, 60, 100)


def test_a_challenger_does_not_speak_for_the_champion(store: Store):
    an_account(store)
    judged(store, AGREED, challenger="8")
    found = _of_pauses(store)
    assert (found.model, found.beside, found.found.n) == ("campaign-policy 7", 0, 200)


def test_one_that_was_no_challenger_begins_with_nothing(store: Store):
    an_account(store)
    judged(store, AGREED)
    _promoted(store)
    found = _of_pauses(store)
    assert found.model == "campaign-policy 7"


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        (None, 60),
        ("entity_id = 'one'", 3),
        ("is_held_out = true", 0),
        ("is_explored = true", 0),
    ],
    ids=["each entity", "once a day", "held out", "explored"],
)
def test_what_it_wanted_and_nobody_was_asked_counts_against_it(
    store: Store, change: str | None, counted: int
):
    an_account(store)
    judged(store, AGREED, challenger="8")
    judged(store, [(0.99, "approved")] * 60, arm="reduce_20", challenger="8", wants="pause")
    if change is not None:
        _all_decisions(store, change)
    _promoted(store)
    found = _of_pauses(store)
    assert found.beside == 200 + counted
    assert found.found.has_passed is (counted == 0)


def test_what_it_would_have_left_alone_proves_nothing(store: Store):
    an_account(store)
    judged(store, AGREED, challenger="8", wants="maintain")
    _promoted(store)
    assert _of_pauses(store).model == "campaign-policy 7"
