"""One choice explained in a notebook: sentences, reasons, past cases, nobody else's names."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.surfaces.lab.cases import ANOTHERS, Explained, explained
from tests.intelligence.policy import worlds

NAMES = {("act_1", "3"): "Summer <Sale>"}
STATES = worlds.states([{"cpa_ratio": 3.3, "roas": 1.2, "frequency": 3.0, "ctr_trend_7d": 0.0}])


def log(rows: int = 300) -> pd.DataFrame:
    frame = worlds.judged(rows).assign(as_of=worlds.NOW - timedelta(days=20))
    told = dict.fromkeys(("reward_earned", "reward_against_holdout"), frame["reward"] / 100)
    return frame.assign(reward=frame["reward"] / 100, **told)


def explain(policy: Policy, states: States = STATES, **how: object) -> Explained:
    return explained(policy, states, "0", names=NAMES, **how)  # type: ignore[arg-type]


def test_it_says_what_why_and_what_came_of_the_most_alike() -> None:
    found = explain(make_policy("ridge").fit(log()), k=3)
    assert found.says[0].startswith("adset 0: ridge would pause it, ")
    assert found.says[1].startswith("In the 3 most alike past cases that were paused, 3 earned")
    assert "CPA is 230% above target" in set(found.reasons["reason"])
    assert list(found.cases["likeness"]) == sorted(found.cases["likeness"], reverse=True)
    assert set(found.cases["executed"]) == {"pause"}
    assert "proposed" not in found.cases, "what is unknown of all of them is no column"
    page = found._repr_html_()
    assert page.count("<table") == 2
    assert all(text in str(found) for text in found.says)


def test_names_are_told_and_made_inert() -> None:
    found = explain(make_policy("ridge").fit(log().assign(entity_id="3")), k=2)
    assert set(found.cases["what"]) == {"Summer <Sale>"}
    assert "Summer &lt;Sale&gt;" in found._repr_html_()
    assert "<Sale>" not in found._repr_html_()


def test_another_choice_can_be_asked_about() -> None:
    policy = make_policy("ridge").fit(log())
    found = explain(policy, arm="scale_20")
    assert found.arm is Arm.SCALE_20
    assert found.says[0].endswith("This is about another choice: to raise its budget by 20%.")
    with pytest.raises(UnknownNameError, match="Did you mean 'scale_20'"):
        explain(policy, arm="scale20")


def test_cases_of_an_account_that_shares_have_no_name() -> None:
    ours = log(40).assign(share_learning=True)
    both = pd.concat([ours, log(400).assign(ad_account_id="act_2", share_learning=True)])
    found = explain(make_policy("sharing", sharing=["act_1", "act_2"]).fit(both), k=20)
    assert ANOTHERS in set(found.cases["what"])
    assert "act_2" not in found._repr_html_()
    assert "act_2" not in str(found)


def test_an_imitation_shows_what_people_said() -> None:
    found = explain(make_policy("imitation").fit(log(150)), arm=Arm.PAUSE)
    assert {"proposed", "verdict"} <= set(found.cases)
    assert "earned" in found.cases
    assert " most alike proposals to pause people approved " in found.says[1]


def test_who_remembers_nothing_gives_reasons_alone() -> None:
    found = explain(make_policy("uniform"))
    assert found.recalled is None
    assert found.cases.empty
    assert found._repr_html_().count("<table") == 1


def test_nothing_alike_is_said_with_the_reason() -> None:
    early = States(STATES.entities, (worlds.NOW - timedelta(days=19),), STATES.columns)
    found = explain(make_policy("ridge").fit(log()), early)
    assert found.cases.empty
    assert found.says[1].startswith("Nothing alike was tried before: no outcome is known yet")


def test_an_entity_that_is_not_there_or_twice_there_is_said_to_be() -> None:
    policy = make_policy("ridge").fit(log())
    with pytest.raises(NotFoundError, match="no entity 'x'"):
        explained(policy, STATES, "x", names=NAMES)
    twice = worlds.states([{"cpa_ratio": 1.0}]).take([0, 0])
    with pytest.raises(InvalidValueError, match="account"):
        explained(policy, twice, "0", names=NAMES)


def test_every_arm_of_every_policy_can_be_explained() -> None:
    for name in ("ridge", "sharing", "vw", "imitation", "rules", "uniform"):
        policy = make_policy(name).fit(log(80))
        for arm in ARMS:
            assert explain(policy, arm=arm)._repr_html_()
