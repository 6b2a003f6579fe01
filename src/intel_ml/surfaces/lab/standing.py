"""Whether a policy may be put to use, and whether the one in use may stay.

Reads   the gate of a model, what a comparison measured, decisions since a promotion.
Gives   a table of what is asked, seen and enough; a `Watch`.
Never   promotes or demotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.gates import Outcome, judge, with_floor
from intel_ml.learning.promotion import Evidence
from intel_ml.learning.registry import CHAMPION
from intel_ml.surfaces.lab.models import Desk

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.learning.evaluation.watch import Watch


def asked(desk: Desk, evidence: Evidence) -> pd.DataFrame:
    """Return what the gate into use asks for, what was seen, and whether that is enough."""
    import pandas as pd  # noqa: PLC0415  # heavy

    gate = with_floor(desk.model.gates.champion, min_samples=desk.min_training_samples)
    rows = [
        {
            "what is asked": check.quantity,
            "seen": check.seen,
            "needed": f"{'at most' if check.at_most else 'at least'} {check.needed:,g}",
            "enough": "yes" if check.outcome is Outcome.PASSED else "no",
        }
        for check in judge(gate, evidence.numbers, name=CHAMPION).checks
    ]
    return pd.DataFrame(rows, columns=["what is asked", "seen", "needed", "enough"])


def watched(desk: Desk, rival: Policy | None, log: pd.DataFrame) -> Watch | None:
    """Return whether the champion still earns its place since its promotion; None without one."""
    from intel_ml.learning.evaluation.watch import watch  # noqa: PLC0415  # heavy
    from intel_ml.learning.watching import promoted_at  # noqa: PLC0415  # with it

    found = desk.registry.load_policy(desk.model.name, CHAMPION)
    if found is None:
        return None
    return watch(found.policy, rival, log, since=promoted_at(desk.lives, found.version))
