"""A request for a prediction, made sense of: whose account, which entity, which state.

Reads   parsed bodies, the caller's rights, the account's context.
Gives   a `Question`, or an error with the path and the nearest name.
Never   lets one tenant's token ask about another's entities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from intel_ml.core.accounts import Person
from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError, nearest_name
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import Role as Rights
from intel_ml.features.catalogue import Feature, Role, feature, names
from intel_ml.features.states import Value
from intel_ml.operations.contexts import AccountContext
from intel_ml.surfaces.api.answers import RecommendIn
from intel_ml.surfaces.api.callers import visible_account
from intel_ml.surfaces.api.refusals import path_of, unknown_field, wrong_input

#: The entity of a question that gives a state and no id.
EXPLICIT = EntityId("explicit")

M = TypeVar("M", bound=BaseModel)

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Question:
    """One question that makes sense; `state` is None where the platform's own is asked for.

    `with_cases`: whether past cases are to explain the answer.
    """

    context: AccountContext
    entity: Entity
    state: Mapping[str, Value] | None
    model: str | None
    warnings: tuple[str, ...]
    with_cases: bool = False


def parsed(model: type[M], body: Any) -> M:
    """Return the body as `model`, or say where it is wrong and what was probably meant."""
    if not isinstance(body, dict):
        raise InvalidValueError(path="body", problem="must be a JSON object")
    try:
        return model.model_validate(body)
    except ValidationError as error:
        known = RecommendIn if "requests" in body else model
        raise wrong_input(error.errors(), known=list(known.model_fields)) from None


def wanted(person: Person, asked: Sequence[RecommendIn]) -> dict[str, set[Entity]]:
    """Return which accounts the questions need, and which entities' states of each.

    Of accounts the person may not see nothing is read.
    """
    found: dict[str, set[Entity]] = {}
    for one in asked:
        account_id = one.account_id or (person.accounts[0] if person.accounts else "")
        if not person.may(Rights.VIEWER, account_id):
            continue
        entities = found.setdefault(account_id, set())
        if one.state is None and one.entity_id is not None:
            kind = one.entity_type or EntityType.ADSET
            entities.add(Entity(AdAccountId(account_id), kind, EntityId(one.entity_id)))
    return found


def question(
    person: Person, asked: RecommendIn, *, contexts: Mapping[str, AccountContext]
) -> Question:
    """Return what is asked, with the context of the account it is about."""
    warnings: tuple[str, ...] = ()
    account_id = asked.account_id
    if account_id is None:
        if asked.state is None or asked.entity_id is not None:
            raise InvalidValueError(
                path="account_id", problem="is missing", hint='Example: "account_id": "act_101".'
            )
        account_id = _any_account(person)
        warnings = (f"No account was named: the rules and the currency of {account_id} were used.",)
    visible_account(person, account_id)
    context = contexts[account_id]
    if asked.state is None and asked.entity_id is None:
        raise InvalidValueError(
            path="entity_id",
            problem="is missing",
            hint="Give an entity_id, or a state in its place.",
        )
    kind = asked.entity_type or EntityType.ADSET
    entity = Entity(context.account.id, kind, EntityId(asked.entity_id or EXPLICIT))
    if asked.entity_id is not None and entity not in context.places:
        raise NotFoundError(
            f"There is no {entity.type} '{entity.id}' in {entity.account}.",
            hint="It may not have been collected yet.",
        )
    state = None if asked.state is None else checked_state(asked.state, kind=kind)
    return Question(context, entity, state, asked.model, warnings, asked.explain is not None)


def at(index: int, error: IntelError) -> IntelError:
    """Return the error of one question of many, with its place among them in the path."""
    path = getattr(error, "path", None)
    error.path = path_of(["requests", index]) + (f".{path}" if path else "")  # type: ignore[attr-defined]
    return error


def checked_state(state: Mapping[str, Any], *, kind: EntityType) -> dict[str, Value]:
    """Return a state whose every field is one of the catalogue's, of its kind, and finite.

    >>> checked_state({"spend": 68.5, "conversions": None}, kind=EntityType.ADSET)
    {'spend': 68.5, 'conversions': None, 'entity_type': 'adset'}
    """
    known = _features()
    values: dict[str, Value] = {}
    for name, value in state.items():
        path = f"state.{name[:_LONGEST_SHOWN]}"
        if name not in known:
            raise unknown_field(path, list(known))
        values[name] = _value(known[name], value, path=path)
    return values | {"entity_type": values.get("entity_type") or str(kind)}


def _value(asked: Feature, value: Any, *, path: str) -> Value:
    if value is None:
        return None
    if asked.is_word:
        return _word(asked, value, path=path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(
            path=path, problem="must be a number or null", hint=f"{asked.name}: {asked.description}"
        )
    number = float(value)
    if not math.isfinite(number):
        raise InvalidValueError(path=path, problem="must be a finite number or null")
    return number


def _word(asked: Feature, value: Any, *, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(path=path, problem="must be a word or null", hint=_words(asked))
    if asked.words and value not in asked.words:
        near = nearest_name(value[:_LONGEST_SHOWN], asked.words)
        raise InvalidValueError(
            path=path,
            problem=f"'{value[:_LONGEST_SHOWN]}' is no value of {asked.name}",
            hint=f"Did you mean '{near}'?" if near else _words(asked),
        )
    return value


def _words(asked: Feature) -> str:
    return f"Known: {', '.join(asked.words)}." if asked.words else ""


@cache
def _features() -> dict[str, Feature]:
    return {name: feature(name, role=Role.STATE) for name in names(role=Role.STATE)}


def _any_account(person: Person) -> str:
    if not person.accounts:
        raise NotFoundError("You may see no account yet.", hint="An admin grants a role.")
    return person.accounts[0]
