"""Rules beside the policy: one view an entity, before anything is drawn.

Reads   states, standings, the rules in force, and a loaded policy where there is one.
Gives   `Judged`: both opinions, what the arbiter shows, and the change it comes to within the
        limits.
Never   proposes, logs or draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Action, ActionType, Arm, action_of, arm_of
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import Mode, ModelRef, Reason, Recommendation, Source
from intel_ml.features.states import States
from intel_ml.features.states import Value as Observed
from intel_ml.intelligence.policy.protocol import Choices, Policy
from intel_ml.judgement.arbiter import arbitrate
from intel_ml.judgement.rules import Evaluation, ExecutionMode, Hit, Rule, evaluate
from intel_ml.operations import values
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing, allowed_arms, objection

#: What a rule may ask for that only people can do: it is said, not proposed.
_SAID_ONLY = frozenset(
    {ActionType.NOTIFY_ONLY, ActionType.ADJUST_BID, ActionType.DUPLICATE, ActionType.ACTIVATE}
)


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
class Judges:
    """Who judges, and under which limits."""

    rules: Sequence[Rule]
    policy: PolicyInUse | None
    archetypes: Mapping[Entity, str]
    mode: Mode
    limits: Limits
    currency: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was thought of one entity.

    `action` is what is to be proposed, None when nothing is (and `withheld` says why).
    """

    standing: Standing
    state: Mapping[str, Observed]
    allowed: NDArray[np.bool_]
    rules: Recommendation | None
    policy: Recommendation | None
    shown: Recommendation | None
    rule: Rule | None
    action: Action | None
    reasons: tuple[Reason, ...]
    withheld: str | None
    archetype: str | None = None

    @property
    def arm(self) -> Arm:
        """The arm nearest to what is to be proposed."""
        return Arm.MAINTAIN if self.action is None else arm_of(self.action) or Arm.MAINTAIN

    @property
    def policy_arm(self) -> Arm | None:
        """The arm the policy would choose, None where there is no policy."""
        return None if self.policy is None else arm_of(self.policy.action)

    @property
    def base(self) -> NDArray[np.float64]:
        """The distribution of the shown arm, before hold-out and exploration."""
        shown = self.shown
        if shown is not None and shown.source is Source.POLICY and self.withheld is None:
            return np.array([shown.pmf.get(arm, 0.0) for arm in ARMS])
        return np.array([float(arm is self.arm) for arm in ARMS])


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The views of all entities, and what the rules looked at."""

    judged: tuple[Judged, ...]
    evaluation: Evaluation

    @property
    def said(self) -> tuple[Hit, ...]:
        """The hits that are to be said, not proposed."""
        return tuple(hit for hit in self.evaluation.hits if not _acts(hit))


def judge(
    states: States, standings: Mapping[Entity, Standing], judges: Judges, *, keys: Sequence[str]
) -> Verdicts:
    """Return what rules and policy make of each entity; `keys` seed the policy's draws."""
    evaluation = evaluate(judges.rules, states, currency=judges.currency)
    acting = tuple(hit for hit in evaluation.hits if _acts(hit))
    recommended = replace(evaluation, hits=acting).recommendations()
    rules = {rule.id: rule for rule in judges.rules}
    rows = [states.state(row) for row in range(len(states))]
    places = [standings[entity] for entity in states.entities]
    allowed = [
        allowed_arms(place, row, limits=judges.limits)
        for place, row in zip(places, rows, strict=True)
    ]
    views = _policy_views(states, allowed, judges, keys=keys)
    judged = []
    for row, (place, state) in enumerate(zip(places, rows, strict=True)):
        said = recommended.get(row)
        winner = rules.get(said.rule.id) if said is not None and said.rule is not None else None
        view = views[row]
        shown = arbitrate(rules=said, policy=_gated(view, judges), mode=judges.mode)
        one = Judged(
            place,
            state,
            allowed[row],
            said,
            view,
            shown,
            winner,
            None,
            (),
            None,
            judges.archetypes.get(place.entity),
        )
        judged.append(_limited(one, judges.limits))
    return Verdicts(tuple(judged), evaluation)


def _acts(hit: Hit) -> bool:
    suggests = hit.rule.execution_mode is ExecutionMode.SUGGESTION_ONLY
    return not suggests and hit.rule.action.type not in _SAID_ONLY


def _gated(view: Recommendation | None, judges: Judges) -> Recommendation | None:
    """Return the policy's view where it is sure enough to be shown."""
    if view is None or judges.mode is Mode.SHADOW:
        return view
    return view if (view.confidence or 0.0) >= judges.limits.min_confidence_for_auto else None


def _limited(one: Judged, limits: Limits) -> Judged:
    """Return the view with the change it comes to.

    Clamped to the limits, or withheld with the reason.
    """
    shown = one.shown
    if shown is None or shown.action.type is ActionType.DO_NOTHING:
        return one
    action, reasons = clamped(shown.action, limits=limits)
    category = one.rule.category if one.rule is not None and shown.source is Source.RULES else None
    against = one.standing.busy or objection(action, one.standing, one.state, category=category)
    reasons = (*shown.reasons, *reasons)
    if against is not None:
        return replace(one, reasons=reasons, withheld=against)
    return replace(one, action=action, reasons=reasons)


def clamped(action: Action, *, limits: Limits) -> tuple[Action, tuple[Reason, ...]]:
    """Return the action within the largest single change, and why, where that made it smaller.

    >>> clamped(Action(ActionType.DECREASE_BUDGET, -50), limits=Limits())[0].percent
    -30
    """
    most, percent = limits.max_budget_change_percent, action.percent or 0
    if action.type not in values.BUDGET_TYPES or abs(percent) <= most:
        return action, ()
    why = f"asked for {abs(percent)}%; one change moves a budget by {most}% at most"
    reason = Reason(
        why, observed=float(abs(percent)), operator="<=", threshold=float(most), unit="%"
    )
    return Action(action.type, most if percent > 0 else -most), (reason,)


def _policy_views(
    states: States, allowed: Sequence[NDArray[np.bool_]], judges: Judges, *, keys: Sequence[str]
) -> list[Recommendation | None]:
    loaded = judges.policy
    if loaded is None or not len(states):
        return [None] * len(states)
    views: list[Recommendation | None] = [None] * len(states)
    levels = loaded.policy.entity_types
    rows = [row for row, e in enumerate(states.entities) if not levels or e.type in levels]
    if not rows:
        return views
    asked = states.take(rows)
    choices = loaded.policy.choose(
        asked, allowed=np.vstack([allowed[row] for row in rows]), keys=[keys[row] for row in rows]
    )
    for at, row in enumerate(rows):
        views[row] = _view(asked, at, choices, judges, loaded)
    return views


def _view(
    states: States, row: int, choices: Choices, judges: Judges, loaded: PolicyInUse
) -> Recommendation:
    drawn = choices.arms[row] if judges.mode is Mode.LIVE else choices.greedy[row]
    arm = ARMS[int(drawn)]
    entity = states.entities[row]
    return Recommendation(
        entity=entity,
        action=action_of(arm),
        source=Source.POLICY,
        reasons=tuple(loaded.policy.explain(states, row, arm)),
        model=ModelRef(loaded.name, loaded.version),
        confidence=float(choices.confidence[row]),
        pmf=dict(zip(ARMS, choices.pmf[row].tolist(), strict=True)),
        archetype=judges.archetypes.get(entity),
    )
