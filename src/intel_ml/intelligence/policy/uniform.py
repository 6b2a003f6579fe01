"""Chance: every allowed arm alike. The yardstick, and the honest start of any log.

Reads   the mask of allowed arms.
Gives   `Policy`.
Never   learns anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Arm
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import drawing, files
from intel_ml.intelligence.policy.protocol import Choices

if TYPE_CHECKING:
    import pandas as pd

NAME = "uniform"


class Policy:
    """Gives each allowed arm the same probability; would itself leave things as they are."""

    name = NAME
    features: tuple[str, ...] = ()
    entity_types: tuple[str, ...] = ()

    def __init__(self, **given: object) -> None:
        """Take and ignore what other policies are made with: chance has no parameters."""
        del given

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return equal probabilities over what is allowed."""
        mask = drawing.mask_of(allowed, len(states))
        pmf = mask / mask.sum(axis=1, keepdims=True)
        greedy = drawing.best(np.zeros(mask.shape), mask)
        return drawing.choices(pmf, keys, greedy=greedy, confidence=pmf.max(axis=1))

    def learn(self, log: pd.DataFrame) -> Self:  # noqa: ARG002  # the protocol's argument
        """Return itself: there is nothing to learn."""
        return self

    def fit(self, log: pd.DataFrame) -> Self:
        """Return itself: there is nothing to learn."""
        return self.learn(log)

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:  # noqa: ARG002  # the protocol's arguments
        """Return the one honest reason."""
        return (Reason("Chosen at random, every allowed change being equally likely"),)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and an empty `policy.npz`."""
        files.write(folder, "policy", words={"kind": NAME}, arrays={})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        files.read(folder, "policy", kind=NAME)
        return cls()
