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
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from intel_ml.core.errors import InvalidValueError, UnknownNameError
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


class Training(BaseModel):
    """What a model is made from and with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str
    reward: str = "reward"
    horizon_hours: Literal[24, 48, 72] = 72
    evaluation_share: float = Field(0.3, gt=0, lt=1)
    days: int = Field(30, ge=1)
    clusters: int | None = Field(None, ge=2)
    features: tuple[str, ...] = Field(min_length=1)
    parameters: dict[str, float | int | str | bool] = {}


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
            path=f"{folder.name}/model.toml: {where}", problem=first["msg"]
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
    return described


def read_card(folder: Path) -> str:
    """Return the model card."""
    return (folder / "card.md").read_text(encoding="utf-8")
