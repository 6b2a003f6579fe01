"""The life of a model version: testing, shadow, active, deprecated.

Reads   gates and the evidence of a version.
Gives   aliases in the registry; a row of `intel_model_version` a step: its evidence, who took it.
        Each of `promote`, `demote` and `rollback` is one step; `weigh` adds evidence to where a
        version stands.
Never   promotes past a gate, and never forgets: a step back is another row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from intel_ml.core.errors import ConflictError, NotFoundError, UnknownNameError
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import ModelVersion
from intel_ml.learning.gates import EVIDENCE, ModelDescription, Verdict, judge, with_floor
from intel_ml.learning.registry import ALIASES, CHALLENGER, CHAMPION, SHADOW, Registry, Version

_LEARNS_FROM_OUTCOMES, _WORSE = "reinforcement", "worse"
#: The tag of a champion that says what was seen of it when it was last watched.
WATCHED = "watched"
TESTING, IN_SHADOW, ACTIVE, DEPRECATED = "testing", "shadow", "active", "deprecated"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for one version; `numbers` has the keys of `gates.EVIDENCE`.

    `kept` says why a version is kept beside and put to no use, whatever its gate says.
    """

    numbers: Mapping[str, float | None]
    training_rows: int | None = None
    data_range: Mapping[str, str] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of a version, as it was recorded."""

    name: str
    version: str
    status: str
    reason: str
    changed_by: str
    at: datetime
    evidence: Mapping[str, Any]
    training_rows: int | None

    @property
    def text(self) -> str:
        """The step in words."""
        return str(self)

    def __str__(self) -> str:
        return f"{self.name} version {self.version} is {self.status}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one version stands."""

    name: str
    version: str
    aliases: tuple[str, ...]
    status: str
    training_rows: int | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything known of one version: what was registered, what was measured, its whole life."""

    version: Version
    life: tuple[Step, ...]
    numbers: Mapping[str, float | None]

    @property
    def text(self) -> str:
        """The dossier as a person reads it in a terminal."""
        known = self.version
        aliases = f" ({', '.join(known.aliases)})" if known.aliases else ""
        numbers = [
            f"  {EVIDENCE.get(name, name)}: {'not measured' if value is None else f'{value:.4g}'}"
            for name, value in self.numbers.items()
        ]
        concluded = [
            f"Compared: {step.evidence['conclusion']}; {step.evidence.get('why', '')}"
            for step in self.life
            if "conclusion" in step.evidence
        ]
        chosen = [
            f"  {line}" if at else f"Chosen: {line}"
            for step in self.life
            for at, line in enumerate(step.evidence.get("selection", {}).get("told", ()))
        ]
        watched = [f"Watched: {known.tags[WATCHED]}"] if WATCHED in known.tags else []
        tags = [
            f"  {name}: {value}"
            for name, value in sorted(known.tags.items())
            if not name.startswith("metric.") and name != WATCHED
        ]
        steps = [
            f"  {step.at:%Y-%m-%d %H:%M} {step.status} by {step.changed_by}: {step.reason}"
            for step in self.life
        ]
        parts = [f"{known.name} version {known.version}{aliases}", f"MLflow run {known.run_id}"]
        return "\n".join(
            [
                *(*parts, "Measured:", *numbers, *concluded, *watched, *chosen),
                *("Registered with:", *tags, "Life:", *steps),
            ]
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row to be written."""

    found: Version
    status: str
    reason: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Lives:
    """Where a model's life is kept: the registry's aliases, the store's audit, its own gates."""

    registry: Registry
    store: Store
    model: ModelDescription


def admit(lives: Lives, version: str, *, evidence: Evidence, by: str, now: datetime) -> Verdict:
    """Record a new version as testing; into shadow, if the gate passes and it is not `kept`."""
    found = _require(lives, version)
    verdict = judge(lives.model.gates.shadow, evidence.numbers, name=SHADOW)
    tags = {"gate": verdict.outcome.value, "gate_evidence": str(verdict)}
    if evidence.kept:
        tags["kept"] = evidence.kept
    lives.registry.tag(found.name, version, tags=tags)
    with lives.store.session() as session:
        reason = evidence.kept or ("registered" if verdict.has_passed else str(verdict))
        _write(session, lives, _Entry(found, TESTING, reason, evidence), by=by, now=now)
        if verdict.has_passed and not evidence.kept:
            _into_shadow(session, lives, _Entry(found, IN_SHADOW, str(verdict)), by=by, now=now)
    return verdict


