"""Training, comparing and registering from a notebook.

Reads   models/NAME, the registry, a log.
Gives   candidates, comparisons, registered versions with what their gate said.
Never   judges a policy on decisions it has learned from when the log can be cut in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intel_ml.core.errors import InvalidValueError, NotEnoughDataError, NotFoundError
from intel_ml.data.store.sessions import Store
from intel_ml.learning import promotion
from intel_ml.learning.gates import ModelDescription, Verdict, read_card, read_model
from intel_ml.learning.registry import (
    ALIASES,
    CHALLENGER,
    CHAMPION,
    LoadedPolicy,
    Registration,
    Registry,
    Run,
)

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.intelligence.policy.protocol import Policy
    from intel_ml.learning.evaluation.comparison import Comparison

_LEAST_ROWS = 10
_BY = "notebook"


@dataclass(frozen=True, slots=True)
class Split:
    """A log cut at a moment: no decision of `newer` was known when `older` ended."""

    older: pd.DataFrame
    newer: pd.DataFrame
    cut: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained policy that has not been judged, and until when its log went."""

    policy: Policy
    run_id: str
    trained_until: datetime
    trained_rows: int


@dataclass(frozen=True, slots=True)
class Registered:
    """What was registered, and what its gate said; None where no gate was asked."""

    name: str
    version: str
    alias: str | None
    verdict: Verdict | None

    def __str__(self) -> str:
        place = f" as {self.alias}" if self.alias else ""
        said = f"; {self.verdict}" if self.verdict else ""
        return f"{self.name} version {self.version}{place}{said}."

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>"


@dataclass(frozen=True, slots=True)
class Desk:
    """What registering needs: where, what the model is, from which run, at which moment."""

    registry: Registry
    store: Store
    model: ModelDescription
    card: str
    run: Run
    now: datetime
    min_training_samples: int

    @property
    def lives(self) -> promotion.Lives:
        """Where the version's life is kept."""
        return promotion.Lives(self.registry, self.store, self.model)


def described(project: Path, name: str) -> ModelDescription:
    """Return what models/NAME/model.toml says."""
    return read_model(project / "models" / name)


def card(project: Path, name: str) -> str:
    """Return the text of models/NAME/card.md."""
    return read_card(project / "models" / name)


def policy(registry: Registry, text: str) -> LoadedPolicy:
    """Return the policy called "NAME@ALIAS" or "NAME/VERSION"."""
    name, place = _place(text)
    found = registry.load_policy(name, place)
    if found is None:
        raise NotFoundError(f"No {text} is registered.", hint="`intel-ml models list` shows what is.")
    return found


def split(log: pd.DataFrame, *, newest: float) -> Split:
    """Cut the log so that about the `newest` share of its measured decisions is kept for judging."""
    measured = log[log["reward"].notna()]
    if len(measured) < _LEAST_ROWS:
        raise NotEnoughDataError(quantity="measured outcomes", needed=_LEAST_ROWS, seen=len(measured))
    cut = measured["as_of"].quantile(1 - newest, interpolation="lower")
    return Split(
        older=measured[measured["as_of"] <= cut], newer=measured[measured["as_of"] > cut], cut=cut
    )


def keep_candidate(
    registry: Registry, trained: Policy, *, name: str, run: Run, log: pd.DataFrame
) -> None:
    """Store the policy with its run, tagged with what it was trained on."""
    tags = {
        "trained_until": log["as_of"].max().isoformat(),
        "trained_from": log["as_of"].min().isoformat(),
        "trained_rows": str(len(log)),
    }
    registry.save_candidate(trained, name=name, run_id=run.id, tags=tags)


def candidate(registry: Registry, name: str) -> Candidate:
    """Return the newest candidate, or say that none was trained."""
    import pandas as pd  # noqa: PLC0415  # heavy

    found = registry.load_candidate(name)
    if found is None:
        raise NotFoundError(f"No {name} has been trained yet.", hint="Run 30_train_policy first.")
    trained, tags = found
    return Candidate(
        policy=trained,
        run_id=tags["run_id"],
        trained_until=pd.Timestamp(tags["trained_until"]).to_pydatetime(),
        trained_rows=int(tags["trained_rows"]),
    )


