"""Choosing among candidates: how often the right one, and how much the winner's value flatters.

Random decisions of six arms; what an arm earns depends on one feature, or on nothing (equal value).
Candidates: chance, ridge regression, ridge regression that bends, VowpalWabbit. What the winner
seems to earn where it was chosen and where it is judged (the newest 30 %, which had no say) is set
against the truth, known here: `RUNS` logs in which it matters what is done, `ALIKE` in which all
are worth the same, each of `ROWS` decisions.

    python -m benchmarks selection        # about a minute
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Policy
from intel_ml.learning.evaluation import dr, reward_model
from intel_ml.learning.evaluation.replay import replay
from intel_ml.surfaces.lab.selection import Choice, choose

if TYPE_CHECKING:
    import pandas as pd

RUNS, ALIKE, ROWS, NEWEST = 20, 80, 900, 0.3
_NOISE = 1.0
_FEATURES = ("cpa_ratio", "roas")
_START = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    better = [choose(_candidates(run), _log(run, size=1.0), newest=NEWEST) for run in range(RUNS)]
    learned = [choice.name != "chance" for choice in better]
    yield quality(
        "selection: a candidate that is worth more is taken, share of logs",
        float(np.mean(learned)),
        mark="≥ .95",
        note="chance is listed first; three that learn are worth more",
    )
    alike = [choose(_candidates(run), _log(run, size=0.0), newest=NEWEST) for run in range(ALIKE)]
    yield quality(
        "selection: the first listed is kept where all are worth the same, share of logs",
        float(np.mean([choice.name == "chance" for choice in alike])),
        mark="≥ .5",
        note="one standard error; taking the best outright keeps 1 of 4",
    )
    flattered = [max(_values(choice)) for choice in alike]
    judged = [_judged(choice) for choice in alike]
    error = float(np.std(judged, ddof=1)) / np.sqrt(ALIKE)
    yield quality(
        "selection: what the best seems to earn where it was chosen, less the truth",
        float(np.mean(flattered)),
        mark="",
        note="all are worth 0: this is the winner's curse",
    )
    yield quality(
        "selection: what the one taken seems to earn where it is judged, less the truth",
        float(np.mean(judged)),
        mark="0 ± 2 standard errors",
        note=f"one standard error is {error:.3f}",
    )


def _values(choice: Choice) -> list[float]:
    return [one.value.value for one in choice.selection.candidates if one.value is not None]


def _judged(choice: Choice) -> float:
    """Return the doubly robust value of the policy taken, on the part that had no say."""
    rows = choice.unseen
    logged = replay(choice.policy, rows).logged.with_model(reward_model.cross_fitted(rows))
    return float(dr.values(logged).mean())


def _candidates(seed: int) -> dict[str, Policy]:
    return {
        "chance": make_policy("uniform"),
        "ridge": make_policy("ridge", features=_FEATURES, alpha=0.0, caution=1.0, seed=seed),
        "bent": make_policy("ridge", features=_FEATURES, alpha=0.0, landmarks=30, seed=seed),
        "vw": make_policy("vw", features=_FEATURES, seed=seed),
    }


def _log(seed: int, *, size: float) -> pd.DataFrame:
    """Return decisions by chance, an hour apart; `size` is how much it matters what is done."""
    import pandas as pd  # noqa: PLC0415  # slow to load

    draw = np.random.default_rng(seed)
    ratio = draw.lognormal(0.0, 0.7, ROWS)
    arms = draw.integers(0, len(ARMS), ROWS)
    names = [ARMS[arm].value for arm in arms]
    rewards = size * _truth(ratio)[np.arange(ROWS), arms] + _NOISE * draw.standard_normal(ROWS)
    return pd.DataFrame(
        {
            "decision_id": [str(at) for at in range(ROWS)],
            "ad_account_id": "act_1",
            "entity_type": "adset",
            "entity_id": [str(at % 60) for at in range(ROWS)],
            "as_of": [_START + timedelta(hours=at) for at in range(ROWS)],
            "state_cpa_ratio": ratio,
            "state_roas": 4 / ratio,
            "proposed": names,
            "executed": names,
            "p_executed": 1 / len(ARMS),
            "reward": rewards,
            **{f"pmf_{arm}": 1 / len(ARMS) for arm in ARMS},
        }
    )


def _truth(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each arm earns in the mean: less budget pays where results are dear."""
    dear = np.clip(np.log(ratio), -1.5, 1.5)[:, None]
    leans = {Arm.PAUSE: 1.0, Arm.REDUCE_50: 0.7, Arm.REDUCE_20: 0.3, Arm.MAINTAIN: 0.0}
    leans |= {Arm.SCALE_10: -0.5, Arm.SCALE_20: -1.0}
    return np.asarray(dear * np.array([leans[arm] for arm in ARMS])[None, :])
