"""What every policy can do: give a whole pmf, draw from it by key, learn from a log, explain, save.

Reads   states, a mask of allowed arms, one key a decision.
Gives   `Policy` (the protocol) and `Choices`.
Never   acts, and never hides the probability of what it drew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States

if TYPE_CHECKING:
    import pandas as pd

    from intel_ml.intelligence.policy.recall import Recalled

#: Position of each arm in every array of arms.
ARM_INDEX: dict[str, int] = {arm.value: index for index, arm in enumerate(ARMS)}
MAINTAIN = ARM_INDEX[Arm.MAINTAIN]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a policy would do for n entities.

    `pmf` is (n, 6), rows sum to 1, zero exactly where an arm is not allowed. `arms` were drawn from
    it, each by its key; `greedy` are the best arms; `confidence` is the probability, as far as the
    policy can tell, that `greedy` is right.
    """

    pmf: NDArray[np.float64]
    arms: NDArray[np.intp]
    greedy: NDArray[np.intp]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.arms)

    def arm(self, row: int) -> Arm:
        """Return the arm that was drawn for one row."""
        return ARMS[int(self.arms[row])]

    def probability(self, row: int) -> float:
        """Return the probability with which that arm was drawn."""
        return float(self.pmf[row, self.arms[row]])


@dataclass(frozen=True, slots=True)
class Gains:
    """What each arm is expected to earn beyond leaving things alone, (n, 6), in the reward's unit.

    `deviation` is how far that may be off, one standard deviation; infinite where nothing is known.
    """

    value: NDArray[np.float64]
    deviation: NDArray[np.float64]


@runtime_checkable
class Expects(Protocol):
    """What a policy can do that has learned from rewards: say what it expects, and how surely."""

    def gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond leaving things alone."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """What a policy can do that keeps what it learned from: show the past cases most alike."""

    def nearest(self, states: States, row: int, arm: Arm, *, k: int | None = None) -> Recalled:
        """Return the most alike cases of this arm for this row, or why nothing alike is known."""
        ...


@runtime_checkable
class Policy(Protocol):
    """Chooses one of six arms for each state, and says with which probability."""

    name: str

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads, in order."""
        ...

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels it may be asked about; empty: any."""
        ...

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms; `allowed` is (n, 6), a key always draws the same arm."""
        ...

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions, on top of what is known."""
        ...

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        ...

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return why this arm for this row; never empty."""
        ...

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`; loading gives the same choices to the last bit."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; refuse anything else."""
        ...
