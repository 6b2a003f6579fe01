"""The log of a simulated account: what was decided, done, and seen afterwards.

    reward = against_holdout where two left-alone units of its rule are within a week, else earned

Reads   decisions as they are made, states as they are seen.
Gives   a frame with the columns of `learning.training`: the same log a policy gets for real.
Never   reads the truth: a reward is what was reported when its horizon had passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.ids import Entity
from intel_ml.features.states import Value
from intel_ml.learning.propensity import executed_probability, transition
from intel_ml.learning.rewards import (
    Unit,
    adjusted_against_holdout,
    before_after,
    earned,
    standing,
)
from intel_ml.learning.simulation.limits import Drawn

if TYPE_CHECKING:
    import pandas as pd

HORIZON = timedelta(hours=72)
_NEIGHBOURHOOD = timedelta(days=7)
_NOTHING = {"spend": 0.0, "conversions": 0.0}
State = Mapping[str, Value]


@dataclass(slots=True)
class Entry:
    """One decision and what became of it; the rewards come later."""

    key: str
    entity: Entity
    as_of: datetime
    state: State
    drawn: Drawn
    rule_id: int | None
    source: str = "rule"
    executed: Arm = Arm.MAINTAIN
    verdict: str | None = None
    reason: str | None = None
    measured_at: datetime | None = None
    earned: float | None = None
    before_after: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether its horizon is over."""
        return self.measured_at is not None

    @property
    def teaches(self) -> bool:
        """Whether it becomes a row: proposals, held-out units, and quiet decisions."""
        return self.drawn.is_held_out or self.drawn.arm is not Arm.MAINTAIN or self.rule_id is None

    @property
    def is_left_alone(self) -> bool:
        """Whether others of its rule may be compared with it."""
        quiet = self.rule_id is None and self.drawn.arm is Arm.MAINTAIN
        return self.drawn.is_held_out or quiet


class Journal:
    """Everything decided so far."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Keep a decision, if it is one that teaches."""
        if entry.teaches:
            self.entries.append(entry)

    @property
    def has_outcomes(self) -> bool:
        """Whether anything was measured yet that teaches."""
        return any(one.earned is not None for one in self.entries)

    def measure(self, states: Mapping[Entity, State], *, now: datetime) -> int:
        """Fill in what came of decisions whose horizon ends now or ended before; return how many.

        `states` are those of now: looks are a day apart, so a horizon ends at one.
        """
        due = [one for one in self.entries if not one.is_measured and one.as_of + HORIZON <= now]
        for entry in due:
            after = states.get(entry.entity, {})
            if entry.executed is Arm.PAUSE and after.get("spend") is None:
                after = {**after, **_after_a_pause(entry.state)}
            entry.earned = earned(entry.state, after)
            entry.before_after = before_after(entry.state, after, arm=entry.executed)
            entry.measured_at = now
        return len(due)

    def log(self) -> pd.DataFrame:
        """Return what is over, oldest first; a reward not yet measured is NaN."""
        import pandas as pd  # noqa: PLC0415  # heavy

        against = self._against_holdout()
        pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for one in self.entries:
            pairs[one.entity.account].append((one.drawn.arm.value, one.executed.value))
        approvals = {account: transition(found) for account, found in pairs.items()}
        rows = [
            _row(one, against=against[at], approval=approvals[one.entity.account])
            for at, one in enumerate(self.entries)
        ]
        frame = pd.DataFrame.from_records(rows)
        for name in ("p_executed", *(c for c in frame.columns if str(c).startswith("reward"))):
            frame[name] = frame[name].astype("float64")
        frame["measured_at"] = pd.to_datetime(frame["measured_at"], utc=True)
        return frame

    def _against_holdout(self) -> list[float | None]:
        """Return what each entry earned less the mean of units left alone near it."""
        found: list[float | None] = [None] * len(self.entries)
        kinds: dict[tuple[str, int | None], list[int]] = defaultdict(list)
        for at, one in enumerate(self.entries):
            if one.earned is not None:
                kinds[one.entity.account, one.rule_id].append(at)
        for places in kinds.values():
            mine = [self.entries[at] for at in places]
            moment = np.array([one.as_of.timestamp() for one in mine])
            near = np.abs(moment[:, None] - moment[None, :]) <= _NEIGHBOURHOOD.total_seconds()
            near &= np.array([one.is_left_alone for one in mine])[None, :]
            np.fill_diagonal(near, val=False)
            units = [Unit(one.earned or 0.0, standing(one.state)) for one in mine]
            for at, unit, others in zip(places, units, near, strict=True):
                held_out = [units[other] for other in np.flatnonzero(others)]
                found[at] = adjusted_against_holdout(unit, held_out)
        return found


def _after_a_pause(state: State) -> dict[str, Value]:
    """Return what is known afterwards of what was paused: nothing was spent, nothing bought."""
    return {**_NOTHING, "target_cpa": state.get("target_cpa")}


def _row(entry: Entry, *, against: float | None, approval: Any) -> dict[str, Any]:
    pmf = {arm.value: p for arm, p in entry.drawn.pmf.items()}
    return {
        "decision_id": entry.key,
        "ad_account_id": entry.entity.account,
        "entity_type": entry.entity.type.value,
        "entity_id": entry.entity.id,
        "as_of": entry.as_of,
        "proposed": entry.drawn.arm.value,
        "is_held_out": entry.drawn.is_held_out,
        "verdict": entry.verdict,
        "verdict_reason": entry.reason,
        "executed": entry.executed.value,
        "p_executed": executed_probability(pmf, entry.executed.value, transition=approval),
        "action_source": entry.source,
        "horizon_hours": HORIZON // timedelta(hours=1),
        "measured_at": entry.measured_at,
        "share_learning": False,
        "reward_before_after": entry.before_after,
        "reward_against_holdout": against,
        "reward_earned": entry.earned,
        "reward_of_pause": earned(entry.state, _after_a_pause(entry.state)),
        "reward": entry.earned if against is None else against,
        "archetype": None,
        "rule_id": entry.rule_id,
        **{f"pmf_{arm}": pmf.get(arm.value, 0.0) for arm in ARMS},
        **{f"state_{name}": value for name, value in entry.state.items()},
    }
