"""What a model must show before it may be used, and what the evidence says to that.

Reads   models/*/model.toml, where gates are written, and the numbers of one version.
Gives   a verdict (passed, refused, inconclusive) with one check a gate, each with the number needed
        and the number seen.
Never   passes a number that is missing: that is inconclusive, and the verdict names it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from intel_ml.core.errors import InvalidValueError, UnknownNameError, nearest_name
from intel_ml.features.catalogue import FEATURES


class Outcome(StrEnum):
    """What the evidence says to a gate."""

    PASSED = "passed"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


#: What each gate asks for, in words: the key of a gate is `min_` or `max_` before the key of its
#: evidence.
EVIDENCE = {
    "samples": "measured outcomes",
    "support_share": "share of decisions the log supports",
    "effective_samples": "effective sample size",
    "e_value": "e-value against the champion",
    "reverse_e_value": "e-value of being worse than the champion",
    "holds_to_odds": "factor by which hidden reasons may move the log's odds before it falls",
    "silhouette": "silhouette of the clusters",
    "stability": "stability of the clusters under resampling",
    "verdicts": "proposals that people judged",
    "agreement": "share of unseen proposals it would have handled as people did",
}


class Gate(BaseModel):
    """The least, or most, a version must show; what is not given is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_samples: float | None = Field(None, ge=0)
    min_support_share: float | None = Field(None, ge=0, le=1)
    min_effective_samples: float | None = Field(None, ge=0)
    min_e_value: float | None = Field(None, gt=0)
    max_reverse_e_value: float | None = Field(None, gt=0)
    min_holds_to_odds: float | None = Field(None, ge=1)
    min_silhouette: float | None = Field(None, ge=-1, le=1)
    min_stability: float | None = Field(None, ge=-1, le=1)
    min_verdicts: float | None = Field(None, ge=0)
    min_agreement: float | None = Field(None, ge=0, le=1)


Parameters = dict[str, float | int | str | bool]
#: A choice among more than this is a lottery.
MOST_CANDIDATES = 20