def compare(registry: Registry, mine: Policy, *, against: str, log: pd.DataFrame) -> Comparison:
    """Compare with a registered policy; where none is registered there, with an imitation of the people."""
    from intel_ml.intelligence.policy import make_policy  # noqa: PLC0415  # heavy
    from intel_ml.learning.evaluation.comparison import compare as judge  # noqa: PLC0415  # heavy

    name, place = _place(against)
    found = registry.load_policy(name, place)
    other = make_policy("imitation").fit(log) if found is None else found.policy
    return judge(mine, other, log)


def register(desk: Desk, mine: Policy, *, alias: str, report: Comparison) -> Registered:
    """Register a policy and put it where its evidence allows."""
    if alias not in ALIASES:
        raise InvalidValueError(path="alias", problem=f"'{alias}' is not one of {', '.join(ALIASES)}")
    evidence = evidence_of(report)
    numbers = {k: v for k, v in evidence.numbers.items() if v is not None}
    version = desk.registry.register_policy(
        mine, registration=_registration(desk, numbers, evidence.data_range or {})
    )
    if alias == CHALLENGER:
        promotion.challenge(desk.lives, version, evidence=evidence, by=_BY, now=desk.now)
        return Registered(desk.model.name, version, alias, None)
    verdict = promotion.admit(desk.lives, version, evidence=evidence, by=_BY, now=desk.now)
    if alias == CHAMPION and verdict.has_passed:
        verdict = promotion.promote(
            desk.lives, version, by=_BY, now=desk.now, min_training_samples=desk.min_training_samples
        )
    return Registered(desk.model.name, version, alias if verdict.has_passed else None, verdict)


def register_archetypes(
    desk: Desk, archetypes: Archetypes, *, signatures: pd.DataFrame
) -> Registered:
    """Register archetypes: into shadow by their gate, and in use at once if the second one passes too."""
    numbers = {"samples": float(len(signatures)), "silhouette": silhouette_of(archetypes)}
    moments = signatures["as_of"]
    evidence = promotion.Evidence(
        numbers=numbers,
        training_rows=len(signatures),
        data_range={"as_of": moments.max().isoformat()},
    )
    known = {k: v for k, v in numbers.items() if v is not None}
    version = desk.registry.register_archetypes(
        archetypes, registration=_registration(desk, known, evidence.data_range or {})
    )
    verdict = promotion.admit(desk.lives, version, evidence=evidence, by=_BY, now=desk.now)
    if not verdict.has_passed:
        return Registered(desk.model.name, version, None, verdict)
    promoted = promotion.promote(desk.lives, version, by=_BY, now=desk.now)
    alias = CHAMPION if promoted.has_passed else "shadow"
    return Registered(desk.model.name, version, alias, promoted)


def silhouette_of(archetypes: Archetypes) -> float | None:
    """Return how well the clusters are apart, None when it was not measured."""
    value: Any = getattr(archetypes, "silhouette", None)
    return None if value is None else float(value)


def _registration(
    desk: Desk, numbers: Mapping[str, float], data_range: Mapping[str, str]
) -> Registration:
    desk.run.log_metrics(numbers)
    return Registration(
        name=desk.model.name,
        run_id=desk.run.id,
        metrics=numbers,
        tags={
            "data_range": " to ".join(data_range.values()),
            "algorithm": desk.model.training.algorithm,
            "registered_at": desk.now.isoformat(timespec="seconds"),
        },
        card=desk.card,
    )


def evidence_of(report: Comparison) -> promotion.Evidence:
    """Return the numbers of a comparison that gates ask for."""
    raise InvalidValueError(path="report", problem="has no numbers")


def _place(text: str) -> tuple[str, str]:
    for separator in ("@", "/"):
        name, found, place = text.partition(separator)
        if found and name and place:
            return name, place
    raise InvalidValueError(
        path="model", problem=f"'{text}' names no version", hint="Write NAME@ALIAS or NAME/VERSION."
    )
