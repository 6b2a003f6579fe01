"""Cutting a log, comparing and registering from a notebook.

Reads   models/NAME, the registry, a log.
Gives   splits, comparisons, registered versions with what their gate said.
Never   judges a policy on decisions it has learned from when the log can be cut in time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import (
    InvalidValueError,
    NotEnoughDataError,
    NotFoundError,
    UnknownNameError,
)
from intel_ml.data.store.sessions import Store
from intel_ml.features.states import States
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning import promotion
from intel_ml.learning.evaluation.results import Results
from intel_ml.learning.gates import (
    ModelDescription,
    Verdict,
    read_card,
    read_model,
)
from intel_ml.learning.registry import (
    ALIASES,
    CHALLENGER,
    CHAMPION,
    SHADOW,
    LoadedPolicy,
    Registration,
    Registry,
    Run,
)
from intel_ml.surfaces.lab.candidates import SELECTION, TRAINED_UNTIL, Candidate

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.learning.evaluation.comparison import Comparison

_LEAST_ROWS = 10
BY = "notebook"
_ALONE = "made from {} alone, what serves all accounts stays"


@dataclass(frozen=True, slots=True)
class Split:
    """A log cut at a moment: no decision of `newer` was known when `older` ended."""

    older: pd.DataFrame
    newer: pd.DataFrame
    cut: datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """What was registered, and what its gate said; None where no gate was asked.

    `kept` says why a version was put to no use, whatever the gate said.
    """

    name: str
    version: str
    alias: str | None
    verdict: Verdict | None
    kept: str = ""

    def __str__(self) -> str:
        place = f" as {self.alias}" if self.alias else ", not in use" if self.verdict else ""
        said = f"; {self.verdict}" if self.verdict else ""
        kept = f"; {self.kept}" if self.kept else ""
        return f"{self.name} version {self.version}{place}{kept}{said}."

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
    name, place = place_of(text)
    found = registry.load_policy(name, place)
    if found is None:
        raise NotFoundError(
            f"No {text} is registered.", hint="`intel-ml models list` shows what is."
        )
    return found


def split(log: pd.DataFrame, *, newest: float) -> Split:
    """Cut the log so that the `newest` share of its measured decisions is kept for judging."""
    if not 0 < newest < 1:
        raise InvalidValueError(path="newest", problem=f"{newest} is not a share between 0 and 1")
    measured = log[log["reward"].notna()]
    if len(measured) < _LEAST_ROWS:
        raise NotEnoughDataError(
            quantity="measured outcomes", needed=_LEAST_ROWS, seen=len(measured)
        )
    moments = measured["as_of"].sort_values()
    cut = moments.iloc[int((1 - newest) * (len(moments) - 1))].to_pydatetime()
    return Split(
        older=measured[measured["as_of"] <= cut], newer=measured[measured["as_of"] > cut], cut=cut
    )


def compare(registry: Registry, mine: Policy, *, against: str, log: pd.DataFrame) -> Comparison:
    """Compare with a registered policy; where none is registered there, with what was done."""
    from intel_ml.learning.evaluation.comparison import compare as judge  # noqa: PLC0415  # heavy

    if not isinstance(mine, Policy):
        raise InvalidValueError(
            path="policy", problem=f"{mine!r} chooses nothing", hint="Give a fitted policy."
        )
    name, place = place_of(against)
    found = registry.load_policy(name, place)
    return judge(mine, None if found is None else found.policy, log)


def choices(mine: Policy, found: States) -> pd.DataFrame:
    """Return best arm, confidence and probabilities for each entity, every arm allowed.

    Left out are entities of a level the policy may not be asked about.
    """
    import numpy as np  # noqa: PLC0415  # with pandas
    import pandas as pd  # noqa: PLC0415  # heavy

    if levels := mine.entity_types:
        found = found.take([row for row, one in enumerate(found.entities) if one.type in levels])
    keys = [str(entity) for entity in found.entities]
    chosen = mine.choose(found, allowed=np.ones((len(found), len(ARMS)), dtype=bool), keys=keys)
    return pd.DataFrame(
        {
            "ad_account_id": [entity.account for entity in found.entities],
            "entity_type": [entity.type.value for entity in found.entities],
            "entity_id": [entity.id for entity in found.entities],
            "arm": [ARMS[arm].value for arm in chosen.greedy],
            "confidence": chosen.confidence,
            **{f"pmf_{arm}": chosen.pmf[:, index] for index, arm in enumerate(ARMS)},
        }
    )


def register(
    desk: Desk, mine: Policy, *, alias: str, evidence: promotion.Evidence, account: str = ""
) -> Registered:
    """Register a policy and put it where its evidence allows.

    One made from a single `account` may challenge; it is never put to use for all of them.
    """
    if alias not in ALIASES:
        raise UnknownNameError(kind="alias", name=alias, known=ALIASES)
    registration = _registration(desk, evidence, algorithm=mine.name)
    version = desk.registry.register_policy(mine, registration=registration)
    if alias == CHALLENGER:
        promotion.challenge(desk.lives, version, evidence=evidence, by=BY, now=desk.now)
        return Registered(desk.model.name, version, alias, None)
    if account:
        return _kept(desk, version, evidence=evidence, why=_ALONE.format(account))
    verdict = promotion.admit(desk.lives, version, evidence=evidence, by=BY, now=desk.now)
    if alias == CHAMPION and verdict.has_passed:
        verdict = promotion.promote(
            desk.lives,
            version,
            by=BY,
            now=desk.now,
            min_training_samples=desk.min_training_samples,
        )
    return Registered(desk.model.name, version, alias if verdict.has_passed else None, verdict)


def register_archetypes(
    desk: Desk, archetypes: Archetypes, *, signatures: pd.DataFrame, everyone: Collection[str]
) -> Registered:
    """Register archetypes: into shadow by their gate, in use if the second one passes too.

    Archetypes of other accounts than `everyone` are kept without an alias: they would take away the
    types of the accounts that are not in them.
    """
    judged = archetypes.rows - archetypes.rows_unjudged
    evidence = promotion.Evidence(
        numbers={
            "samples": float(judged),
            "silhouette": archetypes.silhouette,
            "stability": archetypes.stability,
        },
        training_rows=len(signatures),
        data_range={"as_of": _range(signatures)[1]},
        details={"unavailable": list(archetypes.unavailable), "imputed": archetypes.rows_imputed},
    )
    registration = _registration(desk, evidence, algorithm=desk.model.training.algorithm)
    version = desk.registry.register_archetypes(archetypes, registration=registration)
    made_from = sorted(set(signatures["ad_account_id"]))
    if set(made_from) != set(everyone):
        why = _ALONE.format(", ".join(made_from))
        return _kept(desk, version, evidence=evidence, why=why)
    verdict = promotion.admit(desk.lives, version, evidence=evidence, by=BY, now=desk.now)
    if not verdict.has_passed:
        return Registered(desk.model.name, version, None, verdict)
    promoted = promotion.promote(desk.lives, version, by=BY, now=desk.now)
    return Registered(
        desk.model.name, version, CHAMPION if promoted.has_passed else SHADOW, promoted
    )


def _kept(desk: Desk, version: str, *, evidence: promotion.Evidence, why: str) -> Registered:
    kept = replace(evidence, kept=why)
    verdict = promotion.admit(desk.lives, version, evidence=kept, by=BY, now=desk.now)
    return Registered(desk.model.name, version, None, verdict, kept=why)


def evidence_of(
    report: Comparison,
    *,
    log: pd.DataFrame | None,
    trained: Candidate | None,
    selection: Mapping[str, Any] | None = None,
) -> promotion.Evidence:
    """Return the numbers gates ask for; what trained a policy counts as measured too.

    `selection` says how the policy was chosen, unless what waited to be judged says so itself.
    """
    if not isinstance(report, Results):
        raise InvalidValueError(
            path="report", problem=f"{report!r} is no evidence", hint="Give what lab.compare gave."
        )
    before = trained.trained_rows if trained else 0
    chosen = trained.selection if trained and trained.selection else selection
    first, last = _range(log) if log is not None else ("", "")
    if trained is not None:
        first = trained.trained_from.isoformat(timespec="minutes")
    return promotion.Evidence(
        numbers={**report.numbers, "samples": float(report.n + before)},
        training_rows=before or report.n,
        data_range={"from": first, "to": last} if first else None,
        details={
            "conclusion": str(report.conclusion),
            "why": report.why,
            "judged_on": report.n,
            **({TRAINED_UNTIL: trained.trained_until.isoformat()} if trained else {}),
            **({SELECTION: dict(chosen)} if chosen else {}),
        },
    )


def _range(frame: pd.DataFrame) -> tuple[str, str]:
    first, last = frame["as_of"].min(), frame["as_of"].max()
    return first.isoformat(timespec="minutes"), last.isoformat(timespec="minutes")


def _registration(desk: Desk, evidence: promotion.Evidence, *, algorithm: str) -> Registration:
    numbers = {name: value for name, value in evidence.numbers.items() if value is not None}
    until, chosen = (evidence.details.get(name) for name in (TRAINED_UNTIL, SELECTION))
    desk.run.log_metrics(numbers)
    return Registration(
        name=desk.model.name,
        run_id=desk.run.id,
        metrics=numbers,
        tags={
            "data_range": " to ".join((evidence.data_range or {}).values()),
            "algorithm": algorithm,
            "registered_at": desk.now.isoformat(timespec="seconds"),
            **({TRAINED_UNTIL: str(until)} if until else {}),
            **({"candidate": str(chosen["chosen"])} if chosen else {}),
        },
        card=desk.card,
    )


def place_of(text: str) -> tuple[str, str]:
    """Return name and place of "NAME@ALIAS" or "NAME/VERSION"."""
    for separator in ("@", "/"):
        name, found, place = text.partition(separator)
        if found and name and place:
            if separator == "@" and place not in ALIASES:
                raise UnknownNameError(kind="alias", name=place, known=ALIASES)
            return name, place
    raise InvalidValueError(
        path="model", problem=f"'{text}' names no version", hint="Write NAME@ALIAS or NAME/VERSION."
    )
