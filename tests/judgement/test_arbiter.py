"""Whose recommendation is shown."""

from __future__ import annotations

import pytest

from intel_ml.core.actions import Action, ActionType, Arm
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode, Reason, Recommendation, Source
from intel_ml.judgement.arbiter import arbitrate, landed

ENTITY = Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId("7"))


def says(source: Source, action: ActionType) -> Recommendation:
    percent = {ActionType.INCREASE_BUDGET: 20, ActionType.DECREASE_BUDGET: -50}.get(action)
    return Recommendation(ENTITY, Action(action, percent), source, (Reason("because"),))


PAUSE = says(Source.RULES, ActionType.PAUSE)
RAISE = says(Source.RULES, ActionType.INCREASE_BUDGET)
CUT = says(Source.POLICY, ActionType.DECREASE_BUDGET)
LEAVE = says(Source.POLICY, ActionType.DO_NOTHING)


@pytest.mark.parametrize(
    ("rules", "policy", "mode", "shown"),
    [
        (PAUSE, CUT, Mode.SHADOW, PAUSE),
        (None, CUT, Mode.SHADOW, None),
        (PAUSE, CUT, Mode.LIVE, CUT),
        (None, CUT, Mode.LIVE, CUT),
        (PAUSE, None, Mode.LIVE, PAUSE),
        (None, None, Mode.LIVE, None),
        (PAUSE, LEAVE, Mode.LIVE, PAUSE),
        (RAISE, LEAVE, Mode.LIVE, LEAVE),
        (None, LEAVE, Mode.LIVE, LEAVE),
    ],
)
def test_rules_in_shadow_policy_when_live_rules_as_floor_and_fallback(
    rules: Recommendation | None,
    policy: Recommendation | None,
    mode: Mode,
    shown: Recommendation | None,
) -> None:
    assert arbitrate(rules=rules, policy=policy, mode=mode) is shown


@pytest.mark.parametrize(
    ("rules", "held_back", "lands"),
    [
        (None, set(), {Arm.PAUSE: 0.5, Arm.MAINTAIN: 0.3, Arm.SCALE_20: 0.2}),
        (Arm.REDUCE_20, set(), {Arm.PAUSE: 0.5, Arm.REDUCE_20: 0.3, Arm.SCALE_20: 0.2}),
        (Arm.SCALE_10, set(), {Arm.PAUSE: 0.5, Arm.MAINTAIN: 0.3, Arm.SCALE_20: 0.2}),
        (None, {Arm.PAUSE}, {Arm.MAINTAIN: 0.8, Arm.SCALE_20: 0.2}),
        (Arm.SCALE_10, {Arm.PAUSE}, {Arm.SCALE_10: 0.5, Arm.MAINTAIN: 0.3, Arm.SCALE_20: 0.2}),
    ],
)
def test_the_probability_of_what_is_shown_counts_what_the_rules_take_over(
    rules: Arm | None, held_back: set[Arm], lands: dict[Arm, float]
) -> None:
    drawn = {Arm.PAUSE: 0.5, Arm.MAINTAIN: 0.3, Arm.SCALE_20: 0.2}
    found = landed(drawn, rules=rules, held_back=held_back)
    assert {arm: p for arm, p in found.items() if p} == pytest.approx(lands)
