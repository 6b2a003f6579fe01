"""Whether a champion still earns its place: the reverse e-process, since it was promoted.

    E_t = evidence that the champion is worth less than its rival, P(E ever >= 1/alpha) <= alpha

The same bets as at promotion, the sides exchanged, on decisions made since: what promoted it can't
keep it. Looking after every decision is allowed; `learning.promotion.demote` is what follows.

Reads   the champion, its rival (the rules, an earlier version; None: what was done), a log.
Gives   `Watch`: whether it must go, and why.
Never   counts a decision made before the promotion, nor demotes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation.comparison import (
    MIN_DECISIONS,
    Comparison,
    Settings,
    compare,
)
from intel_ml.learning.evaluation.replay import measured
from intel_ml.learning.evaluation.results import Conclusion

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen of a champion since its promotion; no `report` while that is too little."""

    must_go: bool
    why: str
    decisions: int
    report: Comparison | None


def watch(
    champion: Policy,
    rival: Policy | None,
    log: pd.DataFrame,
    *,
    since: datetime,
    settings: Settings | None = None,
) -> Watch:
    """Return whether decisions since `since` prove the champion worse than its rival."""
    rows = measured(log)
    rows = rows[(rows["as_of"] >= since).to_numpy()]
    if len(rows) < MIN_DECISIONS:
        told = f"{len(rows)} measured decisions since its promotion, needs {MIN_DECISIONS}"
        return Watch(must_go=False, why=told, decisions=len(rows), report=None)
    report = compare(champion, rival, rows, settings=settings)
    return Watch(
        must_go=report.conclusion is Conclusion.WORSE,
        why=report.why,
        decisions=len(rows),
        report=report,
    )
