"""What another system asks: one recommendation, many at once, and what was done elsewhere.

Reads   a bearer token and a parsed body; the models in use.
Gives   `RecommendOut`, `BatchOut`, `FeedbackOut`; every answer is a decision that was logged first.
Never   fails because there is no model: the rules then answer alone, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Account, Person
from intel_ml.core.actions import Action, arm_of
from intel_ml.core.errors import IntelError, InvalidValueError, NotFoundError
from intel_ml.core.ids import DecisionId, EntityType
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store.accounts import account as stored_account
from intel_ml.data.store.accounts import accounts as stored_accounts
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import Decision, TrainingRow
from intel_ml.learning import feedback as outcomes
from intel_ml.learning.states import read_states
from intel_ml.operations import rulebook
from intel_ml.operations.answers import NO_POLICY, Answer, Asking, recommend_many
from intel_ml.surfaces.api.answers import (
    BatchIn,
    BatchOut,
    FeedbackIn,
    FeedbackOut,
    NoAnswer,
    RecommendIn,
    RecommendOut,
    answer_out,
)
from intel_ml.surfaces.api.callers import visible_account
from intel_ml.surfaces.api.models import ModelKeeper, Models
from intel_ml.surfaces.api.questions import Question, at, parsed, question
from intel_ml.surfaces.api.refusals import refusal_of
from intel_ml.surfaces.auth import person_of_bearer
from intel_ml.surfaces.platform import limits_of
from intel_ml.surfaces.settings import Settings

log = structlog.get_logger(__name__)


class Predictor:
    """Answers questions with the models in use; safe to use from many threads."""

    def __init__(self, store: Store, settings: Settings, keeper: ModelKeeper) -> None:
        self._store, self._settings, self._keeper = store, settings, keeper
        self._were_rules_read = False

    def recommend(self, authorization: str | None, body: Any) -> RecommendOut:
        """Return what rules and policy would do with one entity."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            asked = question(session, person, parsed(RecommendIn, body))
            now = platform_now(session)
        return self._answers([asked], now=now)[0]

    def recommend_batch(self, authorization: str | None, body: Any) -> BatchOut:
        """Return one answer a question; a question without one does not spoil the others."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            asked = parsed(BatchIn, body).requests
            known: dict[str, Account] = {}
            made = [
                _question_or_error(session, person, one, index=index, known=known)
                for index, one in enumerate(asked)
            ]
            now = platform_now(session)
        answers = iter(self._answers([one for one in made if isinstance(one, Question)], now=now))
        return BatchOut(
            answers=[
                next(answers) if isinstance(one, Question) else NoAnswer(error=refusal_of(one))
                for one in made
            ]
        )

    def feedback(self, authorization: str | None, body: Any) -> FeedbackOut:
        """Record what was done elsewhere with a decision; the last report counts."""
        with self._store.session() as session:
            person = person_of_bearer(session, authorization)
            asked = parsed(FeedbackIn, body)
            decision = _decision(session, person, asked)
            now = platform_now(session)
            arm = arm_of(Action(asked.action.type, asked.action.percent))
            if arm is None:
                raise InvalidValueError(
                    path="action.type",
                    problem=f"'{asked.action.type}' is nothing a policy can choose",
                    hint="Known: pause, increase_budget, decrease_budget, do_nothing.",
                )
            outcomes.report(
                session.connection(),
                outcomes.Reported(
                    decision_id=DecisionId(asked.decision_id), executed=arm, reason=asked.reason
                ),
                account=stored_account(session, decision.ad_account_id),
                now=_done_at(asked.executed_at, decided_at=decision.decided_at, now=now),
            )
            verdict = session.scalar(
                select(TrainingRow.verdict)
                .where(
                    TrainingRow.ad_account_id == decision.ad_account_id,
                    TrainingRow.decision_id == asked.decision_id,
                )
                .limit(1)
            )
            return FeedbackOut.model_validate(
                {
                    "decision_id": asked.decision_id,
                    "account_id": decision.ad_account_id,
                    "executed": arm,
                    "verdict": verdict,
                    "recorded_at": now,
                }
            )

    def warm(self) -> None:
        """Compile what the first question would wait for; without a database, do nothing."""
        try:
            with self._store.session() as session:
                accounts, now = stored_accounts(session), platform_now(session)
            with self._store.connection() as connection:
                read_states(connection, accounts=accounts, as_of=now)
        except IntelError as error:
            log.warning("not warmed up", why=error.message)

    def is_ready(self) -> bool:
        """Return whether the database answers and every account's rules can be read."""
        try:
            with self._store.session() as session:
                platform_now(session)
                if not self._were_rules_read:
                    for account in stored_accounts(session):
                        rulebook.rules(session, account.id)
                    self._were_rules_read = True
        except IntelError:
            return False
        return True

    def _answers(self, questions: Sequence[Question], *, now: datetime) -> list[RecommendOut]:
        """Return the answers in the order of the questions, with one reading of each account."""
        if not self._settings.enable_rules_engine:
            raise IntelError(
                "Recommendations are off (ENABLE_RULES_ENGINE=false).",
                hint="The operator can switch them on in the settings.",
            )
        models = self._keeper.current
        groups: dict[tuple[str, EntityType, bool], list[int]] = {}
        for index, one in enumerate(questions):
            key = (one.account.id, one.entity.type, _wants(one.model, models))
            groups.setdefault(key, []).append(index)
        found: dict[int, RecommendOut] = {}
        for (_, level, with_policy), members in groups.items():
            first = questions[members[0]].account
            asking = Asking(
                now=now,
                limits=limits_of(self._settings),
                policy=models.policy if with_policy else None,
                archetypes=models.archetypes,
                mode=Mode.SHADOW if self._settings.ml_shadow_mode else first.mode,
                level=level,
            )
            subjects = [questions[i].state or questions[i].entity for i in members]
            answers = recommend_many(self._store, first, subjects, asking)
            for index, answer in zip(members, answers, strict=True):
                warnings = _warnings(questions[index], answer, models)
                found[index] = answer_out(answer, warnings=warnings)
        return [found[index] for index in range(len(questions))]


