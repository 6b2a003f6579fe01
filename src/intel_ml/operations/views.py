"""What a loaded policy makes of entities: what it thinks best, and what it draws.

Reads   states, which arms are open, a key a decision; a policy that was loaded and checked.
Gives   a `View` an entity, None where the policy learned nothing of its level; what a challenger
        would do.
Never   passes a draw off as what is thought best: how sure a policy is belongs to the latter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, action_of
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import ModelRef, Recommendation, Source
from intel_ml.features.states import States
from intel_ml.intelligence.policy.protocol import Choices, Policy


class PolicyInUse(Protocol):
    """A policy that was loaded and checked, as `learning.registry` gives it."""

    @property
    def policy(self) -> Policy:
        """The policy itself."""

    @property
    def name(self) -> str:
        """Its registered name."""

    @property
    def version(self) -> str:
        """Its registered version."""


@dataclass(frozen=True, slots=True)
class View:
    """What the policy thinks best, and what it draws: the same where its draw is not shown."""

    best: Recommendation
    drawn: Recommendation


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which entities policies are asked, which arms are open to each, and what seeds a draw."""

    states: States
    allowed: Sequence[NDArray[np.bool_]]
    keys: Sequence[str]

    def known_to(self, loaded: PolicyInUse) -> list[int]:
        """Return the rows of the levels that the policy learned of."""
        levels = loaded.policy.entity_types
        return [row for row, e in enumerate(self.states.entities) if not levels or e.type in levels]

    def choices(self, loaded: PolicyInUse, rows: Sequence[int]) -> tuple[States, Choices]:
        """Return what the policy chooses for these rows, and their states."""
        whole = len(rows) == len(self.states)
        states = self.states if whole else self.states.take(rows)
        mask = np.array([self.allowed[row] for row in rows])
        keys = [self.keys[row] for row in rows]
        return states, loaded.policy.choose(states, allowed=mask, keys=keys)


def policy_views(
    asked: Asked, loaded: PolicyInUse | None, *, archetypes: Mapping[Entity, str], draws: bool
) -> list[View | None]:
    """Return the policy's view of each row; with `draws`, its draw beside what it thinks best."""
    views: list[View | None] = [None] * len(asked.states)
    if loaded is None or not (rows := asked.known_to(loaded)):
        return views
    states, choices = asked.choices(loaded, rows)
    for at, row in enumerate(rows):
        arm, entity = ARMS[int(choices.greedy[at])], states.entities[at]
        best = replace(
            _told(loaded, choices, at, entity),
            reasons=tuple(loaded.policy.explain(states, at, arm)),
            archetype=archetypes.get(entity),
        )
        drawn = choices.arm(at)
        if not draws or drawn is arm:
            views[row] = View(best, best)
            continue
        reasons = tuple(loaded.policy.explain(states, at, drawn))
        views[row] = View(best, replace(best, action=action_of(drawn), reasons=reasons))
    return views


def challenger_views(asked: Asked, loaded: PolicyInUse | None) -> list[Recommendation | None]:
    """Return what the challenger would do; it explains nothing, as nobody is shown it."""
    views: list[Recommendation | None] = [None] * len(asked.states)
    if loaded is None or not (rows := asked.known_to(loaded)):
        return views
    states, choices = asked.choices(loaded, rows)
    for at, row in enumerate(rows):
        views[row] = _told(loaded, choices, at, states.entities[at])
    return views


def _told(loaded: PolicyInUse, choices: Choices, at: int, entity: Entity) -> Recommendation:
    """Return what the policy thinks best of one row, how sure it is, and all its chances."""
    return Recommendation(
        entity=entity,
        action=action_of(ARMS[int(choices.greedy[at])]),
        source=Source.POLICY,
        reasons=(),
        model=ModelRef(loaded.name, loaded.version),
        confidence=float(choices.confidence[at]),
        pmf=dict(zip(ARMS, choices.pmf[at].tolist(), strict=True)),
    )
