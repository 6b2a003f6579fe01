"""A simulation's limits are the platform's own."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS, Action, ActionType
from intel_ml.core.errors import InvalidValueError
from intel_ml.data.sandbox import World
from intel_ml.learning.simulation.limits import (
    LOSS_PREVENTION,
    Limits,
    allowed_arms,
    clamped,
    draw,
    objection,
)
from intel_ml.learning.simulation.looking import adset_entity
from intel_ml.operations import drawing, judging, standing, values
from intel_ml.operations.limits import Limits as Real
from intel_ml.operations.standing import Standing

states = st.fixed_dictionaries(
    {},
    optional={
        "learning_phase": st.sampled_from(["LEARNING", "ACTIVE", "LEARNING_LIMITED", None]),
        "days_active": st.none() | st.floats(0, 100),
    },
)
PERCENTS = (-50, -30, -20, -1, 1, 10, 20, 45)


def test_the_numbers_are_the_platforms_but_for_one_change_a_day() -> None:
    real, here = Real(), Limits()
    for name in ("max_budget_change_percent", "holdout_share", "holdout_hours"):
        assert getattr(here, name) == getattr(real, name)
    assert here.exploration_share == real.exploration_share
    assert here.min_confidence == real.min_confidence_for_auto
    assert here.rejected == real.approval_valid
    assert timedelta(hours=12) < here.cooldown < timedelta(days=1)


@settings(deadline=None)
@given(
    shown=st.sampled_from(ARMS),
    weights=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    mask=st.lists(st.booleans(), min_size=6, max_size=6),
    holdout=st.floats(0, 0.5),
    exploration=st.floats(0, 0.5),
    key=st.text(max_size=20),
)
def test_the_draw_is_the_platforms_draw(  # noqa: PLR0913, PLR0917  # one a strategy
    shown, weights, mask, holdout, exploration, key
) -> None:
    allowed = np.array(mask)
    allowed[ARMS.index("maintain")] = True
    base = np.array(weights) + 1e-6
    base /= base.sum()
    limits = Limits(holdout_share=holdout, exploration_share=exploration)
    here = draw(shown, base=base, allowed=allowed, limits=limits, key=key)
    shares = drawing.Shares(holdout, exploration)
    real = drawing.draw(shown, base=base, allowed=allowed, shares=shares, key=key)
    assert (here.arm, here.pmf, here.is_held_out, here.is_explored) == (
        real.arm,
        real.pmf,
        real.is_held_out,
        real.is_explored,
    )


@settings(deadline=None)
@given(state=states, place=st.integers(0, 6), percent=st.sampled_from(PERCENTS))
def test_what_is_open_is_what_the_platform_leaves_open(
    played_world: World, state, place: int, percent: int
) -> None:
    node = played_world.population.adsets[place]
    campaign = played_world.population.campaigns[node.parent]
    place_there = Standing(
        entity=adset_entity(played_world, node),
        name=node.name,
        value=values.Value(
            played_world.population.accounts[node.account].currency,
            node.daily_budget_minor,
            node.status,
        ),
        effective_status="ACTIVE",
        is_budget_set_above=campaign.daily_budget_minor is not None,
        busy=None,
    )
    here = allowed_arms(played_world, node, state, limits=Limits())
    assert here.tolist() == standing.allowed_arms(place_there, state, limits=Real()).tolist()
    kind = ActionType.INCREASE_BUDGET if percent > 0 else ActionType.DECREASE_BUDGET
    action = clamped(Action(kind, percent), limits=Limits())
    assert action == judging.clamped(Action(kind, percent), limits=Real())[0]
    for category in (None, LOSS_PREVENTION):
        said = objection(played_world, node, state, action=action, category=category)
        there = standing.objection(action, place_there, state, category=category)
        assert (said is None) == (there is None)


def test_a_share_is_a_share() -> None:
    with pytest.raises(InvalidValueError, match="holdout_share"):
        Limits(holdout_share=1.0)