def challenge(lives: Lives, version: str, *, evidence: Evidence, by: str, now: datetime) -> None:
    """Make a version the challenger: it is compared with the champion, and never shown."""
    found = _require(lives, version)
    with lives.store.session() as session:
        _write(session, lives, _Entry(found, TESTING, CHALLENGER, evidence), by=by, now=now)
        lives.registry.set_alias(found.name, CHALLENGER, version)


def weigh(lives: Lives, version: str, *, evidence: Evidence, by: str, now: datetime) -> Step:
    """Record newer evidence of a version; where it stands stays as it is."""
    found = _require(lives, version)
    with lives.store.session() as session:
        steps = [s for s in life(session, found.name) if s.version == found.version]
        status = steps[-1].status if steps else TESTING
        told = f"compared again: {evidence.details.get('why', 'newer evidence')}"
        return _write(session, lives, _Entry(found, status, told, evidence), by=by, now=now)


def promote(
    lives: Lives, version: str, *, by: str, now: datetime, min_training_samples: int = 0
) -> Verdict:
    """Make a version the champion if its recorded evidence passes the gate; say what it said.

    A refusal changes nothing but the audit, which keeps what was missing. `min_training_samples` is
    about measured outcomes: it is asked of models that learn from them.
    """
    found = _require(lives, version)
    version = found.version
    floor = min_training_samples if lives.model.type == _LEARNS_FROM_OUTCOMES else 0
    gate = with_floor(lives.model.gates.champion, min_samples=floor)
    with lives.store.session() as session:
        steps = [s for s in life(session, found.name) if s.version == version]
        verdict = judge(gate, _numbers(steps), name=CHAMPION)
        lives.registry.tag(found.name, version, tags={"champion_gate": str(verdict)})
        if not verdict.has_passed:
            stays = steps[-1].status if steps else TESTING
            _write(session, lives, _Entry(found, stays, str(verdict)), by=by, now=now)
            return verdict
        before = lives.registry.find(found.name, CHAMPION)
        if before is not None and before.version != version:
            told = f"replaced by version {version}"
            _write(session, lives, _Entry(before, DEPRECATED, told), by=by, now=now)
        _write(session, lives, _Entry(found, ACTIVE, str(verdict)), by=by, now=now)
        lives.registry.set_alias(found.name, CHAMPION, version)
        if CHALLENGER in found.aliases:
            lives.registry.remove_alias(found.name, CHALLENGER)
    return verdict


def demote(
    lives: Lives, *, by: str, reason: str, now: datetime, evidence: Evidence | None = None
) -> Step:
    """Take the champion back into shadow: rules alone are shown from now on.

    `evidence` is what was seen since its promotion, if that is the reason: the gate will ask for
    better before this version returns. Without it what was recorded last stands.
    """
    name = lives.model.name
    champion = lives.registry.find(name, CHAMPION)
    if champion is None:
        raise ConflictError(
            f"{name} has no champion to demote.", hint="`intel-ml models list` shows aliases."
        )
    with lives.store.session() as session:
        steps = [s for s in life(session, name) if s.version == champion.version]
        seen = evidence or Evidence(_numbers(steps))
        entry = _Entry(champion, IN_SHADOW, reason, seen)
        step = _into_shadow(session, lives, entry, by=by, now=now)
        lives.registry.remove_alias(name, CHAMPION)
    return step


def rollback(lives: Lives, *, by: str, reason: str, now: datetime) -> Step:
    """Put the champion before this one back; its evidence stands, so no gate is asked again.

    One that was proved worse since is passed over. Where the champion was demoted, the one before
    that comes back; the demoted one itself has to be promoted.
    """
    name = lives.model.name
    champion = lives.registry.find(name, CHAMPION)
    with lives.store.session() as session:
        steps = life(session, name)
        actives = [s.version for s in steps if s.status == ACTIVE]
        current = champion.version if champion else actives[-1] if actives else None
        worse = {s.version for s in steps if _concluded(steps, s.version) == _WORSE}
        earlier = [version for version in actives if version not in (current, *worse)]
        if not earlier:
            raise ConflictError(f"{name} has no champion before this one to roll back to.")
        target = _require(lives, earlier[-1])
        if champion is not None:
            told = f"rolled back: {reason}"
            _write(session, lives, _Entry(champion, DEPRECATED, told), by=by, now=now)
        stands = Evidence(_numbers([s for s in steps if s.version == target.version]))
        entry = _Entry(target, ACTIVE, f"rollback: {reason}", stands)
        step = _write(session, lives, entry, by=by, now=now)
        lives.registry.set_alias(name, CHAMPION, target.version)
    return step


