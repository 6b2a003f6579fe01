"""The closed loop: what is decided is done, what is measured is what could be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from intel_ml.core.actions import Arm, action_of
from intel_ml.core.recommendations import Reason, Recommendation, Source
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.approvers import Approver
from intel_ml.data.sandbox.ledger import Column
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.rewards import earned
from intel_ml.learning.simulation.deciders import (
    Look,
    Nothing,
    Oracle,
    PolicyAlone,
    PolicyWithRules,
    Rules,
    chance,
)
from intel_ml.learning.simulation.limits import Limits
from intel_ml.learning.simulation.looking import Observer
from intel_ml.learning.simulation.play import Played, play
from intel_ml.learning.training import COLUMNS

FREE = Limits(holdout_share=0.0)


def test_doing_nothing_is_what_would_have_happened_anyway(world: World, observer: Observer) -> None:
    still = world.fork()
    still.advance(5 * 24)
    played = play(world, Nothing(), days=5, observer=observer)
    assert np.array_equal(
        world.ledger.counts[:, : world.hour], still.ledger.counts[:, : still.hour]
    )
    assert played.profit_minor.shape == (5, 2)
    spend = still.ledger.counts[Column.SPEND, 8 * 24 : 13 * 24].sum()
    assert played.spend_minor.sum() == spend
    assert not played.done


def test_the_same_play_gives_the_same_result(world: World, observer: Observer) -> None:
    first, second = (play(world.fork(), chance(), days=4, observer=observer) for _ in range(2))
    assert np.array_equal(first.profit_minor, second.profit_minor)
    assert first.journal.log().equals(second.journal.log())


def test_the_oracle_makes_more_than_nothing_and_chance_makes_less(
    world: World, observer: Observer
) -> None:
    deciders = (Nothing(), chance(), Oracle(hours=48))
    nothing, random, oracle = (
        play(world.fork(), one, days=8, observer=observer).profit_minor[:, 0].sum()
        for one in deciders
    )
    assert oracle > nothing > random


def test_at_most_one_change_a_day_and_none_where_chance_held_back(
    world: World, observer: Observer
) -> None:
    limits = Limits(holdout_share=0.4)
    played = play(world, chance(), days=7, limits=limits, observer=observer)
    entries = played.journal.entries
    assert played.done["held_out"] > 0
    for one in entries:
        if not one.drawn.is_held_out:
            continue
        assert one.executed is Arm.MAINTAIN
        rest = [
            other
            for other in entries
            if other.entity == one.entity and 0 < (other.as_of - one.as_of).days < 3
        ]
        assert all(other.executed is Arm.MAINTAIN for other in rest)
        assert all(other.drawn.pmf[Arm.MAINTAIN] == 1.0 for other in rest)


def test_rewards_are_what_could_be_seen_72_hours_later(world: World, observer: Observer) -> None:
    states: dict[tuple[str, object], dict[str, object]] = {}

    class Watched(Rules):
        def recommend(self, look: Look) -> list:
            for row, entity in enumerate(look.states.entities):
                states[entity.id, look.world.now] = look.states.state(row)
            return super().recommend(look)

    log = play(world, Watched(), days=7, observer=observer).journal.log()
    known = log[log["reward_earned"].notna() & (log["executed"] != Arm.PAUSE)]
    assert len(known) > 5
    for row in known.itertuples():
        before = states[row.entity_id, row.as_of]
        after = next(
            (
                state
                for (key, moment), state in states.items()
                if key == row.entity_id and (moment - row.as_of).total_seconds() == 72 * 3600
            ),
            None,
        )
        if after is not None:
            assert row.reward_earned == pytest.approx(earned(before, after))
    late = log[log["as_of"] > world.now - 3 * (world.now - world.now.replace(hour=0))]
    assert set(COLUMNS) <= set(log.columns)
    assert late["reward"].isna().all() or late.empty


def test_a_quiet_pause_is_worth_what_it_saved(world: World, observer: Observer) -> None:
    class PauseAll(Nothing):
        def recommend(self, look: Look) -> Sequence:
            return _all(look, Arm.PAUSE)

    log = play(world, PauseAll(), days=5, limits=FREE, observer=observer).journal.log()
    paused = log[(log["executed"] == Arm.PAUSE) & log["reward_earned"].notna()]
    spend, sales = paused["state_spend"], paused["state_conversions"]
    target = paused["state_target_cpa"]
    expected = (spend - target * sales) / np.maximum(spend, target)
    # What the last clicks still bought on the days after comes on top.
    late = paused["reward_earned"] - expected
    assert late.min() > -1e-9
    assert late.median() < 0.05
    assert len(paused) == 6  # every delivering ad set, once


def test_learned_policies_relearn_from_what_is_over(world: World, observer: Observer) -> None:
    ridge = make_policy("ridge", alpha=0.2)
    decider = PolicyAlone(ridge, name="ridge")
    play(world, decider, days=6, observer=observer)
    counts = decider.policy.counts  # type: ignore[attr-defined]  # of ridge
    assert sum(counts.values()) >= 10


def test_live_a_policy_that_is_not_sure_leaves_it_to_the_rules(
    world: World, observer: Observer
) -> None:
    rules = play(world.fork(), Rules(), days=6, observer=observer)
    unsure = PolicyWithRules(make_policy("uniform"), name="uniform")
    live = play(world.fork(), unsure, days=6, observer=observer)
    assert np.array_equal(rules.profit_minor, live.profit_minor)


def with_approver(world: World, observer: Observer, profile: str) -> Played:
    return play(world.fork(), chance(), days=6, approver=Approver(profile, 2), observer=observer)


def test_people_stand_between_proposal_and_change(world: World, observer: Observer) -> None:
    careful = with_approver(world, observer, "careful")
    busy = with_approver(world, observer, "busy")
    assert careful.done["rejected"] > 0
    assert careful.done["executed"] == careful.done.get("approved", 0) + careful.done.get(
        "modified", 0
    )
    assert busy.done["expired"] > 0
    log = careful.journal.log()
    refused = log[log["verdict"] == "rejected"]
    assert set(refused["executed"]) == {"maintain"}
    assert refused["verdict_reason"].str.len().gt(0).all()
    # What was likely to be refused was unlikely to be executed.
    done = log[(log["executed"] != "maintain") & (log["proposed"] == log["executed"])]
    told = [row[f"pmf_{row['proposed']}"] for _, row in done.iterrows()]
    assert (done["p_executed"].to_numpy() < np.array(told)).all()


def _all(look: Look, arm: Arm) -> list:
    return [
        Recommendation(entity, action_of(arm), Source.POLICY, (Reason("a test"),))
        for entity in look.states.entities
    ]