class CandidateDescription(BaseModel):
    """One way to make a model, to be compared with the others listed beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    algorithm: str
    parameters: Parameters = {}


class Training(BaseModel):
    """What a model is made from and with: one `algorithm`, or `candidates`, the plainest first.

    Of the log, the newest `evaluation_share` judges what was made; of the rest, the newest
    `selection_share` chooses among candidates, in `selection_steps` (see `learning.selection`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str = ""
    candidates: tuple[CandidateDescription, ...] = Field((), max_length=MOST_CANDIDATES)
    reward: str = "reward"
    horizon_hours: Literal[24, 48, 72] = 72
    evaluation_share: float = Field(0.3, gt=0, lt=1)
    selection_share: float = Field(0.6, gt=0, lt=1)
    selection_steps: int = Field(3, ge=1, le=20)
    days: int = Field(30, ge=1)
    clusters: int | None = Field(None, ge=2)
    features: tuple[str, ...] = Field(min_length=1)
    parameters: Parameters = {}

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if bool(self.algorithm) == bool(self.candidates):
            raise ValueError("give either one algorithm or a list of candidates")
        if self.candidates and self.parameters:
            raise ValueError("parameters belong to a candidate each")
        names = [one.name for one in self.candidates]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two candidates are called {', '.join(twice)}")
        return self

    @property
    def considered(self) -> tuple[CandidateDescription, ...]:
        """The candidates; the one algorithm under its own name where it stands alone."""
        alone = CandidateDescription.model_construct(
            name=self.algorithm, algorithm=self.algorithm, parameters=self.parameters
        )
        return self.candidates or (alone,)


class Gates(BaseModel):
    """The gate before predictions are logged, and the one before they are shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shadow: Gate
    champion: Gate


class ModelDescription(BaseModel):
    """One models/NAME/model.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: str = Field(pattern="^(rules|statistical|kmeans|reinforcement)$")
    description: str
    training: Training
    gates: Gates


#: Which keys each table of a model.toml knows.
_TABLES: dict[str, type[BaseModel]] = {
    "": ModelDescription,
    "training": Training,
    "training.candidates": CandidateDescription,
    "gates": Gates,
    "gates.shadow": Gate,
    "gates.champion": Gate,
}
_LONGEST_CARD = 5_000
#: What every policy is made with beside its parameters: no candidate has its own.
_FROM_THE_RUN = frozenset({"seed", "features", "sharing"})


@dataclass(frozen=True, slots=True)
class Check:
    """One number against what is needed, at least or `at_most`."""

    quantity: str
    needed: float
    seen: float | None
    at_most: bool = False

    @property
    def outcome(self) -> Outcome:
        """What this number alone says."""
        if self.seen is None or math.isnan(self.seen):
            return Outcome.INCONCLUSIVE
        passed = self.seen <= self.needed if self.at_most else self.seen >= self.needed
        return Outcome.PASSED if passed else Outcome.REFUSED

    def __str__(self) -> str:
        asked = f"{self.quantity}: {'at most' if self.at_most else 'need'} {self.needed:g}"
        if self.outcome is Outcome.INCONCLUSIVE:
            return f"{asked}, none was measured"
        return f"{asked}, saw {self.seen:.4g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says to one version, and why."""

    gate: str
    checks: tuple[Check, ...] = field(default=())

    @property
    def outcome(self) -> Outcome:
        """Refused where a number is out of bounds, inconclusive where one is missing."""
        seen = {check.outcome for check in self.checks}
        if Outcome.REFUSED in seen:
            return Outcome.REFUSED
        return Outcome.INCONCLUSIVE if Outcome.INCONCLUSIVE in seen else Outcome.PASSED

    @property
    def has_passed(self) -> bool:
        """Whether the version may be used."""
        return self.outcome is Outcome.PASSED

    @property
    def text(self) -> str:
        """The verdict in words."""
        return str(self)

    def __str__(self) -> str:
        short = [str(c) for c in self.checks if c.outcome is not Outcome.PASSED]
        told = short or [str(c) for c in self.checks]
        return f"{self.gate} gate {self.outcome}: {'; '.join(told) or 'nothing is asked for'}"


def judge(gate: Gate, evidence: Mapping[str, float | None], *, name: str) -> Verdict:
    """Return what `evidence` (keys of `EVIDENCE`) says to `gate`.

    >>> str(judge(Gate(min_samples=100), {"samples": 41}, name="shadow"))
    'shadow gate refused: measured outcomes: need 100, saw 41'
    """
    checks = tuple(
        Check(words, needed, evidence.get(key), at_most=bound == "max")
        for key, words in EVIDENCE.items()
        for bound in ("min", "max")
        if (needed := getattr(gate, f"{bound}_{key}", None)) is not None
    )
    return Verdict(name, checks)


def with_floor(gate: Gate, *, min_samples: int) -> Gate:
    """Return the gate asking for at least `min_samples`: a setting raises, never lowers it."""
    return gate.model_copy(update={"min_samples": max(gate.min_samples or 0, min_samples)})


def read_model(folder: Path) -> ModelDescription:
    """Return the description of the model in `folder`, or say which line of it is wrong."""
    path = folder / "model.toml"
    if not path.is_file():
        known = [p.parent.name for p in folder.parent.glob("*/model.toml")]
        raise UnknownNameError(kind="model", name=folder.name, known=known)
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        described = ModelDescription.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError(path=f"{folder.name}/model.toml", problem=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValueError(
            path=f"{folder.name}/model.toml: {where}",
            problem=first["msg"].removeprefix("Value error, "),
            hint=_meant(first["loc"]) if first["type"] == "extra_forbidden" else "",
        ) from error
    if described.name != folder.name:
        raise InvalidValueError(
            path=f"{folder.name}/model.toml: name",
            problem=f"'{described.name}' is not the folder's name",
        )
    known_features = {feature.name for feature in FEATURES}
    for feature in described.training.features:
        if feature not in known_features:
            raise UnknownNameError(kind="feature", name=feature, known=known_features)
    _check_candidates(described)
    return described


def _meant(place: tuple[int | str, ...]) -> str:
    """Return which key was probably meant by one that doesn't exist."""
    table = ".".join(str(part) for part in place[:-1] if isinstance(part, str))
    known = _TABLES[table].model_fields
    near = nearest_name(str(place[-1]), known)
    return f"Did you mean '{near}'?" if near else f"Known: {', '.join(known)}."


def _check_candidates(described: ModelDescription) -> None:
    """Make every candidate once, unlearned: a wrong name or number is found before any training."""
    if not described.training.candidates:
        return
    from intel_ml.intelligence.policy import make_policy  # noqa: PLC0415  # numpy and friends

    for one in described.training.candidates:
        where = f"{described.name}/model.toml: training.candidates.{one.name}"
        if given := sorted(_FROM_THE_RUN & set(one.parameters)):
            raise InvalidValueError(
                path=f"{where}.parameters.{given[0]}",
                problem="is given by the run that trains",
                hint="Leave it out.",
            )
        try:
            make_policy(one.algorithm, features=list(described.training.features), **one.parameters)
        except InvalidValueError as error:
            raise InvalidValueError(
                path=f"{where}.{error.path}", problem=error.problem, hint=error.hint
            ) from error
        except UnknownNameError as error:
            raise InvalidValueError(
                path=where, problem=error.message.removesuffix("."), hint=error.hint
            ) from error
        except TypeError as error:
            raise InvalidValueError(path=where, problem=str(error)) from error


def read_card(folder: Path) -> str:
    """Return the model card; one that the registry could not keep is refused."""
    text = (folder / "card.md").read_text(encoding="utf-8")
    if len(text) > _LONGEST_CARD:
        raise InvalidValueError(
            path=f"{folder.name}/card.md",
            problem=f"{len(text):,} characters are more than {_LONGEST_CARD:,}",
            hint="The registry keeps no longer description.",
        )
    return text
