"""The oracle: the true effect of an action, which no real account can tell.

    effect = (what happens with the action) - (what happens without), on the same randomness

Reads   a world at any moment, an entity, an action.
Gives   an `Effect` over the hours that follow, on the whole account, late reports included.
Never   changes the world it is asked about: it plays forks.

Common random numbers (Law, "Simulation Modeling and Analysis", ch. 11). What the last clicks of
the window still convert later is left out on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intel_ml.core.actions import Action
from intel_ml.core.errors import InvalidValueError, PlatformError
from intel_ml.core.ids import Entity
from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.world import World

_SHORTEST, _LONGEST = 1, 28 * 24
DEFAULT_HOURS = 48


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
    if not _SHORTEST <= hours <= _LONGEST:
        raise InvalidValueError(path="hours", problem=f"must be {_SHORTEST} to {_LONGEST}")
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
