"""Rules beside the policy: one view an entity, before anything is drawn.

Reads   states, standings, the rules in force, and a loaded policy where there is one.
Gives   `Judged`: both opinions, what the arbiter shows, and the change it comes to within the
        limits.
Never   proposes, logs or draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Action, ActionType, Arm, action_of, arm_of
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import Mode, ModelRef, Reason, Recommendation, Source
from intel_ml.features.states import States
from intel_ml.features.states import Value as Observed
from intel_ml.intelligence.policy.protocol import Choices, Policy
from intel_ml.judgement.arbiter import arbitrate, landed
from intel_ml.judgement.rules import Evaluation, ExecutionMode, Hit, Rule, evaluate
from intel_ml.learning.cells import NO_ARCHETYPE, Cell, CellMode
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
    challenger: PolicyInUse | None = None
    cells: Mapping[tuple[str, Arm], Cell] = field(default_factory=dict)

    def held_back(self, archetype: str | None) -> frozenset[Arm]:
        """Return the arms whose cell is in shadow though the account is not."""
        own = archetype or NO_ARCHETYPE
        return frozenset(
            arm
            for (name, arm), cell in self.cells.items()
            if name == own and cell.mode is CellMode.SHADOW
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What was thought of one entity.

    `action` is what is to be proposed, None when nothing is (and `withheld` says why). The
    `challenger` is asked and logged, never shown. `rules_arm` is the arm nearest to what the rules
    come to; where one `follows_policy`, its draw is shown save in cells that are held back.
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
    challenger: Recommendation | None = None
    rules_arm: Arm | None = None
    follows_policy: bool = False
    held_back: frozenset[Arm] = frozenset()

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
        if self.policy is None or not self.follows_policy or self.withheld is not None:
            return np.array([float(arm is self.arm) for arm in ARMS])
        pmf = landed(self.policy.pmf, rules=self.rules_arm, held_back=self.held_back)
        return np.array([pmf[arm] for arm in ARMS])


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
    others = _challenger_views(states, allowed, judges, keys=keys)
    judged = []
    for row, (place, state) in enumerate(zip(places, rows, strict=True)):
        said = recommended.get(row)
        winner = rules.get(said.rule.id) if said is not None and said.rule is not None else None
        view = views[row]
        archetype = judges.archetypes.get(place.entity)
        gated, held_back = _gated(view, judges), judges.held_back(archetype)
        drawn = None if view is None else arm_of(view.action)
        mode = Mode.SHADOW if drawn in held_back else judges.mode
        shown = arbitrate(rules=said, policy=gated, mode=mode)
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
            archetype,
            others[row],
            rules_arm=arm_of(clamped(said.action, limits=judges.limits)[0]) if said else None,
            follows_policy=judges.mode is Mode.LIVE and gated is not None,
            held_back=held_back,
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
    views: list[Recommendation | None] = [None] * len(states)
    if loaded is None or not (rows := _known(loaded, states)):
        return views
    asked, choices = _choices(loaded, states, allowed, rows=rows, keys=keys)
    for at, row in enumerate(rows):
        views[row] = _view(asked, at, choices, judges, loaded)
    return views


def _challenger_views(
    states: States, allowed: Sequence[NDArray[np.bool_]], judges: Judges, *, keys: Sequence[str]
) -> list[Recommendation | None]:
    """Return what the challenger would do; it explains nothing, as nobody is shown it."""
    loaded = judges.challenger
    views: list[Recommendation | None] = [None] * len(states)
    if loaded is None or not (rows := _known(loaded, states)):
        return views
    _, choices = _choices(loaded, states, allowed, rows=rows, keys=keys)
    for at, row in enumerate(rows):
        views[row] = Recommendation(
            entity=states.entities[row],
            action=action_of(ARMS[int(choices.greedy[at])]),
            source=Source.POLICY,
            reasons=(),
            model=ModelRef(loaded.name, loaded.version),
            confidence=float(choices.confidence[at]),
            pmf=dict(zip(ARMS, choices.pmf[at].tolist(), strict=True)),
        )
    return views


def _known(loaded: PolicyInUse, states: States) -> list[int]:
    """Return the rows of the levels that the policy learned of."""
    levels = loaded.policy.entity_types
    return [row for row, e in enumerate(states.entities) if not levels or e.type in levels]


def _choices(
    loaded: PolicyInUse,
    states: States,
    allowed: Sequence[NDArray[np.bool_]],
    *,
    rows: Sequence[int],
    keys: Sequence[str],
) -> tuple[States, Choices]:
    asked = states if len(rows) == len(states) else states.take(rows)
    mask = np.array([allowed[row] for row in rows])
    return asked, loaded.policy.choose(asked, allowed=mask, keys=[keys[row] for row in rows])


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
