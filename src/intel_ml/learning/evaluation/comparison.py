"""A candidate beside a champion on one log: value, interval, support, e-value, agreement.

Reads   two policies and a log of measured decisions, not seen by either.
Gives   `Comparison`, which a notebook renders as a table and a picture.
Never   concludes without support: then it is refused, and says which number is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation import (
    dm,
    dr,
    dr_os,
    e_process,
    ips,
    rendering,
    reward_model,
    snips,
)
from intel_ml.learning.evaluation.agreement import agreement
from intel_ml.learning.evaluation.e_process import Bounds, EProcess
from intel_ml.learning.evaluation.intervals import of_mean
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.replay import Replayed, chances, measured, replay
from intel_ml.learning.evaluation.results import Conclusion, Judged, Results
from intel_ml.learning.evaluation.support import SupportLimits, support

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MIN_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Confidence of intervals, error of the e-process, support that is enough, reward bounds."""

    level: float = 0.95
    alpha: float = e_process.ALPHA
    limits: SupportLimits = field(default_factory=lambda: SupportLimits(min_supported_share=0.5))
    bounds: Bounds = field(default_factory=Bounds)
    min_group: int = 20


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Results):
    """Results that show themselves: as tables, as a figure, as a page in a notebook."""

    def table(self) -> pd.DataFrame:
        """Return one row an estimator and policy."""
        return rendering.table(self)

    def archetypes(self) -> pd.DataFrame:
        """Return one row an archetype: difference in value and agreement with people."""
        return rendering.archetypes(self)

    def figure(self) -> Figure:
        """Return value with intervals, evidence over time, and agreement by archetype."""
        return rendering.figure(self)

    def __repr__(self) -> str:
        return f"{self.conclusion}: {self.why}\n{self.table().to_string()}"

    def _repr_html_(self) -> str:
        return rendering.html(self)


def compare(
    candidate: Policy,
    champion: Policy | None,
    log: pd.DataFrame,
    *,
    settings: Settings | None = None,
) -> Comparison:
    """Return the comparison on the measured rows of a log that neither policy has seen."""
    chosen = settings or Settings()
    rows = measured(log)
    if len(rows) < MIN_DECISIONS:
        raise NotEnoughDataError(
            quantity="measured decisions to compare on", needed=MIN_DECISIONS, seen=len(rows)
        )
    model = reward_model.cross_fitted(rows)
    mine = _with_model(replay(candidate, rows), model)
    other = None if champion is None else _with_model(replay(champion, rows), model)
    judged = _judge(candidate, mine, rows, chosen)
    rival = None if champion is None or other is None else _judge(champion, other, rows, chosen)
    held = None if other is None else other.logged
    base = mine.logged.rewards if held is None else dr.values(held)
    gains = dr.values(mine.logged) - base
    evidence, counter = _evidence(mine.logged, held, rows, chosen)
    conclusion, why = _conclude(judged, rival, evidence=evidence, counter=counter)
    return Comparison(
        candidate=judged,
        champion=rival,
        logged=of_mean(mine.logged.rewards, level=chosen.level),
        difference=of_mean(gains, level=chosen.level),
        evidence=evidence,
        counter_evidence=counter,
        by_archetype={
            name: (of_mean(gains[part], level=chosen.level), int(part.sum()))
            for name, part in _groups(rows).items()
            if part.sum() >= chosen.min_group
        },
        n=len(rows),
        conclusion=conclusion,
        why=why,
    )


def _evidence(
    mine: LoggedDecisions, held: LoggedDecisions | None, rows: pd.DataFrame, chosen: Settings
) -> tuple[EProcess, EProcess]:
    """Return the evidence that the candidate is better, and that it is worse.

    Bets on the plain and on the doubly robust difference, half the money each: the first needs no
    bound on weights, the second has far less noise where weights are moderate.
    """
    unit = chosen.bounds.unit(mine.rewards)
    weights = np.ones(len(mine)) if held is None else held.weights
    plain = (
        e_process.process(e_process.differences(mine.weights, weights, unit), alpha=chosen.alpha),
        e_process.process(e_process.differences(weights, mine.weights, unit), alpha=chosen.alpha),
    )
    known = chances(rows)
    if held is None or known is None:
        return plain
    predicted = chosen.bounds.unit(reward_model.online(rows))
    robust = [
        e_process.process(
            e_process.dr_steps(a, b, chances=known, predicted=predicted, bounds=chosen.bounds),
            alpha=chosen.alpha,
        )
        for a, b in ((mine, held), (held, mine))
    ]
    return e_process.mixed(plain[0], robust[0]), e_process.mixed(plain[1], robust[1])


def _judge(policy: Policy, replayed: Replayed, rows: pd.DataFrame, chosen: Settings) -> Judged:
    logged = replayed.logged
    found = {"IPS": ips.estimate(logged, level=chosen.level)}
    if logged.weights.sum() > 0:
        found["SNIPS"] = snips.estimate(logged, level=chosen.level)
    found["DR"] = dr.estimate(logged, level=chosen.level)
    found["DR-os"] = dr_os.estimate(logged, level=chosen.level)
    found["DM"] = dm.estimate(logged, level=chosen.level)
    by = rows["verdict"].isin(list(Verdict)).to_numpy() if "verdict" in rows else None
    by = np.zeros(len(rows), dtype=bool) if by is None else by
    kinds = rows["archetype"].to_numpy(dtype=object)[by] if "archetype" in rows else None
    return Judged(
        name=policy.name,
        estimates=found,
        support=support(logged, chosen.limits, supported_share=replayed.supported_share),
        agreement=agreement(
            replayed.choices.greedy[by],
            logged.actions[by],
            archetypes=None
            if kinds is None
            else [k if isinstance(k, str) else None for k in kinds],
        ),
    )


def _conclude(
    candidate: Judged, champion: Judged | None, *, evidence: EProcess, counter: EProcess
) -> tuple[Conclusion, str]:
    for judged in (candidate, champion):
        if judged is not None and not judged.support.is_enough:
            return Conclusion.REFUSED, f"{judged.name}: {'; '.join(judged.support.missing)}"
    line = 1.0 / evidence.alpha
    if evidence.has_crossed:
        return Conclusion.BETTER, f"the e-value passed {line:.0f} at decision {evidence.crossed_at}"
    if counter.has_crossed:
        return (
            Conclusion.WORSE,
            f"the reverse e-value passed {line:.0f} at decision {counter.crossed_at}",
        )
    return (
        Conclusion.INCONCLUSIVE,
        f"the e-value is {evidence.e_value:.2g}, {line:.0f} would decide",
    )


def _with_model(replayed: Replayed, model: NDArray[np.float64]) -> Replayed:
    return Replayed(replayed.logged.with_model(model), replayed.choices, replayed.supported_share)


def _groups(rows: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    if "archetype" not in rows:
        return {}
    names = rows["archetype"].to_numpy(dtype=object)
    known = sorted({name for name in names if isinstance(name, str)})
    return {name: np.asarray(names == name) for name in known}
