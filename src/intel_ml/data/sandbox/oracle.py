"""The oracle: the true effect of an action, which no real account can tell.

    effect = (what happens with the action) - (what happens without), on the same randomness

Reads   a world at any moment, an entity, an action.
Gives   an `Effect` over the hours that follow, on the whole account, late reports included: of one
        action, of many on many entities at once, or of a whole assignment.
Never   changes the world it is asked about: it plays forks.

Common random numbers (Law, "Simulation Modeling and Analysis", ch. 11). What the last clicks of
the window still convert later is left out on both sides.

Ad sets with budgets of their own don't touch each other, so one fork tries one action on each of
them. What shares a budget does: under a campaign budget, and within one ad set, entities take
turns, one a fork.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Action, ActionType
from intel_ml.core.errors import InvalidValueError, PlatformError
from intel_ml.core.ids import AdAccountId, Entity, EntityType
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.world import World

_SHORTEST, _LONGEST = 1, 28 * 24
DEFAULT_HOURS = 48
_NOTHING = Action(ActionType.DO_NOTHING)


@dataclass(frozen=True, slots=True)
class Effect:
    """Differences to doing nothing in minor units; profit is margin * value - spend."""

    spend_minor: int
    conversions: int
    value_minor: int
    profit_minor: int


def effect(world: World, entity: Entity, action: Action, *, hours: int = DEFAULT_HOURS) -> Effect:
    """Return what an action truly changes in the account over the next hours."""
    return effects(world, entity, actions=[action], hours=hours)[action]


def effects(
    world: World, entity: Entity, *, actions: Sequence[Action], hours: int = DEFAULT_HOURS
) -> Mapping[Action, Effect]:
    """Return the effect of each action; those the platform refuses are left out."""
    _check(hours)
    account = world.node(entity.id).account
    still = _outcome(world, account=account, hours=hours)
    found = {}
    for action in actions:
        fork = world.fork()
        try:
            fork.apply(entity, action)
        except PlatformError:
            if len(actions) == 1:
                raise
            continue
        found[action] = _difference(_play(fork, account=account, hours=hours), still)
    return found


def best_action(
    world: World, entity: Entity, *, actions: Sequence[Action], hours: int = DEFAULT_HOURS
) -> tuple[Action, Effect]:
    """Return the most profitable of the actions and its effect."""
    found = effects(world, entity, actions=actions, hours=hours)
    if not found:
        raise InvalidValueError(
            path="actions", problem="the platform would refuse every one of them"
        )
    best = max(found, key=lambda action: found[action].profit_minor)
    return best, found[best]


def effects_of_all(
    world: World, asked: Mapping[Entity, Sequence[Action]], *, hours: int = DEFAULT_HOURS
) -> dict[Entity, dict[Action, Effect]]:
    """Return for each entity the effect of each action asked for, each as if done alone.

    The same numbers as `effects` gives one by one, in as many forks as one entity has actions.
    What the platform refuses is left out; to do nothing has no effect.
    """
    _check(hours)
    units = _units(world, asked)
    still = _by_ad(world.fork(), hours=hours)
    found: dict[Entity, dict[Action, Effect]] = {entity: {} for entity in asked}
    turns: dict[int, list[tuple[Entity, Action]]] = {}
    for entity, actions in asked.items():
        for action in actions:
            if action.type in (ActionType.DO_NOTHING, ActionType.NOTIFY_ONLY):
                found[entity][action] = Effect(0, 0, 0, 0)
            else:
                turns.setdefault(units.of[entity], []).append((entity, action))
    for one in zip_longest(*turns.values()):
        fork, done = world.fork(), []
        for unit, turn in zip(turns, one, strict=True):
            if turn is not None and _applied(fork, *turn):
                done.append((unit, *turn))
        if done:
            moved = _by_ad(fork, hours=hours) - still
            for unit, entity, action in done:
                found[entity][action] = _effect_of(world, moved[:, units.ads == unit], entity)
    return found


def best_actions(
    world: World, asked: Mapping[Entity, Sequence[Action]], *, hours: int = DEFAULT_HOURS
) -> dict[Entity, tuple[Action, Effect]]:
    """Return the most profitable action of each entity and its effect; nothing unless one gains."""
    best: dict[Entity, tuple[Action, Effect]] = {}
    for entity, found in effects_of_all(world, asked, hours=hours).items():
        best[entity] = (_NOTHING, Effect(0, 0, 0, 0))
        for action, one in found.items():
            if one.profit_minor > best[entity][1].profit_minor:
                best[entity] = (action, one)
    return best


def assignment_effect(
    world: World, assignment: Mapping[Entity, Action], *, hours: int = DEFAULT_HOURS
) -> dict[AdAccountId, Effect]:
    """Return what it changes in each account to do all of it at once; refused actions are not done.

    Every account of the world is named, those that nothing was assigned to as well.
    """
    _check(hours)
    fork = world.fork()
    for entity, action in assignment.items():
        _applied(fork, entity, action)
    moved = _by_ad(fork, hours=hours) - _by_ad(world.fork(), hours=hours)
    population = world.population
    account = population.adset_traits.account[population.ad_traits.adset]
    return {
        AdAccountId(f"act_{one.id}"): _summed(moved[:, account == row], margin=one.margin)
        for row, one in enumerate(population.accounts)
    }


@dataclass(frozen=True, slots=True)
class _Units:
    """Which entities and ads share a budget: the unit of each."""

    of: Mapping[Entity, int]
    ads: NDArray[np.int64]


def _units(world: World, asked: Mapping[Entity, Sequence[Action]]) -> _Units:
    """Return units: a campaign where it holds the budget or is itself asked about, else an ad set.

    Campaigns are numbered after the ad sets.
    """
    population = world.population
    first = len(population.adsets)
    whole = {row for row, one in enumerate(population.campaigns) if one.daily_budget_minor}
    for entity in asked:
        if entity.type is EntityType.CAMPAIGN:
            whole.add(population.rows[world.node(entity.id).id][1])
    parents = [node.parent for node in population.adsets]
    unit = [first + up if up in whole else row for row, up in enumerate(parents)]
    of = {}
    for entity in asked:
        level, row = population.rows[world.node(entity.id).id]
        if level is EntityType.CAMPAIGN:
            of[entity] = first + row
        else:
            of[entity] = unit[population.ads[row].parent if level is EntityType.AD else row]
    return _Units(of, np.array(unit, dtype=np.int64)[population.ad_traits.adset])


def _applied(fork: World, entity: Entity, action: Action) -> bool:
    try:
        fork.apply(entity, action)
    except PlatformError:
        return False
    return True


def _by_ad(fork: World, *, hours: int) -> NDArray[np.int64]:
    """Return the truth of the next hours, of shape (columns, ads); ads copied since are left out.

    Forks of one world have the same ads in the same places.
    """
    first = fork.hour
    fork.advance(hours)
    ads = np.arange(len(fork.population.ads))
    return fork.ledger.windows([(first, fork.hour)], ads=ads)[:, 0]


def _effect_of(world: World, moved: NDArray[np.int64], entity: Entity) -> Effect:
    population = world.population
    return _summed(moved, margin=population.accounts[world.node(entity.id).account].margin)


def _summed(moved: NDArray[np.int64], *, margin: float) -> Effect:
    sums = moved.sum(axis=1)
    spend, value = int(sums[Column.SPEND]), int(sums[Column.TRUE_VALUE])
    return Effect(spend, int(sums[Column.TRUE_CONVERSIONS]), value, round(value * margin) - spend)


def _check(hours: int) -> None:
    if not _SHORTEST <= hours <= _LONGEST:
        raise InvalidValueError(path="hours", problem=f"must be {_SHORTEST} to {_LONGEST}")


def _outcome(world: World, *, account: int, hours: int) -> Effect:
    return _play(world.fork(), account=account, hours=hours)


def _play(fork: World, *, account: int, hours: int) -> Effect:
    first = fork.hour
    fork.advance(hours)
    population = fork.population
    ads = np.flatnonzero(population.adset_traits.account[population.ad_traits.adset] == account)
    sums = fork.ledger.windows([(first, fork.hour)], ads=ads)[:, 0].sum(axis=1)
    spend, value = int(sums[Column.SPEND]), int(sums[Column.TRUE_VALUE])
    margin = population.accounts[account].margin
    return Effect(spend, int(sums[Column.TRUE_CONVERSIONS]), value, round(value * margin) - spend)


def _difference(after: Effect, before: Effect) -> Effect:
    return Effect(
        after.spend_minor - before.spend_minor,
        after.conversions - before.conversions,
        after.value_minor - before.value_minor,
        after.profit_minor - before.profit_minor,
    )
