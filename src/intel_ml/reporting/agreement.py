"""How often the policy would have done what people did, of what people judged lately.

Reads   verdicts of the last 30 days beside what the policy had said before them.
Gives   `Agreed`: the rate with its interval, and of which model; None where nothing was judged.
Never   counts a random try, and never calls agreement value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.actions import ARMS, Arm, arm_of
from intel_ml.core.recommendations import IMITATION
from intel_ml.learning.evaluation.agreement import Agreement, agreement
from intel_ml.operations.approvals import action_from

WINDOW = timedelta(days=30)
_PLACES = {arm.value: place for place, arm in enumerate(ARMS)}

_JUDGED = text(
    """
    SELECT decision.policy_name AS model, decision.policy_arm, decision.proposed,
        action.human_decision AS said, action.action_type, action.action_params
    FROM intel_automation_action AS action
    JOIN intel_decision AS decision ON decision.ad_account_id = action.ad_account_id
        AND decision.decision_id = action.decision_id
    WHERE action.ad_account_id = :account AND action.human_decision IS NOT NULL
        AND action.source <> 'exploration' AND decision.policy_arm IS NOT NULL
        AND decision.as_of > :since
    ORDER BY decision.as_of
    """
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """How often one model would have done what people did."""

    model: str
    found: Agreement

    @property
    def text(self) -> str:
        """The rate as a sentence."""
        who = "An imitation of people" if self.model == IMITATION else "The policy"
        rate, count = self.found.rate or 0.0, self.found.n
        judged = f"{count:,} {'proposal' if count == 1 else 'proposals'} judged in 30 days"
        return (
            f"{who} would have done what people did with {rate:.0%} of the {judged} "
            f"(95% interval {self.found.low:.0%} to {self.found.high:.0%})."
        )


def agreed(session: Session, account_id: str, *, now: datetime) -> Agreed | None:
    """Return the agreement of people with the model that spoke last."""
    rows = session.execute(_JUDGED, {"account": account_id, "since": now - WINDOW}).all()
    if not rows:
        return None
    model = str(rows[-1].model)
    arms = [(row.policy_arm, _wanted(row)) for row in rows if row.model == model]
    mine, theirs = (
        np.array([_PLACES[str(pair[side])] for pair in arms], dtype=np.intp) for side in (0, 1)
    )
    return Agreed(model, agreement(mine, theirs))


def _wanted(row: Any) -> str:
    """Return the arm the person wanted; a change between arms is the nearest one's."""
    if row.said == "approved":
        return str(row.proposed)
    if row.said == "rejected":
        return Arm.MAINTAIN
    return arm_of(action_from(row.action_type, row.action_params)) or Arm.MAINTAIN
