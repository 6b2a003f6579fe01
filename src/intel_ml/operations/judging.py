"""Rules beside the policy: one view an entity, before anything is drawn.

Reads   states, standings, the rules in force, and a loaded policy where there is one.
Gives   `Judged`: both opinions, what the arbiter shows, and the change it comes to within the
        limits.
Never   proposes, logs or draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Action, ActionType, Arm, arm_of
from intel_ml.core.ids import Entity
from intel_ml.core.recommendations import Mode, Reason, Recommendation, Source
from intel_ml.features.states import States
from intel_ml.features.states import Value as Observed
from intel_ml.judgement.arbiter import arbitrate, landed
from intel_ml.judgement.rules import Evaluation, ExecutionMode, Hit, Rule, evaluate
from intel_ml.learning.cells import NO_ARCHETYPE, Cell, CellMode
from intel_ml.operations import values
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing, allowed_arms, objection
from intel_ml.operations.views import Asked, PolicyInUse, View, challenger_views, policy_views

#: What a rule may ask for that only people can do: it is said, not proposed.
_SAID_ONLY = frozenset(
    {ActionType.NOTIFY_ONLY, ActionType.ADJUST_BID, ActionType.DUPLICATE, ActionType.ACTIVATE}
)


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges, and under which limits.

    `draws`: whether a live policy is shown as it draws, or always with what it thinks best.
    """

    rules: Sequence[Rule]
    policy: PolicyInUse | None
    archetypes: Mapping[Entity, str]
    mode: Mode
    limits: Limits
    currency: str
    challenger: PolicyInUse | None = None
    cells: Mapping[tuple[str, Arm], Cell] = field(default_factory=dict)
    draws: bool = True

    @property
    def follows(self) -> bool:
        """Whether what a policy draws is shown."""
        return self.mode is Mode.LIVE and self.draws

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

    `policy` is what it thinks best; `action` is what is to be proposed, None when nothing is (and
    `withheld` says why). The `challenger` is asked and logged, never shown. `rules_arm` is the arm
    the rules come to within the limits; where one `follows_policy`, what it has `drawn` from
    `shares` is shown save in cells that are held back, and `surely` is what would be shown had it
    drawn what it thinks best (None: it did).
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
    surely: Judged | None = None
    drawn: Arm | None = None
    shares: Mapping[Arm, float] = field(default_factory=dict)

    @property
    def arm(self) -> Arm:
        """The arm nearest to what is to be proposed."""
        return Arm.MAINTAIN if self.action is None else arm_of(self.action) or Arm.MAINTAIN

    @property
    def policy_arm(self) -> Arm | None:
        """The arm the policy would choose, None where there is no policy."""
        return None if self.policy is None else arm_of(self.policy.action)

    @property
    def is_tried(self) -> bool:
        """Whether a policy's draw is shown that neither it nor a rule thinks best."""
        shown = self.shown
        if shown is None or shown.source is not Source.POLICY:
            return False
        return arm_of(shown.action) not in (self.policy_arm, self.rules_arm)

    @property
    def settled(self) -> Judged:
        """The same with nothing left to chance: the policy's draw is what it thinks best."""
        return replace(self.surely or self, follows_policy=False, surely=None)

    def within(self, open_: NDArray[np.bool_]) -> Judged:
        """Return the same where a draw that is not open is taken for what the policy thinks best.

        What a rule asks for is no try, and stays as it is.
        """
        best = self.policy_arm
        kept = {
            best,
            self.rules_arm,
            *(a for a, is_open in zip(ARMS, open_, strict=True) if is_open),
        }
        if not self.follows_policy or best is None or kept.issuperset(ARMS):
            return self
        shares = {arm: share if arm in kept else 0.0 for arm, share in self.shares.items()}
        shares[best] += sum(share for arm, share in self.shares.items() if arm not in kept)
        one = self if self.surely is None or self.drawn in kept else self.surely
        return replace(one, shares=shares, surely=None if one is self.surely else self.surely)

    @property
    def base(self) -> NDArray[np.float64]:
        """The distribution of the shown arm, before hold-out and exploration."""
        if self.policy is None or not self.follows_policy:
            return np.array([float(arm is self.arm) for arm in ARMS])
        pmf = landed(self.shares, rules=self.rules_arm, held_back=self.held_back)
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
    asked = Asked(states, allowed, keys)
    views = policy_views(asked, judges.policy, archetypes=judges.archetypes, draws=judges.follows)
    others = challenger_views(asked, judges.challenger)
    judged = []
    for row, (place, state) in enumerate(zip(places, rows, strict=True)):
        said = recommended.get(row)
        winner = rules.get(said.rule.id) if said is not None and said.rule is not None else None
        archetype = judges.archetypes.get(place.entity)
        one = Judged(
            place,
            state,
            allowed[row],
            said,
            None,
            None,
            winner,
            None,
            (),
            None,
            archetype,
            others[row],
            rules_arm=_rules_arm(said, winner, place, state, judges.limits),
            held_back=judges.held_back(archetype),
        )
        judged.append(_with_view(one, views[row], judges))
    return Verdicts(tuple(judged), evaluation)


def _with_view(one: Judged, view: View | None, judges: Judges) -> Judged:
    """Return the judgement with what the policy thinks, and what the arbiter shows of it."""
    if view is None or not _speaks(view.best, judges):
        heard = None if view is None else view.best
        return _limited(replace(one, policy=heard, shown=one.rules), judges.limits)
    one = replace(one, policy=view.best, follows_policy=judges.follows, shares=dict(view.best.pmf))
    best = _limited(_arbitrated(one, view.best, judges), judges.limits)
    best = replace(best, drawn=best.policy_arm)
    if view.drawn is view.best:
        return best
    shown = _limited(_arbitrated(one, view.drawn, judges), judges.limits)
    return replace(shown, drawn=arm_of(view.drawn.action), surely=best)


def _arbitrated(one: Judged, told: Recommendation, judges: Judges) -> Judged:
    mode = Mode.SHADOW if arm_of(told.action) in one.held_back else judges.mode
    return replace(one, shown=arbitrate(rules=one.rules, policy=told, mode=mode))


def _rules_arm(
    said: Recommendation | None,
    rule: Rule | None,
    place: Standing,
    state: Mapping[str, Observed],
    limits: Limits,
) -> Arm | None:
    """Return the arm the rules come to: leaving alone where what they ask for may not be done."""
    if said is None:
        return None
    action = clamped(said.action, limits=limits)[0]
    category = None if rule is None else rule.category
    if objection(action, place, state, category=category) is not None:
        return Arm.MAINTAIN
    return arm_of(action)


def _acts(hit: Hit) -> bool:
    suggests = hit.rule.execution_mode is ExecutionMode.SUGGESTION_ONLY
    return not suggests and hit.rule.action.type not in _SAID_ONLY


def _speaks(view: Recommendation, judges: Judges) -> bool:
    """Return whether the policy is sure enough to be shown; in shadow it is logged however sure."""
    if judges.mode is Mode.SHADOW:
        return True
    return (view.confidence or 0.0) >= judges.limits.min_confidence_for_auto


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
