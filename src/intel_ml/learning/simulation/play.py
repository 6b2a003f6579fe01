"""The closed loop in a simulated world: look, measure, learn, decide, answer, act, day after day.

    value = profit of the days played, late reports included;  profit = margin * sales - spend

Reads   a world, a decider, the limits, perhaps an approver.
Gives   `Played`: what each account truly made on each day, and what was done.
Never   shows a decider anything that a platform could not see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.accounts import Account
from intel_ml.core.actions import ARMS, Action, ActionType, Arm, action_of, arm_of
from intel_ml.core.errors import InvalidValueError, PlatformError
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import Recommendation, Source, Verdict
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.approvers import Approver
from intel_ml.data.sandbox.ledger import Column
from intel_ml.features.states import States, Value
from intel_ml.judgement.rules import ExecutionMode, Rule, evaluate
from intel_ml.judgement.rules.templates import default_rules
from intel_ml.learning.simulation.deciders import Decider, Look
from intel_ml.learning.simulation.journal import Entry, Journal
from intel_ml.learning.simulation.limits import (
    Drawn,
    Limits,
    allowed_arms,
    certain,
    clamped,
    delivers,
    draw,
    objection,
)
from intel_ml.learning.simulation.looking import Observer, accounts_of

DAY_HOURS = 24
_SAID_ONLY = (ActionType.NOTIFY_ONLY, ActionType.ADJUST_BID, ActionType.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: (days, accounts) in minor units, and counts of what was done."""

    profit_minor: NDArray[np.int64]
    spend_minor: NDArray[np.int64]
    done: Mapping[str, int]
    journal: Journal


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be proposed for one ad set, before chance has its part."""

    action: Action | None
    base: NDArray[np.float64]
    rule_id: int | None

    @property
    def arm(self) -> Arm:
        return Arm.MAINTAIN if self.action is None else arm_of(self.action) or Arm.MAINTAIN


@dataclass(slots=True)
class _Loop:
    """One world being played."""

    world: World
    decider: Decider
    limits: Limits
    observer: Observer
    approver: Approver | None
    rules: Mapping[str, Sequence[Rule]]
    accounts: Mapping[str, Account]
    journal: Journal = field(default_factory=Journal)
    rests_until: dict[Entity, datetime] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def look(self) -> None:
        """Look once: measure what is due, learn, decide, act."""
        states, now = self.observer.look(self.world), self.world.now
        rows = states.all_states()
        self.journal.measure(dict(zip(states.entities, rows, strict=True)), now=now)
        self.decider.learn(self.journal)
        live = [
            row
            for row, entity in enumerate(states.entities)
            if delivers(self.world, self.world.node(entity.id))
        ]
        states, rows = states.take(live), [rows[row] for row in live]
        look, winners = self._look(states, rows)
        shown = self.decider.recommend(look)
        for row, entity in enumerate(states.entities):
            rule = winners.get(row)
            wish = self._wish(entity, rows[row], shown[row], rule)
            rests = bool(look.rests[row])
            entry = Entry(
                key=look.keys[row],
                entity=entity,
                as_of=now,
                state=rows[row],
                drawn=self._drawn(wish, look.allowed[row], key=look.keys[row], rests=rests),
                rule_id=None if rule is None else rule.id,
                source=_source(shown[row]),
            )
            self._answer(entry, wish, look.allowed[row])
            self.journal.add(entry)

    def _look(
        self, states: States, rows: Sequence[Mapping[str, Value]]
    ) -> tuple[Look, dict[int, Rule]]:
        now, recommended, winners = self.world.now, {}, {}
        for account, rules in self.rules.items():
            own = [row for row, one in enumerate(states.entities) if one.account == account]
            found = evaluate(rules, states.take(own), currency=self.accounts[account].currency)
            hits = tuple(hit for hit in found.hits if _acts(hit.rule))
            by_id = {rule.id: rule for rule in rules}
            for place, said in replace(found, hits=hits).recommendations().items():
                recommended[own[place]] = said
                if said.rule is not None:
                    winners[own[place]] = by_id[said.rule.id]
        allowed = np.array(
            [
                allowed_arms(self.world, self.world.node(entity.id), row, limits=self.limits)
                for entity, row in zip(states.entities, rows, strict=True)
            ]
        ).reshape(len(states), len(ARMS))
        rests = [self.rests_until.get(entity, now) > now for entity in states.entities]
        keys = [f"{entity.account}|{entity}|{now.isoformat()}" for entity in states.entities]
        look = Look(
            world=self.world,
            states=states,
            allowed=allowed,
            rests=np.array(rests, dtype=np.bool_),
            keys=[f"{self.world.seed}|{key}" for key in keys],
            rules=recommended,
            min_confidence=self.limits.min_confidence,
        )
        return look, winners

    def _wish(
        self,
        entity: Entity,
        state: Mapping[str, Value],
        shown: Recommendation | None,
        rule: Rule | None,
    ) -> _Wish:
        """Return the shown change within the limits; nothing where something speaks against it."""
        rule_id = None if rule is None else rule.id
        nothing = _Wish(None, _point(Arm.MAINTAIN), rule_id)
        if shown is None:
            return nothing
        base = np.array([shown.pmf.get(arm, 0.0) for arm in ARMS]) if shown.pmf else None
        if shown.action.type is ActionType.DO_NOTHING:
            return nothing if base is None else replace(nothing, base=base)
        action = clamped(shown.action, limits=self.limits)
        by_rule = rule is not None and shown.source is Source.RULES
        category = rule.category if rule is not None and by_rule else None
        node = self.world.node(entity.id)
        if objection(self.world, node, state, action=action, category=category) is not None:
            return nothing
        wish = _Wish(action, np.zeros(len(ARMS)), rule_id)
        return replace(wish, base=_point(wish.arm) if base is None else base)

    def _drawn(self, wish: _Wish, allowed: NDArray[np.bool_], *, key: str, rests: bool) -> Drawn:
        if rests:
            return certain(Arm.MAINTAIN)
        return draw(wish.arm, base=wish.base, allowed=allowed, limits=self.limits, key=key)

    def _answer(self, entry: Entry, wish: _Wish, allowed: NDArray[np.bool_]) -> None:
        """Let the approver answer what is proposed, and do what is left of it."""
        now, arm = entry.as_of, entry.drawn.arm
        if entry.drawn.is_held_out:
            self.done["held_out"] += 1
            self.rests_until[entry.entity] = now + self.limits.held_out
        if arm is Arm.MAINTAIN:
            return
        self.done["proposed"] += 1
        same = wish.action is not None and arm is wish.arm
        action = wish.action if same and wish.action is not None else action_of(arm)
        if self.approver is not None:
            said = self.approver.judge(
                key=entry.key, arm=arm, state=entry.state, entity_id=entry.entity.id
            )
            entry.verdict = None if said.verdict is None else said.verdict.value
            entry.reason = said.reason
            self.done[entry.verdict or "expired"] += 1
            other = said.alternative
            if said.verdict is Verdict.MODIFIED and other and allowed[ARMS.index(other)]:
                action, entry.source = action_of(other), "human"
            elif said.verdict is not Verdict.APPROVED:
                self.rests_until[entry.entity] = now + self.limits.rejected
                return
        self._act(entry, action)

    def _act(self, entry: Entry, action: Action) -> None:
        try:
            self.world.apply(entry.entity, action)
        except PlatformError:
            self.done["failed"] += 1
            return
        entry.executed = arm_of(action) or Arm.MAINTAIN
        self.done["executed"] += 1
        self.done[entry.executed.value] += 1
        self.rests_until[entry.entity] = entry.as_of + self.limits.cooldown


def play(  # noqa: PLR0913  # a world, who decides, and under which conditions
    world: World,
    decider: Decider,
    *,
    days: int,
    limits: Limits | None = None,
    approver: Approver | None = None,
    observer: Observer | None = None,
) -> Played:
    """Play `days` from now on, a look at the beginning of each; the world is moved on.

    With an approver every proposal waits for one answer; without, all of them are done.
    """
    if days < 1:
        raise InvalidValueError(path="days", problem="must be at least 1")
    own = observer or Observer()
    accounts: dict[str, Account] = {one.id: one for one in accounts_of(world)}
    rules: dict[str, list[Rule]] = {
        key: _numbered(default_rules(account)) for key, account in accounts.items()
    }
    loop = _Loop(world, decider, limits or Limits(), own, approver, rules, accounts)
    first = world.hour
    try:
        for _ in range(days):
            loop.look()
            world.advance(DAY_HOURS)
    finally:
        if observer is None:
            own.__exit__()
    profit, spend = _truth(world, first=first, days=days)
    return Played(profit, spend, dict(loop.done), loop.journal)


def _truth(world: World, *, first: int, days: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (profit, spend) of shape (days, accounts)."""
    bounds = [(first + n * DAY_HOURS, first + (n + 1) * DAY_HOURS) for n in range(days)]
    population = world.population
    account = population.adset_traits.account[population.ad_traits.adset]
    sums = world.ledger.windows(bounds, ads=np.arange(len(population.ads)))
    profit, spend = [], []
    for row, one in enumerate(population.accounts):
        inside = sums[:, :, account == row].sum(axis=2)
        spend.append(inside[Column.SPEND])
        value = np.round(inside[Column.TRUE_VALUE] * one.margin).astype(np.int64)
        profit.append(value - inside[Column.SPEND])
    return np.array(profit).T, np.array(spend).T


def _numbered(rules: Sequence[Rule]) -> list[Rule]:
    return [replace(rule, id=number) for number, rule in enumerate(rules, start=1)]


def _source(shown: Recommendation | None) -> str:
    return "model" if shown is not None and shown.source is Source.POLICY else "rule"


def _acts(rule: Rule) -> bool:
    suggests = rule.execution_mode is ExecutionMode.SUGGESTION_ONLY
    return not suggests and rule.action.type not in _SAID_ONLY


def _point(arm: Arm) -> NDArray[np.float64]:
    return np.array([float(arm is one) for one in ARMS])
