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

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.protocol import MAINTAIN, Policy
from intel_ml.learning.evaluation import (
    dm,
    dr,
    dr_os,
    e_process,
    ips,
    online,
    pictures,
    rendering,
    reward_model,
    sndr,
    snips,
    switch_dr,
)
from intel_ml.learning.evaluation.agreement import agreement
from intel_ml.learning.evaluation.e_process import Bounds, Duel, EProcess, Foresight
from intel_ml.learning.evaluation.intervals import of_mean
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.replay import Replayed, chances, may_be_asked, measured, replay
from intel_ml.learning.evaluation.results import Conclusion, Judged, Results
from intel_ml.learning.evaluation.sensitivity import sensitivity
from intel_ml.learning.evaluation.support import SupportLimits, support
from intel_ml.learning.evaluation.tails import Tails, tails

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MIN_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Confidence of intervals, error of the e-process, support that is enough, reward bounds.

    `alpha` is promised of one candidate: of k that are looked at, one may be taken for better with
    k times that, so give each alpha / k.
    """

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

    def support(self) -> pd.DataFrame:
        """Return one row a policy and need: what was seen of it, and whether that is enough."""
        return rendering.support(self)

    def doubts(self) -> pd.DataFrame:
        """Return one row a factor by which hidden reasons moved odds: what the difference is."""
        return rendering.doubts(self)

    def archetypes(self) -> pd.DataFrame:
        """Return one row an archetype: difference in value and agreement with people."""
        return rendering.archetypes(self)

    def actions(self) -> pd.DataFrame:
        """Return one row an action people had done: how often it would have done that too."""
        return rendering.actions(self)

    def figure(self, panel: str | None = None) -> Figure:
        """Return value with intervals, evidence over time, agreement, and room for doubt.

        Or one `panel` alone: value, estimators, support, evidence, agreement, doubt.
        """
        if panel is not None:
            return pictures.panel(self, panel)
        return pictures.figure(self, title=rendering.headline(self))

    @property
    def says(self) -> dict[str, str]:
        """What was found, a sentence a finding: gain, evidence, support, agreement, doubt."""
        return rendering.findings(self)

    @property
    def headline(self) -> str:
        """The conclusion in a few words, and why."""
        return f"{rendering.headline(self)}: {self.why}."

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
    """Return the comparison on the measured rows of a log that neither policy has seen.

    Left out are decisions about levels that one of the two would not be asked about.
    """
    chosen = settings or Settings()
    rows = measured(log)
    for policy in (candidate, *([] if champion is None else [champion])):
        rows = rows[may_be_asked(policy, rows)]
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
    duel = _duel(mine.logged, held, rows, chosen)
    cut = tails(gains, mine.logged.rewards, bounds=chosen.bounds, alpha=chosen.alpha)
    conclusion, why = _conclude(judged, rival, duel, cut)
    return Comparison(
        candidate=judged,
        champion=rival,
        logged=of_mean(mine.logged.rewards, level=chosen.level, units=mine.logged.units),
        difference=of_mean(gains, level=chosen.level, units=mine.logged.units),
        evidence=duel.better,
        counter_evidence=duel.worse,
        sensitivity=sensitivity(mine.logged, held, judged=_had_a_say(rows), level=chosen.level),
        by_archetype={
            name: (
                of_mean(
                    gains[part],
                    level=chosen.level,
                    units=None if (units := mine.logged.units) is None else units[part],
                ),
                int(part.sum()),
            )
            for name, part in _groups(rows).items()
            if part.sum() >= chosen.min_group
        },
        n=len(rows),
        conclusion=conclusion,
        why=why,
    )


def _duel(
    mine: LoggedDecisions, held: LoggedDecisions | None, rows: pd.DataFrame, chosen: Settings
) -> Duel:
    """Return the evidence either way; predictions come from whichever model was best so far."""
    known = chances(rows)
    if known is None:
        return e_process.duel(mine, held, bounds=chosen.bounds, alpha=chosen.alpha)
    unit = chosen.bounds.unit(mine.rewards)
    middle = float(chosen.bounds.unit(np.zeros(1))[0])
    models = [
        online.cells(_codes(rows), mine.actions, unit, arms=known.shape[1], start=middle),
        chosen.bounds.unit(reward_model.online(rows)),
    ]
    return e_process.duel(
        mine,
        held,
        foresight=Foresight(known, online.best_so_far(models, mine.actions, unit)),
        bounds=chosen.bounds,
        alpha=chosen.alpha,
    )


def _judge(policy: Policy, replayed: Replayed, rows: pd.DataFrame, chosen: Settings) -> Judged:
    logged = replayed.logged
    found = {"IPS": ips.estimate(logged, level=chosen.level)}
    if logged.weights.sum() > 0:
        found["SNIPS"] = snips.estimate(logged, level=chosen.level)
    found["DR"] = dr.estimate(logged, level=chosen.level)
    found["DR-os"] = dr_os.estimate(logged, level=chosen.level)
    if "SNIPS" in found:
        found["SNDR"] = sndr.estimate(logged, level=chosen.level)
    found["Switch-DR"] = switch_dr.estimate(logged, level=chosen.level)
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
    candidate: Judged, champion: Judged | None, duel: Duel, cut: Tails
) -> tuple[Conclusion, str]:
    for judged in (candidate, champion):
        if judged is not None and not judged.support.is_enough:
            return Conclusion.REFUSED, f"{judged.name}: {'; '.join(judged.support.missing)}"
    line = 1.0 / duel.better.alpha
    is_worse = _stands(duel.worse, against=duel.better)
    is_better = duel.better.has_crossed and not is_worse
    if (is_better and cut.could_hide_a_loss) or (is_worse and cut.could_hide_a_gain):
        return (
            Conclusion.REFUSED,
            f"{cut.beyond} rewards beyond the bounds could turn it: as they are, the difference in "
            f"value lies between {cut.least:.3g} and {cut.most:.3g}",
        )
    if is_better:
        return (
            Conclusion.BETTER,
            f"the evidence (e-value) passed {line:.0f} to 1 at decision {duel.better.crossed_at}",
        )
    if is_worse:
        return (
            Conclusion.WORSE,
            f"the evidence against it (reverse e-value) passed {line:.0f} to 1 at decision "
            f"{duel.worse.crossed_at}",
        )
    return (
        Conclusion.INCONCLUSIVE,
        f"the evidence (e-value) is {duel.better.e_value:.2g} to 1, {line:.0f} to 1 would decide",
    )


def _stands(evidence: EProcess, *, against: EProcess) -> bool:
    """Return whether evidence was enough, and came last if the contrary once was enough too.

    What was better for a month and proved it is worse all the same once that is proved.
    """
    if evidence.crossed_at is None:
        return False
    return against.crossed_at is None or evidence.crossed_at > against.crossed_at


def _with_model(replayed: Replayed, model: NDArray[np.float64]) -> Replayed:
    return Replayed(replayed.logged.with_model(model), replayed.choices, replayed.supported_share)


def _groups(rows: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    if "archetype" not in rows:
        return {}
    names = rows["archetype"].to_numpy(dtype=object)
    known = sorted({name for name in names if isinstance(name, str)})
    return {name: np.asarray(names == name) for name in known}


def _codes(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return a number for each row's archetype; rows without one share theirs."""
    if "archetype" not in rows:
        return np.zeros(len(rows), dtype=np.intp)
    names = [name if isinstance(name, str) else "" for name in rows["archetype"]]
    return np.unique(names, return_inverse=True)[1].astype(np.intp)


def _had_a_say(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return in which decisions people could have changed what was executed."""
    free = (
        rows["is_held_out"].to_numpy(dtype=np.bool_)
        if "is_held_out" in rows
        else np.zeros(len(rows), dtype=np.bool_)
    )
    idle = (rows["proposed"] == ARMS[MAINTAIN]).to_numpy() if "proposed" in rows else free
    return np.asarray(~free & ~idle, dtype=np.bool_)
