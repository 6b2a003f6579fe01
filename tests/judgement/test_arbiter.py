"""Whose recommendation is shown."""

from __future__ import annotations

import pytest

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode, Reason, Recommendation, Source
from intel_ml.judgement.arbiter import arbitrate

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
