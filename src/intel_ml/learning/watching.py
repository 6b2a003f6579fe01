"""Looks after the champion: is it still worth its place, and if not, out of it at once.

    rival        what was done by then: rules, people and all
    since        the moment of its promotion; what promoted it can't keep it
    demoted      when the reverse e-process passes its line (`evaluation.watch`)

Reads   the champion of a model, its life, and the decisions since its promotion.
Gives   `Watched`; a demotion with its evidence; what was seen, on the version itself.
Never   demotes on less than the e-process asks for, however often it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from intel_ml.learning import promotion
from intel_ml.learning.promotion import ACTIVE, WATCHED, Evidence, Lives
from intel_ml.learning.registry import CHAMPION
from intel_ml.learning.training import training_log

if TYPE_CHECKING:
    from intel_ml.learning.evaluation.watch import Watch

BY = "reverse e-process"
_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one champion: `version` None where there is none to watch."""

    name: str
    version: str | None
    is_demoted: bool
    decisions: int
    why: str
    numbers: Mapping[str, float | None]

    @property
    def text(self) -> str:
        """What was seen, in words."""
        if self.version is None:
            return f"{self.name}: {self.why}"
        did = "was demoted" if self.is_demoted else "stays"
        return f"{self.name} version {self.version} {did}: {self.why}"


def watch_champion(lives: Lives, *, now: datetime) -> Watched:
    """Judge the champion by decisions since its promotion; demote it if they prove it worse."""
    from intel_ml.learning.evaluation.watch import watch  # noqa: PLC0415  # loads LightGBM

    name = lives.model.name
    loaded = lives.registry.load_policy(name, CHAMPION)
    if loaded is None:
        return Watched(name, None, is_demoted=False, decisions=0, why="no champion", numbers={})
    since = promoted_at(lives, loaded.version)
    with lives.store.connection() as connection:
        log = training_log(
            connection,
            days=max((now - since).days + 1, 1),
            horizon_hours=lives.model.training.horizon_hours,
            now=now,
        )
    found = watch(loaded.policy, None, log.tail(_AT_ONCE), since=since)
    seen = f"{now:%Y-%m-%d %H:%M}, {found.decisions} decisions since {since:%Y-%m-%d}: {found.why}"
    lives.registry.tag(name, loaded.version, tags={WATCHED: seen})
    if found.must_go:
        promotion.demote(lives, by=BY, reason=found.why, now=now, evidence=_evidence(found, since))
    return Watched(
        name=name,
        version=loaded.version,
        is_demoted=found.must_go,
        decisions=found.decisions,
        why=found.why,
        numbers={} if found.report is None else found.report.numbers,
    )


def promoted_at(lives: Lives, version: str) -> datetime:
    """Return when the champion was last made so."""
    with lives.store.session() as session:
        steps = promotion.life(session, lives.model.name)
    return max(step.at for step in steps if step.version == version and step.status == ACTIVE)


def _evidence(found: Watch, since: datetime) -> Evidence:
    report = found.report
    return Evidence(
        numbers={} if report is None else report.numbers,
        details={
            "conclusion": "worse",
            "why": found.why,
            "judged_on": found.decisions,
            "since": since.isoformat(timespec="minutes"),
        },
    )
