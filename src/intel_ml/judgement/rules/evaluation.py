"""All rules against all entities at once, and what they recommend.

Reads   rules and the states of entities.
Gives   an `Evaluation`: hits with their reasons, what stayed unknown, the winning recommendations.
Never   lets a missing value fire a rule; never acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intel_ml.core.actions import ActionType
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Reason, Recommendation, RuleRef, Source
from intel_ml.features.states import States
from intel_ml.judgement.rules.compiler import Columns, Mask, compiled
from intel_ml.judgement.rules.language import Rule
from intel_ml.judgement.rules.rows import holds
from intel_ml.judgement.rules.sentences import reasons

#: Between rules of one priority, the more protective action wins; a notice never wins over an act.
_PRECEDENCE = (
    *(ActionType.PAUSE, ActionType.DECREASE_BUDGET, ActionType.INCREASE_BUDGET),
    *(ActionType.ACTIVATE, ActionType.ADJUST_BID, ActionType.DUPLICATE),
    *(ActionType.DO_NOTHING, ActionType.NOTIFY_ONLY),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that definitely holds for the entity of a row."""

    rule: Rule
    row: int
    reasons: tuple[Reason, ...]

    @property
    def is_notice(self) -> bool:
        """Whether the rule only tells people something."""
        return self.rule.action.type is ActionType.NOTIFY_ONLY


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What rules found: `unknown` counts, for each rule, the entities it could not judge."""

    states: States
    hits: tuple[Hit, ...]
    unknown: dict[str, int]
    checked: int

    @property
    def notices(self) -> tuple[Hit, ...]:
        """The hits that only tell people something."""
        return tuple(hit for hit in self.hits if hit.is_notice)

    def recommendations(self) -> dict[int, Recommendation]:
        """Return the winning recommendation of each row that has a hit.

        Acting rules come before notices, then the highest priority, then the most protective
        action, then the rule that was given first.
        """
        winners: dict[int, Hit] = {}
        for hit in self.hits:
            if hit.row not in winners or _rank(hit) < _rank(winners[hit.row]):
                winners[hit.row] = hit
        return {row: _recommendation(self.states, hit) for row, hit in sorted(winners.items())}


def evaluate(rules: Sequence[Rule], states: States, *, currency: str | None = None) -> Evaluation:
    """Return what the active `rules` say of every state of their level.

    `currency` is the account's, for the amounts in the reasons; without it they are bare numbers.
    """
    if len(states) == 1:
        return _of_one(rules, states, currency=currency)
    columns = Columns(states)
    levels = _levels(states)
    hits: list[Hit] = []
    unknown: dict[str, int] = {}
    for rule in rules:
        if not rule.is_active:
            continue
        truth = compiled(rule.conditions)(columns)
        level = levels[rule.applies_to]
        unknown[rule.name] = unknown.get(rule.name, 0) + int(
            np.count_nonzero(truth.unknown & level)
        )
        hits.extend(
            Hit(rule, int(row), reasons(rule.conditions, states.state(int(row)), currency=currency))
            for row in np.flatnonzero(truth.true & level)
        )
    return Evaluation(states=states, hits=tuple(hits), unknown=unknown, checked=len(states))


def _of_one(rules: Sequence[Rule], states: States, *, currency: str | None) -> Evaluation:
    """Return the same for a single state, read plainly: columns of one row cost more than that."""
    state, level = states.state(0), states.entities[0].type
    hits: list[Hit] = []
    unknown: dict[str, int] = {}
    for rule in rules:
        if not rule.is_active:
            continue
        truth = holds(rule.conditions, state) if rule.applies_to == level else False
        unknown[rule.name] = unknown.get(rule.name, 0) + (truth is None)
        if truth:
            hits.append(Hit(rule, 0, reasons(rule.conditions, state, currency=currency)))
    return Evaluation(states=states, hits=tuple(hits), unknown=unknown, checked=1)


def _levels(states: States) -> dict[EntityType, Mask]:
    types = [entity.type for entity in states.entities]
    return {
        level: np.fromiter((one == level for one in types), dtype=np.bool_, count=len(types))
        for level in EntityType
    }


def _rank(hit: Hit) -> tuple[bool, int, int]:
    return hit.is_notice, -hit.rule.priority, _PRECEDENCE.index(hit.rule.action.type)


def _recommendation(states: States, hit: Hit) -> Recommendation:
    rule = hit.rule
    return Recommendation(
        entity=states.entities[hit.row],
        action=rule.action,
        source=Source.RULES,
        reasons=hit.reasons,
        rule=RuleRef(id=rule.id, version=rule.version, name=rule.name),
    )
