from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.actions import (
    ARM_PERCENT,
    ARMS,
    TRANSITIONS,
    Action,
    ActionStatus,
    ActionType,
    Arm,
    action_of,
    arm_of,
)
from intel_ml.core.errors import InvalidValueError


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_and_its_action_stand_for_each_other(arm: Arm):
    assert arm_of(action_of(arm)) == arm


@given(st.integers(min_value=-99, max_value=500).filter(lambda p: p != 0))
def test_a_budget_change_belongs_to_the_nearest_arm_of_its_own_direction(percent: int):
    kind = ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET
    arm = arm_of(Action(kind, percent))
    assert arm is not None
    assert (ARM_PERCENT[arm] or 0) * percent > 0


@pytest.mark.parametrize(
    ("kind", "percent"),
    [
        (ActionType.PAUSE, 20),
        (ActionType.INCREASE_BUDGET, None),
        (ActionType.INCREASE_BUDGET, 0),
        (ActionType.INCREASE_BUDGET, -10),
        (ActionType.DECREASE_BUDGET, 10),
        (ActionType.DECREASE_BUDGET, -100),
    ],
)
def test_an_action_that_contradicts_itself_is_refused(kind: ActionType, percent: int | None):
    with pytest.raises(InvalidValueError, match="percent"):
        Action(kind, percent)


def test_every_status_has_its_moves_and_nothing_moves_to_executed_but_from_execution():
    assert set(TRANSITIONS) == set(ActionStatus)
    before_executed = {a for a, moves in TRANSITIONS.items() if ActionStatus.EXECUTED in moves}
    assert before_executed == {ActionStatus.EXECUTING, ActionStatus.NEEDS_REVIEW}
