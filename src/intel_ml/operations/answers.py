"""What rules and policy would do with one entity that somebody asks about.

The cycle's own path, logged before it is answered.

Reads   an account's context; the entity's state in it, or a state that the caller brings.
Gives   an `Answer`: both opinions, which one is shown, and warnings about what was missing; and
        the rows of the decisions, which are written first.
Never   proposes, draws or acts.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from intel_ml.core.accounts import Account
from intel_ml.core.actions import Arm, arm_of
from intel_ml.core.errors import InvalidValueError, NotFoundError, UnknownNameError
from intel_ml.core.ids import AdAccountId, DecisionId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode, Recommendation, Source
from intel_ml.data.store.sessions import Store
from intel_ml.features.catalogue import Role, feature, features_hash, names
from intel_ml.features.states import States, states_of
from intel_ml.features.states import Value as Observed
from intel_ml.operations.contexts import (
    CONCLUDED_VALID,
    AccountContext,
    Concluded,
    read_context,
)
from intel_ml.operations.decision_rows import (
    Decided,
    Moment,
    decision_id,
    judged_text,
    log_decisions,
    row_texts,
)
from intel_ml.operations.drawing import certain
from intel_ml.operations.judging import Judged, Judges, judge
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing
from intel_ml.operations.values import ACTIVE, Value
from intel_ml.operations.views import PolicyInUse

REQUEST = "request"
NO_POLICY = "No usable model: answered by the rules alone."

Subject = Entity | Mapping[str, Observed]

_UNNAMED: Mapping[Entity, str] = {}


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question is to be answered.

    The moment, the limits, and the models that are handed in.
    """

    now: datetime
    limits: Limits
    policy: PolicyInUse | None = None
    challenger: PolicyInUse | None = None
    archetypes: Mapping[Entity, str] | None = None
    mode: Mode | None = None
    level: EntityType = EntityType.ADSET


@dataclass(frozen=True, slots=True)
class Answer:
    """What each says of one entity; `agreement` is None where only one of them speaks."""

    decision_id: DecisionId
    account_id: AdAccountId
    entity: Entity
    mode: Mode
    shown: Source | None
    as_of: datetime
    rules: Recommendation | None
    policy: Recommendation | None
    agreement: bool | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """The answers, and the rows that are to be written before anyone is given them."""

    answers: tuple[Answer, ...]
    moment: Moment
    decided: tuple[Decided, ...]

    @property
    def rows(self) -> list[str]:
        """The decisions as they are logged."""
        return row_texts(self.moment, self.decided)


def recommend(store: Store, account: Account, subject: Subject, asking: Asking) -> Answer:
    """Return what is recommended for one entity, or for a state that is given."""
    return recommend_many(store, account, [subject], asking)[0]


def recommend_many(
    store: Store, account: Account, subjects: Sequence[Subject], asking: Asking
) -> list[Answer]:
    """Return the same for many, in their order, with one reading of the account."""
    wanted = {one for one in subjects if isinstance(one, Entity)}
    context = read_context(store, account.id, limits=asking.limits, entities=wanted)
    checked = [one if isinstance(one, Entity) else checked_state(one) for one in subjects]
    considered = consider(replace(context, account=account), checked, asking)
    with store.session() as session:
        log_decisions(session, considered.moment, considered.decided)
    return list(considered.answers)


def consider(context: AccountContext, subjects: Sequence[Subject], asking: Asking) -> Considered:
    """Return what rules and policy say of each; reads nothing, writes nothing.

    A state that is given is one that `checked_state` let through. Asked about again while nothing
    changed, an entity is a decision of its own, concluded as the one before.
    """
    judges = Judges(
        rules=context.rules,
        policy=asking.policy,
        archetypes=_UNNAMED if asking.archetypes is None else asking.archetypes,
        mode=asking.mode or context.account.mode,
        limits=asking.limits,
        currency=context.account.currency,
        challenger=asking.challenger,
        cells=context.cells,
        draws=False,
    )
    only = subjects[0] if len(subjects) == 1 else None
    if isinstance(only, Entity) and only in context.states:
        keys = [decision_id(only, as_of=asking.now, trigger=REQUEST)]
        concluded = _concluded_before(context, only, judges, now=asking.now, keys=keys)
    else:
        states, standing = _lined_up(context, subjects, asking)
        keys = [decision_id(one, as_of=asking.now, trigger=REQUEST) for one in states.entities]
        concluded = _concluded(states, standing, judges, keys=keys)
    told = list(zip(keys, concluded, strict=True))
    return Considered(
        tuple(_answer(key, one, asking.now) for key, one in told),
        Moment(asking.now, REQUEST, judges.mode, features_hash()),
        tuple(Decided(key, one.judged, one.draw, one.text) for key, one in told),
    )


