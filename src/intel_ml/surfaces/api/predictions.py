"""What another system asks: one recommendation, many at once, and what was done elsewhere.

Reads   a bearer token and a parsed body; the models in use.
Gives   `RecommendOut`, `BatchOut`, `FeedbackOut`; every answer is a decision that was logged first:
        by these methods themselves, or by whoever takes a `Thought` and writes its rows.
Never   fails because there is no model: the rules then answer alone, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.accounts import Person
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
from intel_ml.operations.answers import NO_POLICY, Answer, Asking, Considered, consider
from intel_ml.operations.contexts import AccountContext
from intel_ml.operations.decision_rows import log_decisions
from intel_ml.operations.recalling import recalled
from intel_ml.surfaces.api.answers import (
    BatchIn,
    BatchOut,
    FeedbackIn,
    FeedbackOut,
    Health,
    NoAnswer,
    RecommendIn,
    RecommendOut,
    answer_out,
    explained_out,
)
from intel_ml.surfaces.api.callers import visible_account
from intel_ml.surfaces.api.memory import Memory
from intel_ml.surfaces.api.models import ModelKeeper, Models
from intel_ml.surfaces.api.questions import Question, at, parsed, question, wanted
from intel_ml.surfaces.api.refusals import refusal_of
from intel_ml.surfaces.auth import person_of_bearer
from intel_ml.surfaces.platform import limits_of
from intel_ml.surfaces.settings import Settings

if TYPE_CHECKING:
    from intel_ml.learning.registry import LoadedPolicy

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Thought:
    """Answers, and the decisions that are to be written before anyone is given them."""

    answers: tuple[RecommendOut | NoAnswer, ...]
    considered: tuple[Considered, ...]

    @property
    def rows(self) -> list[str]:
        """The decisions as they are logged."""
        return [row for one in self.considered for row in one.rows]


class Predictor:
    """Answers questions with the models in use; safe to use from many threads."""

    def __init__(
        self, store: Store, settings: Settings, keeper: ModelKeeper, memory: Memory | None = None
    ) -> None:
        self._store, self._settings, self._keeper = store, settings, keeper
        self._limits = limits_of(settings)
        self._memory = memory or Memory(store, self._limits)

    def recommend(self, authorization: str | None, body: Any) -> RecommendOut:
        """Return what rules and policy would do with one entity."""
        return only(self._logged(self.think(authorization, body)))

    def recommend_batch(self, authorization: str | None, body: Any) -> BatchOut:
        """Return one answer a question; a question without one does not spoil the others."""
        return BatchOut(answers=list(self._logged(self.think_of_many(authorization, body)).answers))

    def think(self, authorization: str | None, body: Any, *, may_wait: bool = True) -> Thought:
        """Return the answer to one question, and the decision that is to be logged first.

        Raises
        ------
        ColdError
            Something must be read first, and `may_wait` is false.
        """
        person = self._memory.person(authorization, may_wait=may_wait)
        asked = parsed(RecommendIn, body)
        contexts = self._contexts(person, [asked], may_wait=may_wait)
        return self._thought([question(person, asked, contexts=contexts)])

    def think_of_many(self, authorization: str | None, body: Any) -> Thought:
        """Return the same for a batch; a question that makes no sense is answered with why."""
        person = self._memory.person(authorization, may_wait=True)
        asked = parsed(BatchIn, body).requests
        contexts = self._contexts(person, asked, may_wait=True)
        return self._thought(
            [
                _question_or_error(person, one, index=index, contexts=contexts)
                for index, one in enumerate(asked)
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

    def health(self) -> Health:
        """Return whether questions can be answered, and by whom."""
        models = self._keeper.current
        try:
            with self._store.session() as session:
                for account in stored_accounts(session):
                    rulebook.rules(session, account.id)
        except IntelError as error:
            return Health(is_ready=False, says=f"{error.message} {error.hint or ''}".strip())
        return Health(
            is_ready=True,
            policy=_named(models.policy),
            challenger=_named(models.challenger),
            says=models.warning or "Rules and policy decide.",
        )

    def _contexts(
        self, person: Person, asked: Sequence[RecommendIn], *, may_wait: bool
    ) -> dict[str, AccountContext]:
        return {
            account: self._memory.context(account, entities, may_wait=may_wait)
            for account, entities in wanted(person, asked).items()
        }

    def _logged(self, thought: Thought) -> Thought:
        with self._store.session() as session:
            for one in thought.considered:
                log_decisions(session, one.moment, one.decided)
        return thought

    def _thought(self, made: Sequence[Question | IntelError]) -> Thought:
        """Return the answers in the order of the questions, judging each account's at once."""
        if not self._settings.enable_rules_engine:
            raise IntelError(
                "Recommendations are off (ENABLE_RULES_ENGINE=false).",
                hint="The operator can switch them on in the settings.",
            )
        models = self._keeper.current
        groups: dict[tuple[str, EntityType, bool], list[int]] = {}
        for index, one in enumerate(made):
            if isinstance(one, Question):
                key = (one.context.account.id, one.entity.type, _wants(one.model, models))
                groups.setdefault(key, []).append(index)
        found: dict[int, RecommendOut | NoAnswer] = {
            index: NoAnswer(error=refusal_of(one))
            for index, one in enumerate(made)
            if isinstance(one, IntelError)
        }
        considered = []
        for (_, level, with_policy), members in groups.items():
            asked = [one for i in members if isinstance(one := made[i], Question)]
            context = asked[0].context
            asking = Asking(
                now=self._memory.now(),
                limits=self._limits,
                policy=models.policy if with_policy else None,
                challenger=models.challenger,
                archetypes=models.archetypes,
                mode=models.mode(
                    Mode.SHADOW if self._settings.ml_shadow_mode else context.account.mode
                ),
                level=level,
            )
            told = consider(context, [one.state or one.entity for one in asked], asking)
            considered.append(told)
            each = zip(members, asked, told.answers, told.decided, strict=True)
            for index, one, answer, decided in each:
                warnings = _warnings(one, answer, models)
                if one.with_cases:
                    cases = recalled(asking.policy, decided, now=asking.now)
                    found[index] = explained_out(answer, warnings=warnings, cases=cases)
                else:
                    found[index] = answer_out(answer, warnings=warnings)
        return Thought(tuple(found[index] for index in range(len(made))), tuple(considered))


def only(thought: Thought) -> RecommendOut:
    """Return the answer to the one question that was asked."""
    (answer,) = thought.answers
    if isinstance(answer, NoAnswer):
        raise TypeError("one question is answered or refused, never both")
    return answer


def _question_or_error(
    person: Person, asked: RecommendIn, *, index: int, contexts: Mapping[str, AccountContext]
) -> Question | IntelError:
    try:
        return question(person, asked, contexts=contexts)
    except IntelError as error:
        return at(index, error)


def _named(policy: LoadedPolicy | None) -> str | None:
    return f"{policy.name}@{policy.version}" if policy else None


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
