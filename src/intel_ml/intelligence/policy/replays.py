"""How far VowpalWabbit's expectation may be off: models that were each told the log a little anew.

    gain(a)   = mean over models b of  c_b(maintain) - c_b(a)          in the reward's unit
    deviation = t sd_b / 1.96 sqrt(1 + 1/B),   t the 97.5 % quantile of Student's t, B - 1 degrees

Each of B = 8 models (`cb_adf`: predicted costs, no exploration) is told every entity, or every row
where fewer than 8 entities are named, Poisson(1) times: the online bootstrap (Oza & Russell, 2001,
AISTATS), which goes on where it stopped when more is learned. Whole entities are told again or left
out, for what came of one ad set on two days is one witness. Only the latest 20,000 rows of a log
are told: the interval is then too wide rather than too narrow.

When it misleads: an arm that was never executed is predicted from its kin without any doubt, as no
replay knows better: whoever asks must know which arms were seen.

Reads   vectors, arms, costs, weights and entities of a log.
Gives   `Replays`: what each model learned, and what they expect.
Never   chooses: the models that do are `vw`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.intelligence.policy.protocol import MAINTAIN, Gains
from intel_ml.intelligence.policy.vw_lines import ACTIONS, lessons, shared_lines, taught, workspace

MODELS = 8
MOST_ROWS = 20_000
_FEWEST_ENTITIES = 8
_FLAGS = "--cb_adf -q sa --ignore_linear s"
#: 97.5 % quantile of Student's t with 7 degrees of freedom, by that of the normal: eight models
#: know their own spread only so well.
_FEW = 2.364624 / 1.959964
_UNIT = 2.0**-64
#: Poisson(1): the chance of at most 0, 1, … 5.
_POISSON = np.cumsum(np.exp(-1.0) / np.array([1.0, 1.0, 2.0, 6.0, 24.0, 120.0]))


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows of a log: contexts, arms, costs, how often each counts, and whose they are."""

    vectors: NDArray[np.float64]
    arms: NDArray[np.intp]
    costs: NDArray[np.float64]
    times: NDArray[np.intp]
    entities: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Replays:
    """What each model learned, as its own bytes, and how many rows they were told of."""

    models: tuple[NDArray[np.uint8], ...] = ()
    told: int = 0

    def learned(self, rows: Lessons, *, rate: float, seed: int) -> Replays:
        """Return what the models know after these rows too."""
        first = max(0, len(rows.arms) - MOST_ROWS)
        names = self._names(rows)
        models = []
        for at in range(MODELS):
            again = np.array([_poisson(f"{seed}|{at}|{name}") for name in names], dtype=np.intp)
            lines = lessons(
                rows.vectors[first:],
                rows.arms[first:],
                rows.costs[first:],
                (rows.times * again)[first:],
            )
            before = self.models[at] if self.models else None
            models.append(taught(lines, before, f"{_FLAGS} -l {rate} --random_seed {seed}"))
        return Replays(tuple(models), self.told + len(names))

    def gains(self, vectors: NDArray[np.float64]) -> Gains:
        """Return what each arm saves of the cost of maintaining, and how far that may be off."""
        costs = np.empty((len(self.models), len(vectors), len(ARMS)))
        for at, model in enumerate(self.models):
            asked = workspace("-t", model)
            for row, shared in enumerate(shared_lines(vectors)):
                costs[at, row] = asked.predict([shared, *ACTIONS])
            asked.finish()
        saved = costs[:, :, [MAINTAIN]] - costs
        spread = saved.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(self.models))
        return Gains(saved.mean(axis=0), _FEW * spread)

    def _names(self, rows: Lessons) -> list[str]:
        """Return whose witness each row is: its entity's, or its own."""
        named = rows.entities
        if named is not None and len(set(named)) >= _FEWEST_ENTITIES:
            return [str(one) for one in named]
        return [f"row {self.told + at}" for at in range(len(rows.arms))]


def _poisson(key: str) -> int:
    """Return how often a witness is told: the key alone decides."""
    digest = hashlib.sha256(key.encode()).digest()
    return int(np.searchsorted(_POISSON, int.from_bytes(digest[:8]) * _UNIT, side="right"))