def _concluded_before(
    context: AccountContext,
    entity: Entity,
    judges: Judges,
    *,
    now: datetime,
    keys: Sequence[DecisionId],
) -> list[Concluded]:
    """Return what was concluded of an entity from these facts, or conclude it now."""
    found = context.concluded.get(entity)
    is_recent = found is not None and timedelta() <= now - found.at < CONCLUDED_VALID
    if found is None or not is_recent or not _are_same(found.judges, judges):
        states = replace(context.states[entity], moments=(now,))
        (found,) = _concluded(states, {entity: context.places[entity]}, judges, keys=keys)
        context.concluded[entity] = found
    return [found]


def _are_same(one: Judges, other: Judges) -> bool:
    """Return whether two questions of one account are for the same judges, object by object."""
    return (
        one.policy is other.policy
        and one.challenger is other.challenger
        and one.archetypes is other.archetypes
        and one.limits is other.limits
        and one.mode is other.mode
    )


def _concluded(
    states: States,
    standing: Mapping[Entity, Standing],
    judges: Judges,
    *,
    keys: Sequence[DecisionId],
) -> list[Concluded]:
    verdicts = judge(states, standing, judges, keys=keys)
    unknown = tuple(name for name, count in verdicts.evaluation.unknown.items() if count)
    draws = [certain(_shown_arm(one)) for one in verdicts.judged]
    return [
        Concluded(at, judges, one, draw, unknown, judged_text(one, draw))
        for at, one, draw in zip(states.moments, verdicts.judged, draws, strict=True)
    ]


def checked_state(given: Mapping[str, object]) -> dict[str, Observed]:
    """Return a state that somebody brings, or say which name or value cannot be."""
    known, state = names(role=Role.STATE), {}
    for name, value in given.items():
        if name not in known:
            raise UnknownNameError(kind="field", name=f"{name[:60]}", known=known)
        is_word = feature(name).is_word
        if value is not None and not (isinstance(value, str) if is_word else _is_finite(value)):
            wants = "a word" if is_word else "a finite number"
            raise InvalidValueError(path=f"state.{name}", problem=f"must be {wants} or null")
        state[name] = (
            value if value is None or isinstance(value, str) else float(cast("float", value))
        )
    return state


def _is_finite(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(cast("float", value))


def _lined_up(
    context: AccountContext, subjects: Sequence[Subject], asking: Asking
) -> tuple[States, dict[Entity, Standing]]:
    account = context.account
    entities, values, standing = [], [], {}
    for number, subject in enumerate(subjects):
        if isinstance(subject, Entity):
            place = context.places.get(subject)
            if place is None or subject.account != account.id:
                raise NotFoundError(f"There is no {subject.type} '{subject.id}' in {account.id}.")
            entity = subject
            values.append(context.states[subject].state(0))
        else:
            entity, place = _imagined(account, subject, asking, number=number)
            values.append(dict(subject))
        entities.append(entity)
        standing[entity] = place
    states = states_of(values, entities=entities, moments=[asking.now] * len(entities))
    return states, standing


def _imagined(
    account: Account, state: Mapping[str, Observed], asking: Asking, *, number: int
) -> tuple[Entity, Standing]:
    """Return an entity that exists in the question only, named by what is said of it."""
    told = json.dumps([number, state], sort_keys=True)
    name = f"state-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    entity = Entity(account.id, asking.level, EntityId(name))
    budget = state.get("daily_budget")
    minor = round(budget * account.currency_offset) if isinstance(budget, float | int) else None
    status = state.get("effective_status")
    place = Standing(
        entity=entity,
        name="the state in the question",
        value=Value(account.currency, minor, ACTIVE),
        effective_status=status if isinstance(status, str) else ACTIVE,
        is_budget_set_above=False,
        busy=None,
    )
    return entity, place


def _shown_arm(one: Judged) -> Arm:
    return Arm.MAINTAIN if one.shown is None else arm_of(one.shown.action) or Arm.MAINTAIN


def _answer(key: DecisionId, concluded: Concluded, now: datetime) -> Answer:
    one = concluded.judged
    warnings = [] if one.policy is not None else [NO_POLICY]
    warnings += [
        f"Rule '{name}' could not be judged: a value it needs is unknown."
        for name in concluded.unknown
    ]
    if one.withheld is not None:
        warnings.append(f"Nothing would be proposed now: {one.withheld}.")
    agreement = None
    if one.rules is not None and one.policy is not None:
        agreement = arm_of(one.rules.action) is one.policy_arm
    entity = one.standing.entity
    return Answer(
        decision_id=key,
        account_id=entity.account,
        entity=entity,
        mode=concluded.judges.mode,
        shown=one.shown.source if one.shown else None,
        as_of=now,
        rules=one.rules,
        policy=one.policy,
        agreement=agreement,
        warnings=tuple(warnings),
    )
