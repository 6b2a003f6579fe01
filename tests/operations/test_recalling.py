"""What became of the most alike past cases: told of each proposal, on its card told once."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from intel_ml.core.actions import ActionType
from intel_ml.core.recommendations import IMITATION
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.operations.decisions import decide
from intel_ml.operations.limits import Limits
from intel_ml.operations.recalling import NEAREST_CASES
from intel_ml.reporting.queue import pending_cards
from intel_ml.reporting.similar import Cases, Evidence, Tally, similar
from tests.operations.conftest import Desk
from tests.operations.test_decisions import Loaded, wasting

__all__ = ["wasting"]

QUIET = Limits(holdout_share=0.0, exploration_share=0.0)
FEATURES = ["roas", "frequency"]


def lived(
    desk: Desk, *, ago: timedelta, account: str | None = None, rows: int = 60
) -> pd.DataFrame:
    """Measured decisions about ad sets as the desk's are: each was paused, most earned by it."""
    frequency = np.random.default_rng(2).uniform(1.0, 6.0, rows)
    reward = np.where(np.arange(rows) % 4, 0.2, -0.1)
    return pd.DataFrame(
        {
            "ad_account_id": account or desk.account.id,
            "entity_type": "adset",
            "entity_id": [f"past-{at}" for at in range(rows)],
            "decision_id": [f"d{at}" for at in range(rows)],
            "as_of": desk.now() - ago,
            "state_roas": np.where(np.arange(rows) % 2, 0.0, 2.0),
            "state_frequency": frequency,
            "proposed": "pause",
            "verdict": np.where(np.arange(rows) % 4, "approved", "rejected"),
            "executed": "pause",
            "reward": reward,
            "reward_earned": reward,
            "reward_against_holdout": reward,
        }
    )


def told(desk: Desk, policy: Policy) -> dict[str, str]:
    """Return what the card of each proposal to pause tells of similar ones, and checks the log."""
    decide(desk.store, desk.account, now=desk.now(), limits=QUIET, policy=Loaded(policy))
    with desk.store.session() as session:
        cards = pending_cards(session, person=desk.ana, now=desk.now() + timedelta(minutes=1))
        logged = session.scalars(
            select(Decision.policy_reasons).join(
                AutomationAction, AutomationAction.decision_id == Decision.decision_id
            )
        ).all()
    assert all(any(r.get("field") == NEAREST_CASES for r in reasons or ()) for reasons in logged)
    return {one.entity_id: one.similar for one in cards if one.action_type is ActionType.PAUSE}


def test_a_card_tells_what_became_of_the_most_alike_cases(wasting: Desk) -> None:
    log = lived(wasting, ago=timedelta(days=10))
    found = told(wasting, make_policy("ridge", features=FEATURES).fit(log))
    assert found
    for said in found.values():
        assert said.startswith("In the 5 most alike past cases that were paused, ")
        assert "earned more than those left alone (median +20% of what was spent)" in said


def test_what_is_not_known_yet_is_not_told(wasting: Desk) -> None:
    log = lived(wasting, ago=timedelta(days=2))
    found = told(wasting, make_policy("ridge", features=FEATURES).fit(log))
    nothing = (
        "Nothing alike was tried before: no outcome is known yet of any ad set that was paused."
    )
    assert set(found.values()) == {nothing}


def test_another_account_is_not_told_of(wasting: Desk) -> None:
    log = lived(wasting, ago=timedelta(days=10), account="act_999")
    found = told(wasting, make_policy("ridge", features=FEATURES).fit(log))
    assert all(said.startswith("Nothing alike was tried before: ") for said in found.values())


def test_a_policy_that_remembers_nothing_adds_nothing(wasting: Desk) -> None:
    now = wasting.now()
    loaded = Loaded(make_policy("uniform"))
    decide(wasting.store, wasting.account, now=now, limits=QUIET, policy=loaded)
    with wasting.store.session() as session:
        reasons = [r or [] for r in session.scalars(select(Decision.policy_reasons))]
    assert not any(one.get("field") == NEAREST_CASES for told in reasons for one in told)


CUT = ActionType.DECREASE_BUDGET
EARNED = "In the 5 most alike past cases that were reduced by 20%, 4 earned more than before."
SAID = "In the 8 most alike proposals to reduce the budget by 20% people approved 7."
NOTHING = "Nothing alike was tried before: no outcome is known yet."


@pytest.mark.parametrize(
    ("tally", "cases", "says"),
    [
        (Tally(), None, "No similar proposal yet."),
        (Tally(), Cases(NOTHING, are_alike=False, are_verdicts=False), NOTHING),
        (Tally(), Cases(EARNED, are_alike=True, are_verdicts=False), EARNED),
        (
            Tally(approved=3, rejected=1, measured=3, improved=2),
            None,
            "3 similar approved in 30 days, 1 rejected: 2 of 3 measured improved CPA.",
        ),
        (  # what people said by the tally, what came of it by the cases: neither twice
            Tally(approved=3, rejected=1, measured=3, improved=2),
            Cases(EARNED, are_alike=True, are_verdicts=False),
            f"3 similar approved in 30 days, 1 rejected. {EARNED}",
        ),
        (
            Tally(approved=3, rejected=1, measured=3, improved=2),
            Cases(SAID, are_alike=True, are_verdicts=True),
            f"{SAID} 2 of 3 measured similar changes improved CPA.",
        ),
        (Tally(approved=3), Cases(SAID, are_alike=True, are_verdicts=True), SAID),
        (  # nothing is alike for the model, yet the rule has its record
            Tally(approved=3, measured=3, improved=2),
            Cases(NOTHING, are_alike=False, are_verdicts=False),
            "3 similar approved in 30 days: 2 of 3 measured improved CPA.",
        ),
    ],
)
def test_verdicts_and_outcomes_are_each_told_once(
    tally: Tally, cases: Cases | None, says: str
) -> None:
    known = Evidence({("act_1", 7, CUT): tally}, {}, {})
    assert similar(known, account_id="act_1", rule_id=7, kind=CUT, cases=cases) == says


def test_an_imitation_on_a_card_tells_what_people_said(wasting: Desk) -> None:
    log = lived(wasting, ago=timedelta(days=10))
    loaded = Loaded(make_policy("imitation", features=FEATURES).fit(log))
    loaded.name = IMITATION
    wasting_now = wasting.now()
    decide(wasting.store, wasting.account, now=wasting_now, limits=QUIET, policy=loaded)
    with wasting.store.session() as session:
        cards = pending_cards(session, person=wasting.ana, now=wasting_now)
    said = [one.similar for one in cards if one.action_type is ActionType.PAUSE]
    assert said
    assert all(one.startswith("In the 8 most alike proposals to pause people") for one in said)
