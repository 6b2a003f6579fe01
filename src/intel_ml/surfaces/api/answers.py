"""What a prediction asks for and answers: the shapes promised to other systems.

Reads   nothing.
Gives   the bodies of `/recommend`, `/recommend_batch` and `/feedback`, and their answers.
Never   leaves a promised key out: what is unknown is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_serializer,
)

from intel_ml.core.actions import Action, ActionType, Arm
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import (
    Mode,
    ModelRef,
    Recommendation,
    RuleRef,
    Source,
    Verdict,
)
from intel_ml.intelligence.policy.recall import Case, Recalled
from intel_ml.operations.answers import Answer
from intel_ml.surfaces.api.action_schemas import ActionIn
from intel_ml.surfaces.api.refusals import Refusal
from intel_ml.surfaces.api.schemas import Request, Text

MOST_AT_ONCE = 1_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]

_ASKED: dict[str, JsonValue] = {
    "account_id": "act_101",
    "entity_type": "adset",
    "entity_id": "120010000001",
}


class RecommendIn(Request):
    """Which entity: by its ids, or by an explicit state in their place."""

    model_config = ConfigDict(json_schema_extra={"example": _ASKED})

    account_id: Id | None = Field(None, description="Needed with an entity's id.")
    entity_type: Annotated[EntityType, Field(strict=False)] | None = None
    entity_id: Id | None = None
    state: dict[str, Any] | None = Field(
        None,
        description="Features by name; null, and what is left out, is unknown.",
        examples=[{"spend": 68.5, "conversions": 0, "impressions": 4200}],
    )
    model: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        None, description="Insist on one model (its name, or name@version): any other stays silent."
    )
    explain: Literal["cases"] | None = Field(
        None, description="`cases`: show the past cases most alike, and what came of each."
    )


class BatchIn(Request):
    """Up to 1,000 questions at once."""

    requests: Annotated[list[RecommendIn], Field(min_length=1, max_length=MOST_AT_ONCE)]


class FeedbackIn(Request):
    """What was done elsewhere with a decision of ours."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"decision_id": "d_1", "action": {"type": "pause"}}}
    )

    decision_id: Id
    action: ActionIn = Field(
        description="What was really done; `do_nothing` where it was left alone."
    )
    account_id: Id | None = None
    reason: Text | None = None
    executed_at: Annotated[datetime, Field(strict=False)] | None = Field(
        None, description="When, with its time zone; now when left out."
    )


class ActionAnswer(BaseModel):
    """A change; `percent` is signed and there only where the change has one."""

    type: ActionType = Field(examples=["pause"])
    percent: int | None = None

    @classmethod
    def of(cls, action: Action) -> ActionAnswer:
        """Return an action ready for JSON."""
        return cls(type=action.type, percent=action.percent)

    @model_serializer
    def _plain(self) -> dict[str, Any]:
        percent = {} if self.percent is None else {"percent": self.percent}
        return {"type": self.type.value, **percent}


class RuleAnswer(BaseModel):
    """Which rule, in which version."""

    id: int
    version: int
    name: str


class RuleReason(BaseModel):
    """Why a rule fired: the value observed beside the threshold."""

    text: str
    field: str | None
    observed: float | str | None
    operator: str | None
    threshold: float | str | None
    unit: str | None


class PolicyReason(BaseModel):
    """Why the policy leans that way: what a feature contributed."""

    text: str
    field: str | None
    contribution: float | None


class RulesAnswer(BaseModel):
    """What the rules say."""

    action: ActionAnswer
    rule: RuleAnswer
    reasons: list[RuleReason]


class CaseAnswer(BaseModel):
    """A past decision and what came of it; whose it was is null where it is another account's."""

    likeness: float = Field(description="1: nothing known differs; 0: no more alike than any two.")
    executed: Arm
    reward: float | None
    earned: float | None = Field(description="After less before, a share of the money in play.")
    against_left_alone: float | None = Field(
        description="The same, less what was earned where nothing was done."
    )
    proposed: Arm | None
    verdict: Verdict | None
    as_of: datetime | None
    entity_type: EntityType | None
    entity_id: str | None

    @classmethod
    def of(cls, case: Case) -> CaseAnswer:
        """Return a case ready for JSON."""
        return cls(
            likeness=case.likeness,
            executed=case.executed,
            reward=case.reward,
            earned=case.earned,
            against_left_alone=case.against_left_alone,
            proposed=case.proposed,
            verdict=case.verdict,
            as_of=case.moment,
            entity_type=None if case.entity is None else case.entity.type,
            entity_id=None if case.entity is None else case.entity.id,
        )


