"""A trained policy that waits to be judged: kept with its run, found again by the next notebook.

Reads   the registry.
Gives   `Candidate`: the policy, what it learned from and until when, how it was chosen.
Never   serves: nothing asks a candidate before it is registered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from intel_ml.core.errors import NotFoundError
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.registry import Registry, Run

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.learning.selected import Selection

TRAINED_UNTIL = "trained_until"
#: Under which name how a policy was chosen is kept with a version's evidence.
SELECTION = "selection"
_CHOSEN, _FILE = "chosen", "selection.json"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained policy that has not been judged, and until when its log went.

    `selection` is what is kept of how it was chosen; None where it was not.
    """

    policy: Policy
    run_id: str
    trained_from: datetime
    trained_until: datetime
    trained_rows: int
    account: str = ""
    selection: Mapping[str, Any] | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """How it was chosen: why, then a line for each that was compared."""
        if self.selection is None:
            return ("It was made as it is; no other was compared with it.",)
        return tuple(self.selection["told"])


def keep_candidate(  # noqa: PLR0913  # a candidate is what it is
    registry: Registry,
    trained: Policy,
    *,
    name: str,
    run: Run,
    log: pd.DataFrame,
    selection: Selection | None = None,
) -> None:
    """Store the policy with its run, tagged with what it was trained on and how it was chosen.

    `name` is `waiting_as(model, account)`: one account's candidate waits apart from everyone's.
    """
    tags = {
        TRAINED_UNTIL: log["as_of"].max().isoformat(),
        "trained_from": log["as_of"].min().isoformat(),
        "trained_rows": str(len(log)),
    }
    if selection is not None:
        tags |= {_CHOSEN: selection.chosen, "chosen_because": selection.why}
        told = json.dumps(selection.evidence, ensure_ascii=False, allow_nan=False, indent=1)
        run.log_text(told, _FILE)
    registry.save_candidate(trained, name=name, run_id=run.id, tags=tags)


def waiting_as(name: str, account: str) -> str:
    """Return the name under which a candidate waits.

    >>> waiting_as("campaign-policy", ""), waiting_as("campaign-policy", "act_101")
    ('campaign-policy', 'campaign-policy of act_101')
    """
    return f"{name} of {account}" if account else name


def candidate(registry: Registry, name: str, *, account: str = "") -> Candidate:
    """Return the newest candidate, or say that none was trained."""
    import pandas as pd  # noqa: PLC0415  # heavy

    waiting = waiting_as(name, account)
    found = registry.load_candidate(waiting)
    if found is None:
        raise NotFoundError(
            f"No {waiting} has been trained yet.", hint="Run 30_train_policy first."
        )
    trained, tags = found
    # A tag holds too little for the whole of it.
    told = registry.text_of_run(tags["run_id"], _FILE) if _CHOSEN in tags else None
    return Candidate(
        policy=trained,
        run_id=tags["run_id"],
        trained_from=pd.Timestamp(tags["trained_from"]).to_pydatetime(),
        trained_until=pd.Timestamp(tags[TRAINED_UNTIL]).to_pydatetime(),
        trained_rows=int(tags["trained_rows"]),
        account=account,
        selection=None if told is None else json.loads(told),
    )
