"""The study of a log: what could have run by itself at a promised disagreement.

Reads   judged proposals, oldest first.
Gives   `Study`: the older teach the imitation, the newer say above which sureness it would hardly
        ever have been wrong; pictures and a table by archetype and arm.
Never   lets anything run: that is granted, by a person, `intel-ml autonomy grant`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Arm
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.evidence import require
from intel_ml.intelligence.policy.imitation import Policy
from intel_ml.learning.evaluation.autonomy import Autonomy, Promise, earned
from intel_ml.learning.evaluation.replay import states_of_log
from intel_ml.reporting.autonomy import calibration, walk

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Study:
    """What could have run; `sure` and `agreed` are of the newer proposals."""

    found: Autonomy
    policy: Policy
    taught_by: int
    sure: NDArray[np.float64]
    agreed: NDArray[np.bool_]
    cells: pd.DataFrame

    def figure(self) -> Figure:
        """Return the picture of share and disagreement, from the surest on."""
        return walk(self.found)

    def calibration(self) -> Figure:
        """Return the picture of how sure it was, and how often it was right."""
        return calibration(self.sure, self.agreed)

    @property
    def brier(self) -> float:
        """The mean squared error of P(approve)."""
        return float(((self.sure - self.agreed) ** 2).mean())

    def _repr_html_(self) -> str:
        return f"<p>{self.found.text}</p>{self.cells.to_html(index=False)}"


def study(log: pd.DataFrame, *, risk: float, delta: float, newest: float) -> Study:
    """Return what could have run by itself, had the imitation been asked first."""
    require(log, "proposed", "verdict", "executed", "as_of")
    asked = log["verdict"].isin(list(Verdict)) & (log["proposed"] != Arm.MAINTAIN)
    judged = log[asked.to_numpy()].sort_values("as_of", kind="stable")
    older = round((1 - newest) * len(judged))
    if min(older, len(judged) - older) < _FEWEST:
        raise NotEnoughDataError(
            quantity="proposals a person judged", needed=2 * _FEWEST, seen=len(judged)
        )
    known, new = judged.iloc[:older], judged.iloc[older:]
    policy = Policy().fit(known)
    foreseen = policy.foresee(
        states_of_log(new, policy.features), [Arm(arm) for arm in new["proposed"]]
    )
    agreed = (new["verdict"] == Verdict.APPROVED).to_numpy()
    found = earned(foreseen.approve, agreed, promise=Promise(risk=risk, delta=delta))
    cells = _cells(new, foreseen.approve, agreed, found)
    return Study(found, policy, older, foreseen.approve, agreed, cells)


def _cells(
    new: pd.DataFrame, sure: NDArray[np.float64], agreed: NDArray[np.bool_], found: Autonomy
) -> pd.DataFrame:
    runs = np.zeros(len(new), dtype=bool) if found.threshold is None else sure > found.threshold
    names = new["archetype"].fillna("none") if "archetype" in new else "none"
    frame = new[["proposed"]].assign(
        archetype=names, judged=1, approved=agreed, runs=runs, disagreed=runs & ~agreed
    )
    grouped = frame.groupby(["archetype", "proposed"], as_index=False)
    return grouped[["judged", "approved", "runs", "disagreed"]].sum()
