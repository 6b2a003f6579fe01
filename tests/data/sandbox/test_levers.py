"""Levers: after any change of one node, the columns are what a walk over everything would give."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.levers import Controls, controls_after, controls_of, grown
from intel_ml.data.sandbox.population import Node

START = datetime(2026, 10, 20, tzinfo=UTC)


def same(one: Controls, two: Controls) -> bool:
    for field in fields(Controls):
        left, right = getattr(one, field.name), getattr(two, field.name)
        if isinstance(left, np.ndarray):
            if not np.array_equal(left, right, equal_nan=left.dtype.kind == "f"):
                return False
        elif left != right:
            return False
    return True


def edited(node: Node, draw: int) -> None:
    match draw % 5:
        case 0:
            node.status = "PAUSED" if node.status == "ACTIVE" else "ACTIVE"
        case 1 if node.daily_budget_minor is not None:
            node.daily_budget_minor += draw
        case 2 if node.level is EntityType.ADSET:
            node.bid_amount_minor = 100 + draw
            node.settings = {"bid_strategy": "COST_CAP"}
        case 3:
            node.end = START + timedelta(hours=draw % 9 - 4)
        case _:
            node.review = "DISAPPROVED"


@settings(max_examples=20, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(list(EntityType)), st.integers(0, 7), st.integers(0, 999)),
        max_size=8,
    )
)
def test_one_change_costs_no_walk_and_gives_the_same(
    small_file: Path, edits: list[tuple[EntityType, int, int]]
) -> None:
    population = World.load(small_file, start=START).population
    controls = controls_of(population, hour=0, start=START)
    for level, row, draw in edits:
        nodes = population.nodes(level)
        node = nodes[row % len(nodes)]
        edited(node, draw)
        controls = controls_after(controls, population, node, hour=0, start=START)
    assert same(controls, controls_of(population, hour=0, start=START))


def test_what_is_added_without_effect_leaves_every_column_as_it_was(small_file: Path) -> None:
    population = World.load(small_file, start=START).population
    before = controls_of(population, hour=0, start=START)
    twin = population.ads[0].clone()
    twin.id = "99"
    population.append_ad(twin, like=0)
    population.adsets[0].daily_budget_minor = 1
    after = grown(before, controls_of(population, hour=0, start=START))
    assert not after.delivering[-1]
    assert (after.delivering[:-1] == before.delivering).all()
    assert after.adset_daily[0] == before.adset_daily[0] == 200_00
