"""Who decides in a simulated account: nobody, the rules, chance, a policy, or the oracle.

Reads   a `Look`: states, open arms, what the rules recommend.
Gives   a recommendation for each ad set, as the arbiter would show it.
Never   acts, and never sees more than a look shows: but for the oracle, which is no policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Action, ActionType, Arm, action_of
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import Mode, Reason, Recommendation, Source
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.oracle import best_actions
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.judgement.arbiter import arbitrate
from intel_ml.learning.simulation.journal import Journal

NOTHING, RULES, RANDOM, ORACLE = "do-nothing", "rules", "random", "oracle"
#: The deciders every policy is compared with.
YARDSTICKS = (NOTHING, RULES, RANDOM, ORACLE)
Shown = list[Recommendation | None]
_POLICY_SAYS = Reason("the policy's draw")
_TRUTH_SAYS = Reason("the most profitable change in truth")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a world: its delivering ad sets, row by row.

    `rests` says which of them are to be left alone for now; `min_confidence` is what the arbiter
    asks of a policy before its view is shown.
    """

    world: World
    states: States
    allowed: NDArray[np.bool_]
    rests: NDArray[np.bool_]
    keys: Sequence[str]
    rules: Mapping[int, Recommendation]
    min_confidence: float


class Decider(Protocol):
    """Decides look by look."""

    name: str

    def recommend(self, look: Look) -> Shown:
        """Return what is shown for each row; None is nothing."""
        ...

    def learn(self, journal: Journal) -> None:
        """Learn from everything that is over."""
        ...


class Nothing:
    """Leaves everything alone."""

    name = NOTHING

    def recommend(self, look: Look) -> Shown:
        """Return nothing for anything."""
        return [None] * len(look.states)

    def learn(self, journal: Journal) -> None:
        """Learn nothing."""


class Rules(Nothing):
    """The account's rules alone."""

    name = RULES

    def recommend(self, look: Look) -> Shown:
        """Return what the rules recommend."""
        return [look.rules.get(row) for row in range(len(look.states))]


class PolicyAlone(Nothing):
    """A policy whose draw is shown whatever the rules say; chance is one of them."""

    def __init__(self, policy: Policy, *, name: str) -> None:
        self.policy, self.name = policy, name

    def recommend(self, look: Look) -> Shown:
        """Return what the policy drew."""
        return [view for view, _ in _views(self.policy, look)]

    def learn(self, journal: Journal) -> None:
        """Let the policy learn afresh; before the first outcome there is nothing to learn."""
        if journal.has_outcomes:
            self.policy = self.policy.fit(journal.log())


class PolicyWithRules(PolicyAlone):
    """A policy as it is used live: shown where it is sure enough, with the rules as its floor."""

    def recommend(self, look: Look) -> Shown:
        """Return what the arbiter shows."""
        return [
            arbitrate(
                rules=look.rules.get(row),
                policy=view if sure >= look.min_confidence else None,
                mode=Mode.LIVE,
            )
            for row, (view, sure) in enumerate(_views(self.policy, look))
        ]


class Oracle(Nothing):
    """The best arm of each ad set over the next hours, in truth; greedy, one look at a time."""

    name = ORACLE

    def __init__(self, *, hours: int) -> None:
        self.hours = hours

    def recommend(self, look: Look) -> Shown:
        """Return the most profitable open arm."""
        actions = {
            entity: [action_of(ARMS[at]) for at in np.flatnonzero(look.allowed[row])]
            for row, entity in enumerate(look.states.entities)
            if not look.rests[row]
        }
        best = best_actions(look.world, actions, hours=self.hours)
        shown: Shown = []
        for entity in look.states.entities:
            action = best[entity][0] if entity in best else action_of(Arm.MAINTAIN)
            acts = action.type is not ActionType.DO_NOTHING
            shown.append(_told(entity, action) if acts else None)
        return shown


def _told(entity: Entity, action: Action) -> Recommendation:
    return Recommendation(entity, action, Source.POLICY, (_TRUTH_SAYS,))


def chance() -> PolicyAlone:
    """Return the decider that picks any open arm."""
    return PolicyAlone(make_policy("uniform"), name=RANDOM)


def _views(policy: Policy, look: Look) -> list[tuple[Recommendation, float]]:
    """Return (recommendation, confidence) of each row."""
    if not len(look.states):
        return []
    choices = policy.choose(look.states, allowed=look.allowed, keys=look.keys)
    return [
        (
            Recommendation(
                entity=entity,
                action=action_of(choices.arm(row)),
                source=Source.POLICY,
                reasons=(_POLICY_SAYS,),
                confidence=float(choices.confidence[row]),
                pmf=dict(zip(ARMS, choices.pmf[row].tolist(), strict=True)),
            ),
            float(choices.confidence[row]),
        )
        for row, entity in enumerate(look.states.entities)
    ]
