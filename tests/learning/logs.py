"""Decisions over time, to learn from the older and be judged on the newer; one that cannot."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from intel_ml.core.actions import ARMS, Arm
from intel_ml.intelligence.policy import uniform
from tests.intelligence.policy import worlds


def over_time(rows: int, *, seed: int = 0, noise: float = 5.0) -> pd.DataFrame:
    """Return random decisions, one an hour: every arm as likely, so that the log can tell."""
    log = worlds.log(rows, seed=seed, noise=noise)
    hours = [worlds.NOW - timedelta(hours=rows - at) for at in range(rows)]
    return log.assign(as_of=pd.to_datetime(hours, utc=True), share_learning=False)


def hardly_anything_tried(rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Return decisions of which nearly all left things alone: the log can't tell of others."""
    log = over_time(rows, seed=seed)
    draw = np.random.default_rng(seed)
    often, rare = 0.98, 0.004
    odds = [often if arm is Arm.MAINTAIN else rare for arm in ARMS]
    did = draw.choice(len(ARMS), rows, p=odds)
    names = [ARMS[arm].value for arm in did]
    rewards = [
        worlds.value_of(ratio, arm) + 5.0 * draw.standard_normal()
        for ratio, arm in zip(log["state_cpa_ratio"], names, strict=True)
    ]
    chances = {f"pmf_{arm}": odds[at] for at, arm in enumerate(ARMS)}
    return log.assign(
        executed=names,
        proposed=names,
        p_executed=[odds[at] for at in did],
        reward=rewards,
        **chances,
    )


class Broken(uniform.Policy):
    """Cannot learn from more rows than it was told."""

    name = "broken"

    def __init__(self, most: int = 0) -> None:
        super().__init__()
        self.most = most

    def fit(self, log: pd.DataFrame) -> Broken:
        if len(log) > self.most:
            raise ZeroDivisionError("it divides by nothing\nand more")
        return self
