"""What a policy would have earned in decisions it had not seen, and learned from afterwards.

The newest `share` of a log is gone through in `steps`; each step is judged by a policy that learned
from everything before it (rolling origin: Tashman, 2000, International Journal of Forecasting 16).
So it is a way of learning that is judged, on most of a log, and never on what it learned from.

    v_i = sum_a pi(a | x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i))       where it may be asked
    v_i = r_i                                                         where it may not

v_i is the doubly robust value of decision i (`evaluation.dr`), q cross-fitted on the decisions that
are judged. A policy may be asked about the levels it learned of (`entity_types`); elsewhere what
was done goes on.

Reads   a policy, unlearned; measured decisions, oldest first.
Gives   `Steps`, the same for all policies that are compared; `Earned`.
Never   changes the policy handed in: each step learns on a copy.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation import dr, reward_model
from intel_ml.learning.evaluation.comparison import MIN_DECISIONS
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.replay import may_be_asked, replay

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
_ENTITY = ("ad_account_id", "entity_id")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of a log judges, its newest share, and in how many steps."""

    share: float = 0.6
    steps: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InvalidValueError(path="share", problem=f"{self.share} is not between 0 and 1")
        if self.steps < 1:
            raise InvalidValueError(path="steps", problem="must be at least 1")


@dataclass(frozen=True, slots=True)
class Step:
    """What may be learned from, what is judged, and the rewards foreseen for that, (n, 6)."""

    before: pd.DataFrame
    judged: pd.DataFrame
    foreseen: Floats


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps; none where the log is too small, and then `problem` says what is missing.

    Of each decision that is judged `rewards` is what it brought, `entities` a number for whom it
    was about.
    """

    each: tuple[Step, ...]
    rewards: Floats
    entities: NDArray[np.intp]
    problem: str = ""

    def __len__(self) -> int:
        return len(self.rewards)


@dataclass(frozen=True, slots=True)
class Earned:
    """What a policy would have earned, decision by decision.

    `logged` holds the decisions it may be asked about, None where there is none, `covered` is how
    much of what it would do there the log could have tried; `levels` are those it learned of.
    """

    by_decision: Floats
    logged: LoggedDecisions | None
    covered: float
    levels: tuple[str, ...]


def steps_of(rows: pd.DataFrame, plan: Plan) -> Steps:
    """Return the steps in which measured decisions are gone through, oldest first."""
    shares = [1 - plan.share * (plan.steps - at) / plan.steps for at in range(plan.steps + 1)]
    edges = [rows["as_of"].iloc[int(share * (len(rows) - 1))] for share in shares]
    late = rows[(rows["as_of"] > edges[0]).to_numpy()]
    if len(late) < MIN_DECISIONS:
        told = f"{len(late)} decisions were measured to compare on, {MIN_DECISIONS} are needed"
        return nothing(told)
    try:
        foreseen = reward_model.cross_fitted(late)
    except NotEnoughDataError as error:
        return nothing(error.message.removesuffix("."))
    found = []
    for start, end in itertools.pairwise(edges):
        part = ((late["as_of"] > start) & (late["as_of"] <= end)).to_numpy()
        if part.any():
            before = rows[(rows["as_of"] <= start).to_numpy()]
            found.append(Step(before, late[part], foreseen[part]))
    return Steps(tuple(found), _rewards(late), _entities(late))


def nothing(problem: str) -> Steps:
    """Return no steps, and why."""
    return Steps((), np.zeros(0), np.zeros(0, dtype=np.intp), problem)


def earned(policy: Policy, steps: Steps) -> Earned:
    """Return what a policy would have earned, having learned before each step what came before."""
    values: list[Floats] = []
    asked: list[LoggedDecisions] = []
    covered = 0.0
    levels: tuple[str, ...] = ()
    for step in steps.each:
        mine = copy.deepcopy(policy).fit(step.before)
        levels = tuple(mine.entity_types)
        values.append(_rewards(step.judged).copy())
        may = may_be_asked(mine, step.judged)
        if may.any():
            replayed = replay(mine, step.judged[may])
            asked.append(replayed.logged.with_model(step.foreseen[may]))
            covered += replayed.supported_share * float(may.sum())
            values[-1][may] = dr.values(asked[-1])
    joined = _joined(asked)
    share = 0.0 if joined is None else covered / len(joined)
    return Earned(np.concatenate(values), joined, share, levels)


def _rewards(rows: pd.DataFrame) -> Floats:
    return rows["reward"].to_numpy(dtype=np.float64)


def _entities(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return a number for each row's entity; a row of its own where the log names none."""
    columns = [rows[name].astype(str) for name in _ENTITY if name in rows]
    names = ["|".join(row) for row in zip(*columns, strict=True)] or list(map(str, rows.index))
    return np.unique(names, return_inverse=True)[1].astype(np.intp)


def _joined(parts: list[LoggedDecisions]) -> LoggedDecisions | None:
    if not parts:
        return None
    models = [part.reward_model for part in parts if part.reward_model is not None]
    return LoggedDecisions(
        pmf_logged=np.concatenate([part.pmf_logged for part in parts]),
        rewards=np.concatenate([part.rewards for part in parts]),
        actions=np.concatenate([part.actions for part in parts]),
        pmf_new=np.concatenate([part.pmf_new for part in parts]),
        reward_model=np.concatenate(models),
    )
