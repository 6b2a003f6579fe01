"""Past decisions for tests of memories: measured long ago, some of them all different."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.policy import cases, context
from intel_ml.intelligence.policy.cases import Cases
from tests.intelligence.policy import worlds

NOW = worlds.NOW
LONG_AGO = NOW - timedelta(days=30)
FEATURES = ["cpa_ratio", "roas", "frequency", "ctr_trend_7d", "learning_phase"]


def log(rows: int = 60, *, seed: int = 0, noise: float = 0.0, **columns: Any) -> pd.DataFrame:
    """Return measured decisions of a month ago and earlier."""
    frame = worlds.log(rows, seed=seed, noise=noise)
    ago = pd.to_timedelta(np.arange(rows) % 20, unit="D")
    told = {"as_of": LONG_AGO - ago, "reward_earned": frame["reward"] / 100}
    told |= {"reward": frame["reward"] / 100, "reward_against_holdout": frame["reward"] / 100}
    told |= {"decision_id": [f"d{seed}-{at}" for at in range(rows)]}
    return frame.assign(**told | columns)


def remembered(frame: pd.DataFrame, **how: Any) -> Cases:
    return cases.empty(context.learned(frame, FEATURES)).learned(frame, **how)


def asked(
    row: dict[str, Value],
    *,
    account: str = "act_1",
    at: datetime = NOW,
    kind: EntityType = EntityType.ADSET,
) -> States:
    entity = Entity(AdAccountId(account), kind, EntityId("asked"))
    return states_of([row], entities=[entity], moments=[at])


def state(frame: pd.DataFrame, at: int) -> dict[str, Value]:
    """Return the state of one row of a log."""
    told = {name: frame[f"state_{name}"].iloc[at] for name in FEATURES}
    return {n: None if v is None or v != v else v for n, v in told.items()}  # noqa: PLR0124  # NaN


DISTINCT = log(entity_id=[str(at) for at in range(60)])
OF_DISTINCT = remembered(DISTINCT)
ROW: dict[str, Value] = {"cpa_ratio": 3.0, "roas": 1.3, "frequency": 3.0, "ctr_trend_7d": 0.0}