def overview(registry: Registry, store: Store) -> list[Standing]:
    """Return where every version of every registered model stands, newest first."""
    standing = []
    for name in registry.names():
        with store.session() as session:
            steps = life(session, name)
        for version in registry.versions(name):
            mine = [step for step in steps if step.version == version.version]
            counted = [step.training_rows for step in mine if step.training_rows is not None]
            standing.append(
                Standing(
                    name=name,
                    version=version.version,
                    aliases=version.aliases,
                    status=mine[-1].status if mine else TESTING,
                    training_rows=counted[-1] if counted else None,
                    verdict=version.tags.get("gate_evidence", ""),
                )
            )
    return standing


def evidence(registry: Registry, store: Store, *, name: str, version: str | None = None) -> Dossier:
    """Return everything known of one version or alias, the newest version if none is named."""
    known = registry.names()
    if name not in known:
        raise UnknownNameError(kind="model", name=name, known=known)
    versions = registry.versions(name)
    found = next((v for v in versions if version in (None, v.version, *v.aliases)), None)
    if found is None:
        raise _absent(name, version or "at all")
    with store.session() as session:
        steps = [step for step in life(session, name) if step.version == found.version]
    return Dossier(found, tuple(steps), dict(_numbers(steps)))


def life(session: Session, name: str) -> list[Step]:
    """Return every recorded step of a model's versions, oldest first."""
    rows = session.scalars(
        select(ModelVersion).where(ModelVersion.name == name).order_by(ModelVersion.id)
    )
    return [_step(row) for row in rows]


def _numbers(steps: Sequence[Step]) -> Mapping[str, float | None]:
    """Return the numbers measured last for a version, what gates ask for first."""
    measured = [s.evidence["numbers"] for s in steps if "numbers" in s.evidence]
    found: Mapping[str, float | None] = measured[-1] if measured else {}
    asked = [name for name in EVIDENCE if name in found]
    return {name: found[name] for name in [*asked, *sorted(set(found) - set(asked))]}


def _concluded(steps: Sequence[Step], version: str) -> str | None:
    """Return what was concluded of a version last; None before any comparison."""
    said = [
        s.evidence["conclusion"]
        for s in steps
        if s.version == version
        if "conclusion" in s.evidence
    ]
    return said[-1] if said else None


def _into_shadow(session: Session, lives: Lives, entry: _Entry, *, by: str, now: datetime) -> Step:
    """Put a version into shadow; the one that was there until now leaves."""
    found = entry.found
    before = lives.registry.find(found.name, SHADOW)
    if before is not None and before.version != found.version:
        stood = [s.status for s in life(session, found.name) if s.version == before.version]
        if stood and stood[-1] == IN_SHADOW:
            told = f"replaced in shadow by version {found.version}"
            _write(session, lives, _Entry(before, DEPRECATED, told), by=by, now=now)
    step = _write(session, lives, entry, by=by, now=now)
    lives.registry.set_alias(found.name, SHADOW, found.version)
    return step


def _write(session: Session, lives: Lives, entry: _Entry, *, by: str, now: datetime) -> Step:
    found, evidence = entry.found, entry.evidence
    row = ModelVersion(
        name=found.name,
        version=found.version,
        model_type=lives.model.type,
        status=entry.status,
        status_reason=entry.reason,
        changed_by=by,
        at=now,
        run_id=found.run_id,
        sha256=found.tags.get("sha256"),
        features_hash=found.tags.get("features_hash"),
        model_config=lives.model.training.model_dump(mode="json"),
    )
    if evidence is not None:
        row.training_data_count = evidence.training_rows
        row.training_data_range = dict(evidence.data_range) if evidence.data_range else None
        row.evaluation = {"numbers": dict(evidence.numbers), **evidence.details}
    session.add(row)
    session.flush()
    return _step(row)


def _step(row: ModelVersion) -> Step:
    return Step(
        name=row.name,
        version=row.version,
        status=row.status,
        reason=row.status_reason or "",
        changed_by=row.changed_by,
        at=row.at,
        evidence=row.evaluation or {},
        training_rows=row.training_data_count,
    )


def _require(lives: Lives, version: str) -> Version:
    found = lives.registry.find(lives.model.name, version)
    if found is None:
        raise _absent(lives.model.name, version)
    return found


def _absent(name: str, place: str) -> NotFoundError:
    told = f"{place} yet" if place in ALIASES else f"version '{place}'"
    return NotFoundError(f"{name} has no {told}.", hint="`intel-ml models list` shows what it has.")