def _question_or_error(
    session: Session, person: Person, asked: RecommendIn, *, index: int, known: dict[str, Account]
) -> Question | IntelError:
    try:
        return question(session, person, asked, known=known)
    except IntelError as error:
        return at(index, error)


def _wants(model: str | None, models: Models) -> bool:
    """Return whether the policy in use is one the question takes."""
    policy = models.policy
    return model is None or (
        policy is not None and model in (policy.name, f"{policy.name}@{policy.version}")
    )


def _warnings(asked: Question, answer: Answer, models: Models) -> list[str]:
    """Return what the caller should know, the reason for a missing policy first."""
    said = [*asked.warnings, *(w for w in answer.warnings if w != NO_POLICY)]
    if answer.policy is not None:
        return [*said, *([models.warning] if models.warning else [])]
    if not _wants(asked.model, models):
        return [f"The model '{asked.model}' is not in use: the rules answered alone.", *said]
    return [models.warning or NO_POLICY, *said]


def _decision(session: Session, person: Person, asked: FeedbackIn) -> Decision:
    accounts = [str(account) for account in person.accounts]
    if asked.account_id is not None:
        accounts = [visible_account(person, asked.account_id)]
    found = session.scalar(
        select(Decision)
        .where(Decision.ad_account_id.in_(accounts), Decision.decision_id == asked.decision_id)
        .limit(1)
    )
    if found is None:
        raise NotFoundError(f"There is no decision '{asked.decision_id}' of an account of yours.")
    visible_account(person, found.ad_account_id, role=Role.APPROVER)
    return found


def _done_at(told: datetime | None, *, decided_at: datetime, now: datetime) -> datetime:
    if told is None:
        return now
    if told.tzinfo is None:
        raise InvalidValueError(
            path="executed_at", problem="has no time zone", hint='Example: "2026-11-22T10:00:00Z".'
        )
    if not decided_at <= told <= now:
        raise InvalidValueError(
            path="executed_at", problem="is not between the decision and this moment"
        )
    return told
