"""What a log can teach: rows with an outcome, their weights, the scale of their rewards.

    weight_i = min(1 / p(executed_i), clip) / mean
    scaled_i = clip((r_i - median) / (IQR / 1.349), -3, 3)

Reads   a log of decisions: `executed`, `p_executed`, `reward`, `verdict`, `is_held_out`.
Gives   the rows that teach, weights with mean 1, `RewardScale`.
Never   teaches from a decision whose outcome is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import MissingColumnsError
from intel_ml.intelligence.policy.protocol import ARM_INDEX

if TYPE_CHECKING:
    import pandas as pd

_CLIP = 3.0
_IQR_OF_NORMAL = 1.349


@dataclass(frozen=True, slots=True)
class RewardScale:
    """Centre and spread of rewards, robust to the odd jackpot."""

    centre: float
    spread: float

    def scaled(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rewards in spreads around the centre, clipped to three."""
        return np.clip((rewards - self.centre) / self.spread, -_CLIP, _CLIP)

    def back(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scaled values in the reward's own unit."""
        return self.centre + self.spread * scaled


def reward_scale(rewards: NDArray[np.float64]) -> RewardScale:
    """Return the robust scale of some rewards.

    >>> reward_scale(np.array([10.0, 10.0, 10.0]))
    RewardScale(centre=10.0, spread=1.0)
    """
    low, middle, high = np.percentile(rewards, (25, 50, 75))
    spread = float(high - low) / _IQR_OF_NORMAL
    if spread <= 0:
        spread = float(rewards.std())
    return RewardScale(float(middle), spread if spread > 0 else 1.0)


def require(log: pd.DataFrame, *names: str) -> None:
    """Say which columns a log lacks."""
    missing = [name for name in names if name not in log]
    if missing:
        raise MissingColumnsError(missing=missing, present=[str(c) for c in log.columns])


def rewarded(log: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a finite reward and an arm that was executed."""
    require(log, "executed", "reward")
    rewards = log["reward"].to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(rewards) & log["executed"].isin(list(ARM_INDEX)).to_numpy()
    teaching: pd.DataFrame = log[known]
    return teaching


def weights(log: pd.DataFrame, *, clip: float) -> NDArray[np.float64]:
    """Return clipped inverse probabilities with mean 1; the unknown weighs like the certain."""
    if "p_executed" not in log:
        return np.ones(len(log))
    p = log["p_executed"].to_numpy(dtype=np.float64, na_value=np.nan)
    heavy = np.minimum(1.0 / np.where(p > 0, p, 1.0), clip)
    mean = heavy.mean() if len(heavy) else 1.0
    return np.asarray(heavy / mean, dtype=np.float64)
