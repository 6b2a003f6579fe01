"""What a policy expects of a change: told with its interval, or not at all."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from intel_ml.core.actions import ARMS
from intel_ml.data.store.tables import AutomationAction, Decision
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Expects, Policy
from intel_ml.operations.decisions import decide
from intel_ml.operations.expecting import EXPECTED_GAIN, expectation
from intel_ml.operations.limits import Limits
from intel_ml.reporting.queue import pending_cards
from tests.intelligence.policy import worlds
from tests.operations.conftest import Desk
from tests.operations.test_decisions import Loaded, wasting

__all__ = ["wasting"]

QUIET = Limits(holdout_share=0.0, exploration_share=0.0)


def earned_log(rows: int, *, gain: float, noise: float = 0.2) -> pd.DataFrame:
    """A log in which every arm but `maintain` earns `gain` more than leaving things alone."""
    random = np.random.default_rng(3)
    arms = random.choice([arm.value for arm in ARMS], rows)
    return pd.DataFrame(
        {
            "state_cpa_ratio": np.exp(random.normal(0.3, 0.5, rows)),
            "state_roas": np.exp(random.normal(0.3, 0.5, rows)),
            "entity_type": "adset",
            "ad_account_id": "act_1",
            "proposed": arms,
            "executed": arms,
            "p_executed": 1 / len(ARMS),
            "reward": random.normal(0, noise, rows) + gain * (arms != "maintain"),
        }
    )


def states_of(rows: int) -> States:
    random = np.random.default_rng(8)
    return worlds.states(
        [
            {"cpa_ratio": float(cpa), "roas": float(roas)}
            for cpa, roas in np.exp(random.normal(0.3, 0.4, (rows, 2)))
        ]
    )


@pytest.mark.parametrize("kind", ["ridge", "sharing", "vw"])
def test_what_a_change_earns_is_found_within_the_interval_it_tells(kind: str) -> None:
    policy = make_policy(kind, features=["cpa_ratio", "roas"]).fit(earned_log(1500, gain=0.3))
    assert isinstance(policy, Expects)
    found = policy.gains(states_of(40))
    assert (found.value[:, MAINTAIN] == 0).all()
    assert (found.deviation[:, MAINTAIN] == 0).all()
    cut = ARM_INDEX["reduce_20"]
    assert np.mean(np.abs(found.value[:, cut] - 0.3) <= 1.96 * found.deviation[:, cut]) > 0.8
    assert found.value[:, cut].mean() == pytest.approx(0.3, abs=0.1)


def test_a_policy_that_has_seen_nothing_expects_nothing() -> None:
    found = make_policy("ridge").gains(states_of(2))  # type: ignore[attr-defined]  # of a ridge
    assert np.isinf(found.deviation).all()
    assert expectation(0.0, float("inf")) is None


@pytest.mark.parametrize("kind", ["imitation", "uniform", "rules"])
def test_who_has_seen_no_reward_is_not_asked(kind: str) -> None:
    assert not isinstance(make_policy(kind), Expects)


@given(st.floats(-2, 2), st.floats(0, 3))
def test_an_estimate_is_told_with_its_interval_unless_it_is_wider_than_the_money(
    gain: float, deviation: float
) -> None:
    told = expectation(gain, deviation)
    assert (told is None) == (1.96 * deviation > 1.0)
    if told is not None:
        assert "95% interval" in told.text
        assert ("no clear effect" in told.text) == (abs(gain) <= 1.96 * deviation)


def test_the_words_of_an_estimate() -> None:
    told = expectation(-0.12, 0.05)
    assert told is not None
    assert told.text == (
        "within 72 hours it earns 12% of its spend less than if left alone "
        "(95% interval \N{MINUS SIGN}22% to \N{MINUS SIGN}2%)"
    )


def _card_expects(desk: Desk, policy: Policy) -> list[str]:
    decide(desk.store, desk.account, now=desk.now(), limits=QUIET, policy=Loaded(policy))
    with desk.store.session() as session:
        cards = pending_cards(session, person=desk.ana, now=desk.now() + timedelta(minutes=1))
        told = session.scalars(
            select(Decision.policy_reasons).join(
                AutomationAction, AutomationAction.decision_id == Decision.decision_id
            )
        ).all()
    has_gain = [any(r.get("field") == EXPECTED_GAIN for r in reasons or ()) for reasons in told]
    assert len(cards) == len(has_gain) > 0
    return [one.expected for one in cards]


def test_the_card_tells_what_a_policy_with_rewards_expects(wasting: Desk) -> None:
    learned = make_policy("ridge", features=["cpa_ratio", "roas"]).fit(earned_log(3000, gain=0.3))
    said = _card_expects(wasting, learned)
    assert any(one.startswith("Not measured yet. The policy's estimate: ") for one in said)
    assert all("95% interval" in one or one == "Not enough evidence to say." for one in said)


def test_the_card_of_a_policy_without_rewards_claims_nothing(wasting: Desk) -> None:
    assert set(_card_expects(wasting, make_policy("uniform"))) == {"Not enough evidence to say."}