class PolicyAnswer(BaseModel):
    """What the policy says, with the whole distribution it would draw from."""

    action: ActionAnswer
    model: str
    version: str
    confidence: float | None
    archetype: str | None
    pmf: dict[Arm, float]
    reasons: list[PolicyReason]


class ExplainedPolicyAnswer(PolicyAnswer):
    """The same where `explain` asked for cases."""

    cases: list[CaseAnswer] | None = Field(
        description="Most alike first. Null: the model remembers none."
    )
    cases_say: str | None = Field(
        description="What they come to, or why nothing is alike, in a sentence."
    )


class RecommendOut(BaseModel):
    """What the rules and the policy each would do, and which of them is shown."""

    decision_id: str
    mode: Mode
    shown: Literal["rules", "policy"]
    as_of: datetime
    rules: RulesAnswer | None = Field(description="Null: no rule fired.")
    policy: ExplainedPolicyAnswer | PolicyAnswer | None = Field(
        description="Null, with a warning: no usable model."
    )
    agreement: bool | None = Field(description="Whether both would do the same; null without both.")
    warnings: list[str]


class NoAnswer(BaseModel):
    """Why one question of many has no answer."""

    error: Refusal


class BatchOut(BaseModel):
    """One answer a question, in their order."""

    answers: list[RecommendOut | NoAnswer]


class FeedbackOut(BaseModel):
    """What was recorded."""

    decision_id: str
    account_id: str
    executed: Arm
    verdict: Verdict
    recorded_at: datetime


class Pong(BaseModel):
    """What was sent, unchanged."""

    echo: JsonValue


class Health(BaseModel):
    """Whether questions can be answered, by which models, and what is amiss."""

    is_ready: bool
    policy: str | None = Field(None, examples=["campaign-policy@7"])
    challenger: str | None = None
    says: str


def explained_out(answer: Answer, *, warnings: list[str], cases: Recalled | None) -> RecommendOut:
    """Return an answer in the promised shape, with past cases beside what the policy says."""
    out = answer_out(answer, warnings=warnings)
    if out.policy is not None:
        out.policy = ExplainedPolicyAnswer(
            **dict(out.policy),
            cases=None if cases is None else [CaseAnswer.of(one) for one in cases.cases],
            cases_say=None if cases is None else cases.says,
        )
    return out


def answer_out(answer: Answer, *, warnings: list[str]) -> RecommendOut:
    """Return an answer in the promised shape."""
    return RecommendOut(
        decision_id=answer.decision_id,
        mode=answer.mode,
        shown=_shown(answer),
        as_of=answer.as_of,
        rules=None if answer.rules is None else _rules(answer.rules),
        policy=None if answer.policy is None else _policy(answer.policy),
        agreement=answer.agreement,
        warnings=warnings,
    )


def _shown(answer: Answer) -> Literal["rules", "policy"]:
    """Return whose word counts; where the rules are shown and none fired, their silence is."""
    return "policy" if answer.shown is Source.POLICY else "rules"


def _rules(said: Recommendation) -> RulesAnswer:
    rule = said.rule or RuleRef(id=0, version=0, name="")
    return RulesAnswer(
        action=ActionAnswer.of(said.action),
        rule=RuleAnswer(id=rule.id, version=rule.version, name=rule.name),
        reasons=[
            RuleReason(
                text=one.text,
                field=one.field,
                observed=one.observed,
                operator=one.operator,
                threshold=one.threshold,
                unit=one.unit,
            )
            for one in said.reasons
        ],
    )


def _policy(said: Recommendation) -> PolicyAnswer:
    model = said.model or ModelRef(name="", version="")
    return PolicyAnswer(
        action=ActionAnswer.of(said.action),
        model=model.name,
        version=model.version,
        confidence=said.confidence,
        archetype=said.archetype,
        pmf={arm: said.pmf.get(arm, 0.0) for arm in Arm},
        reasons=[
            PolicyReason(text=one.text, field=one.field, contribution=one.contribution)
            for one in said.reasons
        ],
    )


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema in one piece, with every reference written out."""
    schema = model.model_json_schema()
    parts: dict[str, Any] = schema.pop("$defs", {})

    def written_out(node: Any) -> Any:
        if isinstance(node, list):
            return [written_out(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            rest = {name: inner for name, inner in node.items() if name != "$ref"}
            return written_out(parts[node["$ref"].rpartition("/")[2]] | rest)
        return {name: written_out(inner) for name, inner in node.items()}

    whole: dict[str, Any] = written_out(schema)
    return whole
