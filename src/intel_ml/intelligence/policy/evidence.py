"""What a log can teach: rows with an outcome, their weights, the scale of their rewards.

    weight_i = min(1 / p(executed_i), clip) / mean
    scaled_i = clip((r_i - median) / (IQR / 1.349), -3, 3)

    earned(pause | x) = (spend - target * conversions) / max(spend, target)

The last is what a pause of x would have earned, known without trying it: afterwards nothing is
spent and nothing is bought (`learning.rewards.earned`). It keeps a policy from believing of winners
what it saw of paused losers.

Reads   a log of decisions: `executed`, `p_executed`, `reward`, `verdict`, `is_held_out`.
Gives   the rows that teach, weights with mean 1, `RewardScale`.
Never   teaches from a decision whose outcome is unknown, or believes an impossible probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import Arm
from intel_ml.core.errors import InvalidValueError, MissingColumnsError
from intel_ml.intelligence.policy.protocol import ARM_INDEX

if TYPE_CHECKING:
    import pandas as pd

_CLIP = 3.0
_MONEY = ("state_spend", "state_conversions", "state_target_cpa")
_IQR_OF_NORMAL = 1.349
#: 1, and what rounding adds to it.
_CERTAIN = 1.0 + 1e-9


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
    rewards = _numbers(log, "reward")
    known = np.isfinite(rewards) & log["executed"].isin(list(ARM_INDEX)).to_numpy()
    teaching: pd.DataFrame = log[known]
    return teaching


def arms(log: pd.DataFrame) -> NDArray[np.intp]:
    """Return the position of each row's executed arm."""
    return np.asarray(log["executed"].map(ARM_INDEX), dtype=np.intp)


def with_pauses(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log, and for each row that was not paused what a pause would have earned.

    Only where the log tells that, or spend, conversions and target of the state, and what was
    earned beside the reward: the two differ by what left-alone units earned, which a pause is
    compared with as well.
    """
    import pandas as pd  # noqa: PLC0415  # only where a log is at hand

    if "reward_earned" not in log or not ("reward_of_pause" in log or set(_MONEY) <= set(log)):
        return log
    usual = _numbers(log, "reward_earned") - _numbers(log, "reward")
    known = _of_pauses(log) - usual
    tried = (log["executed"] == Arm.PAUSE).to_numpy()
    imagined = log[np.isfinite(known) & ~tried].copy()
    imagined["executed"], imagined["p_executed"] = Arm.PAUSE.value, 1.0
    imagined["reward"] = known[np.isfinite(known) & ~tried]
    both: pd.DataFrame = pd.concat([log, imagined], ignore_index=True)
    return both


def _of_pauses(log: pd.DataFrame) -> NDArray[np.float64]:
    """Return what a pause of each row would have earned: as measured, else by its state."""
    if "reward_of_pause" in log:
        return _numbers(log, "reward_of_pause")
    spend, conversions, target = (_numbers(log, name) for name in _MONEY)
    most = np.maximum(spend, target)
    return np.asarray((spend - target * conversions) / np.where(most > 0, most, np.nan))


def _numbers(log: pd.DataFrame, name: str) -> NDArray[np.float64]:
    try:
        return log[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            path=name, problem="holds words where numbers belong", hint="None is the unknown."
        ) from error


def weights(log: pd.DataFrame, *, clip: float) -> NDArray[np.float64]:
    """Return clipped inverse probabilities with mean 1; all alike where the log has none.

    Raises `InvalidValueError` for a probability that is unknown, zero or none: what was executed
    had a chance.
    """
    if "p_executed" not in log:
        return np.ones(len(log))
    p = _numbers(log, "p_executed")
    possible = (p > 0) & (p <= _CERTAIN)
    if not possible.all():
        raise InvalidValueError(
            path="p_executed",
            problem=f"{int((~possible).sum())} of {len(p)} are not above 0 and at most 1",
            hint="Leave those rows out, or the whole column if nobody knows it.",
        )
    heavy = np.minimum(1.0 / p, clip)
    mean = heavy.mean() if len(heavy) else 1.0
    return np.asarray(heavy / mean, dtype=np.float64)
