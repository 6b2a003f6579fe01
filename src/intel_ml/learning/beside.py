"""Beside: what people's verdicts prove of a model while it was only asked beside another.

A challenger's view is logged with each decision before anyone is asked (`decision.challenger`), so
what people then said judges it as well as the champion whose proposal they saw:

    proposed what it wanted too      agreed where the person approved
    proposed something else          disagreed: once a day and entity, whatever the person said

The second line makes up for what nobody was shown: as champion it would have proposed that, and
what a person would have said is unknown. Counted against it, the proof can only be too weak.
Decisions left to chance (held out, explored) say nothing for or against anyone.

So a new version may begin with what it earned as a challenger. One that never was a challenger
begins with nothing: asked afterwards, about states whose verdicts it was taught with, it would only
repeat what it was told.

Reads   `intel_decision` with its challenger's view, and the verdicts on what was proposed.
Gives   which model speaks now; `Seen` by cell, oldest first.
Never   counts a view that was formed after the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from intel_ml.core.actions import Arm

_SPEAKS = text(
    """
    SELECT policy_name || ' ' || policy_version FROM intel_decision
    WHERE ad_account_id = :account AND as_of > :since AND policy_version IS NOT NULL
    ORDER BY as_of DESC LIMIT 1
    """
)
_BESIDE = text(
    """
    WITH wanted AS (
        SELECT decision_id, entity_type, entity_id, as_of, proposed, "trigger",
            coalesce(archetype, '') AS archetype, challenger ->> 'arm' AS arm,
            CAST(challenger ->> 'confidence' AS double precision) AS sure
        FROM intel_decision
        WHERE ad_account_id = :account AND as_of > :since AND challenger ->> 'arm' <> 'maintain'
            AND challenger ->> 'name' || ' ' || (challenger ->> 'version') = :model
            AND challenger ->> 'confidence' IS NOT NULL AND NOT is_held_out AND NOT is_explored
    ), judged AS (
        SELECT archetype, arm, sure, action.human_decision = 'approved' AS agreed, as_of
        FROM wanted JOIN intel_automation_action AS action ON action.ad_account_id = :account
            AND action.decision_id = wanted.decision_id
        WHERE proposed = arm AND action.human_decision IS NOT NULL
            AND action.source <> 'exploration'
    ), unasked AS (
        SELECT DISTINCT ON (entity_type, entity_id, arm, date_trunc('day', as_of, 'UTC'))
            archetype, arm, sure, false AS agreed, as_of
        FROM wanted WHERE proposed <> arm AND "trigger" = 'cycle'
        ORDER BY entity_type, entity_id, arm, date_trunc('day', as_of, 'UTC'), sure DESC
    )
    SELECT archetype, arm, array_agg(sure ORDER BY as_of, sure),
        array_agg(agreed ORDER BY as_of, sure)
    FROM (SELECT * FROM judged UNION ALL SELECT * FROM unasked) AS every GROUP BY 1, 2
    """
)


@dataclass(frozen=True, slots=True)
class Seen:
    """How sure one was of each decision, and whether the person agreed."""

    sure: NDArray[np.float64]
    agreed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.sure)

    def then(self, later: Seen) -> Seen:
        """Return these, and later ones after them."""
        return Seen(
            np.concatenate([self.sure, later.sure]), np.concatenate([self.agreed, later.agreed])
        )


NOTHING = Seen(np.empty(0), np.empty(0, dtype=bool))


def speaks_now(session: Session, account_id: str, *, since: datetime) -> str | None:
    """Return the name and version of the model that was asked last; None where none was."""
    found = session.scalar(_SPEAKS, {"account": account_id, "since": since})
    return None if found is None else str(found)


def beside(
    session: Session, account_id: str, *, model: str, since: datetime
) -> dict[tuple[str, Arm], Seen]:
    """Return what is known of a model from when it was asked beside another, by cell."""
    keys = {"account": account_id, "model": model, "since": since}
    return {
        (archetype, Arm(arm)): Seen(np.array(sure, dtype=float), np.array(agreed, dtype=bool))
        for archetype, arm, sure, agreed in session.execute(_BESIDE, keys)
    }
