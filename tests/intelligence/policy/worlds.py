"""Made-up decisions with a known best arm, for tests of policies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from intel_ml.core.actions import ARMS
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
EVERY = np.ones(len(ARMS), dtype=bool)


def states(rows: Sequence[dict[str, Value]]) -> States:
    """Return states of made-up ad sets."""
    entities = [
        Entity(AdAccountId("act_1"), EntityType.ADSET, EntityId(str(i))) for i in range(len(rows))
    ]
    return states_of(rows, entities=entities, moments=[NOW] * len(rows))


def value_of(ratio: float, arm: str) -> float:
    """Return the true mean reward: pause the dear, scale the cheap, else leave alone."""
    if ratio > 2:
        return {"pause": 40.0, "reduce_50": 20.0}.get(arm, -10.0)
    if ratio < 0.7:
        return {"scale_20": 30.0, "scale_10": 15.0, "pause": -60.0}.get(arm, 0.0)
    return {"maintain": 10.0}.get(arm, -10.0)


def log(rows: int, *, seed: int = 0, noise: float = 5.0) -> pd.DataFrame:
    """Return a log of random decisions with verdicts of a person who knows the truth."""
    random = np.random.default_rng(seed)
    ratio = random.lognormal(0.1, 0.8, rows)
    arms = random.integers(0, len(ARMS), rows)
    names = [ARMS[a].value for a in arms]
    rewards = [
        value_of(x, a) + noise * e
        for x, a, e in zip(ratio, names, random.standard_normal(rows), strict=True)
    ]
    good = [value_of(x, a) > 0 for x, a in zip(ratio, names, strict=True)]
    executed = [a if ok else "maintain" for a, ok in zip(names, good, strict=True)]
    frame = pd.DataFrame(
        {
            "decision_id": [f"d{i}" for i in range(rows)],
            "ad_account_id": "act_1",
            "entity_type": "adset",
            "entity_id": [str(i % 40) for i in range(rows)],
            "as_of": NOW,
            "state_cpa_ratio": ratio,
            "state_roas": np.where(random.random(rows) < 0.1, np.nan, 4 / ratio),
            "state_frequency": random.uniform(1, 5, rows),
            "state_ctr_trend_7d": random.normal(0, 15, rows),
            "state_learning_phase": random.choice(["ACTIVE", "LEARNING"], rows),
            "proposed": names,
            "is_held_out": False,
            "verdict": ["approved" if ok else "rejected" for ok in good],
            "executed": names,
            "p_executed": 1 / len(ARMS),
            "reward": rewards,
            "archetype": np.where(ratio > 2, "High CPA", "Others"),
        }
    )
    for arm in ARMS:
        frame[f"pmf_{arm}"] = 1 / len(ARMS)
    frame["wanted"] = executed
    return frame


def judged(rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Return the log as people left it: what they rejected became `maintain`."""
    frame = log(rows, seed=seed)
    return frame.assign(executed=frame["wanted"])
