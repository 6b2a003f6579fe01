"""The challenger: the version that runs beside the champion until one of them is proved better.

Reads   the aliases of a model, and decisions measured since the challenger was made.
Gives   `Challenged`: the duel of the two, recorded as the challenger's newest evidence.
Never   promotes: `intel-ml models promote NAME challenger` does, if the gate says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from intel_ml.learning import promotion
from intel_ml.learning.evaluation.replay import measured
from intel_ml.learning.evaluation.results import Conclusion
from intel_ml.learning.registry import CHALLENGER, CHAMPION, SHADOW
from intel_ml.surfaces.lab.candidates import TRAINED_UNTIL
from intel_ml.surfaces.lab.models import BY, Desk, compare, evidence_of, policy

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.learning.evaluation.comparison import Comparison


@dataclass(frozen=True, slots=True)
class Challenged:
    """What was seen of the challenger; `version` None where there is none."""

    version: str | None
    told: str
    report: Comparison | None = None

    def __repr__(self) -> str:
        return self.told

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.told)}</p>"


def compare_challenger(desk: Desk, log: pd.DataFrame) -> Challenged:
    """Compare challenger and champion on decisions made since the challenger was trained.

    Where there is no champion, with what was done.
    """
    from intel_ml.learning.evaluation.comparison import MIN_DECISIONS  # noqa: PLC0415  # heavy

    name, version = desk.model.name, _seated(desk)
    if version is None:
        return Challenged(None, "No version is in shadow: nobody challenges the champion.")
    known = promotion.evidence(desk.registry, desk.store, name=name, version=version)
    rows = measured(log)
    rows = rows[(rows["as_of"] > _known_until(known)).to_numpy()]
    who = f"{name} version {version}"
    if len(rows) < MIN_DECISIONS:
        told = f"{who} challenges the champion; {len(rows)} decisions were measured since it was "
        return Challenged(version, f"{told}trained, {MIN_DECISIONS} are needed.")
    mine = policy(desk.registry, f"{name}/{version}").policy
    report = compare(desk.registry, mine, against=f"{name}@{CHAMPION}", log=rows)
    evidence = evidence_of(report, log=rows, trained=None)
    trained_on = next((s.training_rows for s in known.life if s.training_rows is not None), None)
    samples = float(report.n + (trained_on or 0))
    newest = replace(
        evidence, numbers={**evidence.numbers, "samples": samples}, training_rows=trained_on
    )
    promotion.weigh(desk.lives, version, evidence=newest, by=BY, now=desk.now)
    told = f"{who} beside the champion, on {report.n} decisions since it was trained: "
    return Challenged(version, f"{told}{report.conclusion}, {report.why}.", report)


def _seated(desk: Desk) -> str | None:
    """Return the challenger's version; an empty seat, or a loser's, goes to the one in shadow."""
    registry, name = desk.registry, desk.model.name
    found, following = registry.find(name, CHALLENGER), registry.find(name, SHADOW)
    if found is not None:
        known = promotion.evidence(registry, desk.store, name=name, version=found.version)
        said = [s.evidence["conclusion"] for s in known.life if "conclusion" in s.evidence]
        has_lost = said[-1:] == [Conclusion.WORSE]
        if not has_lost or following is None or following.version == found.version:
            return found.version
    if following is None:
        return None
    registry.set_alias(name, CHALLENGER, following.version)
    return following.version


def _known_until(known: promotion.Dossier) -> datetime:
    """Return until when a version may have seen decisions: at the latest when it was made."""
    tags = known.version.tags
    told = tags.get(TRAINED_UNTIL) or tags.get("registered_at")
    return datetime.fromisoformat(told) if told else known.life[0].at
