"""What colleagues do to the account in an hour: edits that we find only in the change log.

Reads   a world, the local hours of its accounts, and the draws of the hour.
Gives   changes under a person's name: budgets moved, ad sets paused and resumed, names set anew.
Never   gets past the platform: a person is refused like anyone else, and then leaves it.
"""

from __future__ import annotations

import contextlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import PlatformError
from intel_ml.data.sandbox.changes import HUMAN_ACTOR, Change, minimum_budget
from intel_ml.data.sandbox.mechanisms.outside import Moved
from intel_ml.data.sandbox.motion import Motion
from intel_ml.data.sandbox.population import Node, Population
from intel_ml.data.sandbox.randomness import Purpose, stream
from intel_ml.data.sandbox.worldfile import WorldFile

Ints = NDArray[np.int64]

_MARK = " | "


class Edited(Protocol):
    """The parts of a world that colleagues look at and change."""

    file: WorldFile
    seed: int
    hour: int
    population: Population
    motion: Motion

    def change(self, identifier: str, change: Change, *, actor: str = ...) -> None:
        """Check a change and make it."""


def edit_from_outside(world: Edited, *, local_hour: Ints) -> None:
    """Make the edits of the hour that has just been played; `local_hour` is of each account."""
    outside, population = world.file.outside, world.population
    if not outside.enabled:
        return
    _resume(world)
    at, sets = world.hour - 1, len(population.adsets)
    of_sets = local_hour[population.adset_traits.account]
    luck = stream(world.seed, hour=at, purpose=Purpose.ADSET_UNIFORM).random((sets, 2))
    moved = outside.moved(luck=luck, hour=of_sets, chance=outside.per_adset_hour)
    _move_budgets(world, population.adsets, moved)
    luck = stream(world.seed, hour=at, purpose=Purpose.ADSET_OUTSIDE).random((sets, 2))
    for row, hours in zip(*outside.paused(luck=luck, hour=of_sets), strict=True):
        _pause(world, int(row), until=world.hour + int(hours))
    for row in outside.renamed(luck=luck, hour=of_sets):
        node = population.adsets[int(row)]
        name = f"{node.name.partition(_MARK)[0]}{_MARK}h{world.hour}"
        _try(world, node, Change(name=name))
    campaigns = population.campaigns
    luck = stream(world.seed, hour=at, purpose=Purpose.CAMPAIGN_OUTSIDE).random((len(campaigns), 2))
    of_campaigns = local_hour[np.array([node.account for node in campaigns], dtype=np.int64)]
    moved = outside.moved(luck=luck, hour=of_campaigns, chance=outside.per_campaign_hour)
    _move_budgets(world, campaigns, moved)


def _move_budgets(world: Edited, nodes: list[Node], moved: Moved) -> None:
    for row, factor in zip(moved.rows, moved.factor, strict=True):
        node = nodes[int(row)]
        if node.status == "ACTIVE" and node.daily_budget_minor is not None:
            least = minimum_budget(world.population, node)
            amount = max(least, round(node.daily_budget_minor * float(factor)))
            _try(world, node, Change(daily_budget_minor=amount))


def _pause(world: Edited, row: int, *, until: int) -> None:
    node = world.population.adsets[row]
    if node.status == "ACTIVE":
        _try(world, node, Change(status="PAUSED"))
        world.motion.adset_resume_hour[row] = until


def _resume(world: Edited) -> None:
    """Switch on again what a colleague paused, unless somebody has decided otherwise since."""
    due = world.motion.adset_resume_hour
    for row in np.flatnonzero((due > 0) & (due <= world.hour)):
        due[row] = 0
        node = world.population.adsets[int(row)]
        if node.status == "PAUSED" and node.paused_by == HUMAN_ACTOR:
            _try(world, node, Change(status="ACTIVE"))


def _try(world: Edited, node: Node, change: Change) -> None:
    with contextlib.suppress(PlatformError):
        world.change(node.id, change, actor=HUMAN_ACTOR)
