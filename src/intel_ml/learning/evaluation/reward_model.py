"""A reward model that never saw what it predicts.

`cross_fitted` is the regression of `regression` (kernel ridge, with LightGBM where it wins), fitted
on the other folds, rows weighted by 1 / p(executed). Folds follow the entity, so that two looks at
one ad set never sit on both sides. `online` is the ridge of `intelligence.policy`, fitted again and
again on what came before.

Reads   a log with `state_*`, `executed`, `reward`, `entity_id`.
Gives   predicted rewards of every arm, (n, 6).
Never   predicts a decision from itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence.policy import context, evidence, ridge
from intel_ml.intelligence.policy.protocol import ARM_INDEX
from intel_ml.learning.evaluation import regression

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
_CLIP = 10.0
_FIRST_FIT = 40
_GROWTH = 1.5


def cross_fitted(
    log: pd.DataFrame, *, features: tuple[str, ...] | None = None, folds: int = FOLDS
) -> NDArray[np.float64]:
    """Return predicted rewards (n, 6); rows without a reward are predicted, not learned from."""
    fold = folds_of(log, folds)
    predicted = np.full((len(log), len(ARMS)), np.nan)
    for part in range(folds):
        mine = fold == part
        if not mine.any():
            continue
        others = log[~mine]
        if not np.isfinite(others["reward"].to_numpy(dtype=np.float64, na_value=np.nan)).any():
            raise NotEnoughDataError(quantity="entities with a reward", needed=2, seen=1)
        predicted[mine] = _predicted(others, log[mine], features)
    return predicted


def online(log: pd.DataFrame, *, features: tuple[str, ...] | None = None) -> NDArray[np.float64]:
    """Return rewards (n, 6) predicted for each row from earlier rows only; 0 before there are any.

    The log is in the order of its decisions; the model is fitted anew each time it has grown by
    half.
    """
    predicted = np.zeros((len(log), len(ARMS)))
    start = _FIRST_FIT
    while start < len(log):
        end = min(int(start * _GROWTH) + 1, len(log))
        model = ridge.Policy(features=features, alpha=0.0).fit(log.iloc[:start])
        predicted[start:end] = model.values_of_log(log.iloc[start:end])
        start = end
    return predicted


def _predicted(
    others: pd.DataFrame, asked: pd.DataFrame, features: tuple[str, ...] | None
) -> NDArray[np.float64]:
    fixed = context.learned(others, features)
    known = evidence.with_pauses(evidence.rewarded(others))
    rewards = known["reward"].to_numpy(dtype=np.float64)
    scale = evidence.reward_scale(rewards)
    seen = regression.Seen(
        contexts=context.of_log(fixed, known)[:, 1:],
        actions=known["executed"].map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp),
        rewards=scale.scaled(rewards),
        weights=evidence.weights(known, clip=_CLIP),
    )
    found = regression.predict(seen, context.of_log(fixed, asked)[:, 1:], arms=len(ARMS))
    return scale.back(found)


def folds_of(log: pd.DataFrame, folds: int = FOLDS) -> NDArray[np.intp]:
    """Return each row's fold; rows of one entity share it."""
    keys = log["entity_id"] if "entity_id" in log else [str(n) for n in range(len(log))]
    return np.array(
        [int(hashlib.sha256(str(key).encode()).hexdigest()[:8], 16) % folds for key in keys],
        dtype=np.intp,
    )
