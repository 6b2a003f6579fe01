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
from datetime import datetime
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
from intel_ml.operations.contexts import AccountContext, read_context
from intel_ml.operations.decision_rows import (
    Decided,
    Moment,
    decision_id,
    log_decisions,
    row_texts,
)
from intel_ml.operations.drawing import certain
from intel_ml.operations.judging import Judged, Judges, PolicyInUse, judge
from intel_ml.operations.limits import Limits
from intel_ml.operations.standing import Standing
from intel_ml.operations.values import ACTIVE, Value

REQUEST = "request"
NO_POLICY = "No usable model: answered by the rules alone."

Subject = Entity | Mapping[str, Observed]


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
    considered = consider(replace(context, account=account), subjects, asking)
    with store.session() as session:
        log_decisions(session, considered.moment, considered.decided)
    return list(considered.answers)


def consider(context: AccountContext, subjects: Sequence[Subject], asking: Asking) -> Considered:
    """Return what rules and policy say of each; reads nothing, writes nothing."""
    states, standing, keys = _lined_up(context, subjects, asking)
    judges = Judges(
        rules=context.rules,
        policy=asking.policy,
        archetypes=asking.archetypes or {},
        mode=asking.mode or context.account.mode,
        limits=asking.limits,
        currency=context.account.currency,
        challenger=asking.challenger,
        cells=context.cells,
    )
    verdicts = judge(states, standing, judges, keys=keys)
    decided = tuple(
        Decided(key, one, certain(_shown_arm(one)))
        for key, one in zip(keys, verdicts.judged, strict=True)
    )
    unknown = {name: count for name, count in verdicts.evaluation.unknown.items() if count}
    return Considered(
        tuple(_answer(one.id, one.judged, judges, asking, unknown=unknown) for one in decided),
        Moment(asking.now, REQUEST, judges.mode, features_hash()),
        decided,
    )


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
) -> tuple[States, dict[Entity, Standing], list[DecisionId]]:
    account = context.account
    if len(subjects) == 1 and isinstance(only := subjects[0], Entity) and only in context.states:
        # The columns are there already: to make them again would cost more than the rules.
        one = replace(context.states[only], moments=(asking.now,))
        key = decision_id(only, as_of=asking.now, trigger=REQUEST)
        return one, {only: context.places[only]}, [key]
    entities, values, standing = [], [], {}
    for number, subject in enumerate(subjects):
        if isinstance(subject, Entity):
            place = context.places.get(subject)
            if place is None or subject.account != account.id:
                raise NotFoundError(f"There is no {subject.type} '{subject.id}' in {account.id}.")
            state, entity = context.states[subject].state(0), subject
        else:
            state = checked_state(subject)
            entity, place = _imagined(account, state, asking, number=number)
        entities.append(entity)
        values.append(state)
        standing[entity] = place
    keys = [decision_id(one, as_of=asking.now, trigger=REQUEST) for one in entities]
    states = states_of(values, entities=entities, moments=[asking.now] * len(entities))
    return states, standing, keys


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


def _answer(
    key: DecisionId, one: Judged, judges: Judges, asking: Asking, *, unknown: Mapping[str, int]
) -> Answer:
    warnings = [] if one.policy is not None else [NO_POLICY]
    warnings += [
        f"Rule '{name}' could not be judged: a value it needs is unknown." for name in unknown
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
        mode=judges.mode,
        shown=one.shown.source if one.shown else None,
        as_of=asking.now,
        rules=one.rules,
        policy=one.policy,
        agreement=agreement,
        warnings=tuple(warnings),
    )
