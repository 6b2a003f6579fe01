"""What another system asks: one recommendation, many at once, and what was done elsewhere.

Reads   a bearer token and a parsed body; the models in use.
Gives   `RecommendOut`, `BatchOut`, `FeedbackOut`; every answer is a logged decision.
Never   fails because there is no model: the rules then answer alone and the warning says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import Action, arm_of
from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError, WrongUseError, nearest_name
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType, entity_id
from intel_ml.core.recommendations import Recommendation, Role
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.accounts import accounts as stored_accounts
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import Decision, TrainingRow
from intel_ml.features.catalogue import Feature, Role as FeatureRole, feature, names
from intel_ml.learning import feedback as outcomes
from intel_ml.operations import rulebook
from intel_ml.surfaces.api.answers import (
    ActionAnswer,
    BatchIn,
    BatchOut,
    FeedbackIn,
    FeedbackOut,
    NoAnswer,
    PolicyAnswer,
    PolicyReason,
    RecommendIn,
    RecommendOut,
    RuleAnswer,
    RuleReason,
    RulesAnswer,
)
from intel_ml.surfaces.api.callers import visible_account
from intel_ml.surfaces.api.models import ModelKeeper, Models
from intel_ml.surfaces.api.refusals import refusal_of, wrong_input
from intel_ml.surfaces.auth import person_of_bearer
from intel_ml.surfaces.settings import Settings

EXPLICIT = EntityId("explicit")

State = dict[str, float | str | None]


@dataclass(frozen=True, slots=True)
class _Question:
    """One question that makes sense: whose, about what, in which state."""

    account: Account
    entity: Entity
    state: State | None
    model: str | None
    warnings: tuple[str, ...]


class Predictor:
    """Answers questions with the models in use; safe to use from many threads."""

    def __init__(self, store: Store, settings: Settings, keeper: ModelKeeper) -> None:
        self._store, self._settings, self._keeper = store, settings, keeper
        self._rules_were_read = False

    def recommend(self, authorization: str | None, body: Any) -> RecommendOut:
        """Return what rules and policy would do with one entity."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            question = _question(session, person, _parsed(RecommendIn, body))
        return self._answer(question)

    def recommend_batch(self, authorization: str | None, body: Any) -> BatchOut:
        """Return one answer a question; a question without one does not spoil the others."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            asked = _parsed(BatchIn, body).requests
            questions = [_one_of_many(session, person, one, index) for index, one in enumerate(asked)]
        return BatchOut(answers=[self._answer_or_refusal(one) for one in questions])

    def feedback(self, authorization: str | None, body: Any) -> FeedbackOut:
        """Record what was done elsewhere with a decision; the last report counts."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            asked = _parsed(FeedbackIn, body)
            decision = _decision(session, person, asked)
            account = stored_account(session, decision.ad_account_id)
            now = platform_now(session)
            at = _done_at(asked, decided_at=decision.decided_at, now=now)
            arm = arm_of(Action(asked.action.type, asked.action.percent))
            if arm is None:
                raise InvalidValueError(
                    path="action.type",
                    problem=f"'{asked.action.type}' is nothing a policy can choose",
                    hint="Known: pause, increase_budget, decrease_budget, do_nothing.",
                )
            outcomes.report(
                session.connection(),
                account=account,
                decision_id=asked.decision_id,
                executed=arm,
                now=at,
                reason=asked.reason,
            )
            verdict = session.scalar(
                select(TrainingRow.verdict)
                .where(
                    TrainingRow.ad_account_id == account.id,
                    TrainingRow.decision_id == asked.decision_id,
                )
                .limit(1)
            )
        return FeedbackOut.model_validate(
            {
                "decision_id": asked.decision_id,
                "account_id": account.id,
                "executed": arm,
                "verdict": verdict,
                "recorded_at": now,
            }
        )

    def is_ready(self) -> bool:
        """Return whether the database answers and every account's rules can be read."""
        try:
            with self._store.session() as session:
                platform_now(session)
                if not self._rules_were_read:
                    for account in stored_accounts(session):
                        rulebook.rules(session, account.id)
                    self._rules_were_read = True
        except IntelError:
            return False
        return True
