"""How far estimators are off on the digits, by the published protocol of zr-obp.

The digits become a bandit: the log is a logistic regression's (40 % of it, the rest chance), the
candidate is a random forest (90 %), both trained on 30 % of the set; the other 70 % are decisions
whose reward is 1 for the right digit. The error is |estimate - truth| / truth. Takes a few minutes;
progress goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.learning.evaluation import (
    dm,
    dr,
    dr_os,
    ips,
    regression,
    sndr,
    snips,
    support,
    switch_dr,
)
from intel_ml.learning.evaluation.logged import LoggedDecisions

_RUNS, _ARMS, _SEED = 30, 10, 12345
_LOG_SHARE, _CANDIDATE_SHARE = 0.4, 0.9
_CLIP = 10.0
_ESTIMATORS = {
    "IPS": (ips, "known .0303"),
    "SNIPS": (snips, "known .0228"),
    "DR": (dr, "known .0162"),
    "SNDR": (sndr, "known .0162"),
    "Switch-DR": (switch_dr, "known .0347"),
    "DR-os": (dr_os, "known best .0159"),
    "DM": (dm, "known .4365"),
}


@dataclass(frozen=True, slots=True)
class _World:
    contexts: NDArray[np.float64]
    logged: LoggedDecisions
    truth: float


def measure() -> Iterator[Row]:
    """Yield the mean relative error of every estimator, and of DR with the published model."""
    errors: dict[str, list[float]] = {name: [] for name in (*_ESTIMATORS, "published")}
    sizes = []
    for run in range(_RUNS):
        world = _world(run)
        mine = world.logged.with_model(_ours(world))
        for name, (estimator, _) in _ESTIMATORS.items():
            errors[name].append(_error(estimator.estimate(mine).value, world.truth))
        published = world.logged.with_model(_published(world))
        errors["published"].append(_error(dr.estimate(published).value, world.truth))
        sizes.append(support.ess(mine.weights) / len(mine))
        sys.stderr.write(f"\rope: {run + 1} of {_RUNS} runs ")
    sys.stderr.write("\n")
    for name, (_, known) in _ESTIMATORS.items():
        spread = float(np.std(errors[name], ddof=1)) / np.sqrt(_RUNS)
        yield quality(
            f"ope: relative error of {name}, digits",
            float(np.mean(errors[name])),
            mark="≤ .0155" if name in ("DR", "DR-os") else "",
            note=f"{known}; ± {spread:.4f}, {_RUNS} runs",
            digits=4,
        )
    yield quality(
        "ope: DR with zr-obp's reward model, same runs",
        float(np.mean(errors["published"])),
        mark="",
        note="LightGBM over (x, one-hot action), 3 folds, learning rate .01",
        digits=4,
    )
    yield quality(
        "ope: effective sample, share", float(np.mean(sizes)), mark="", note="of 1,258 decisions"
    )


def _error(value: float, truth: float) -> float:
    return abs(value - truth) / truth


def _world(run: int) -> _World:
    from sklearn.datasets import load_digits  # noqa: PLC0415  # heavy
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415  # heavy
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # heavy
    from sklearn.model_selection import train_test_split  # noqa: PLC0415  # heavy

    pixels, digits = load_digits(return_X_y=True)
    seen, contexts, told, labels = train_test_split(
        pixels / 16.0, digits, test_size=0.7, random_state=run
    )
    likes = LogisticRegression(max_iter=10_000, C=1000, random_state=_SEED).fit(seen, told)
    forest = RandomForestClassifier(
        n_estimators=500, max_depth=5, min_samples_leaf=10, random_state=_SEED
    ).fit(seen, told)
    rows, random = np.arange(len(contexts)), np.random.default_rng(run)
    pmf = _softened(likes.predict(contexts), _LOG_SHARE)
    actions = (random.random((len(rows), 1)) > pmf.cumsum(axis=1)).sum(axis=1).clip(0, _ARMS - 1)
    new = _softened(forest.predict(contexts), _CANDIDATE_SHARE)
    logged = LoggedDecisions(
        pmf_logged=pmf[rows, actions],
        rewards=(actions == labels).astype(np.float64),
        actions=actions.astype(np.intp),
        pmf_new=new,
    )
    return _World(contexts, logged, float(new[rows, labels].mean()))


def _softened(chosen: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    pmf = np.full((len(chosen), _ARMS), (1.0 - share) / _ARMS)
    pmf[np.arange(len(chosen)), chosen] += share
    return pmf


def _ours(world: _World) -> NDArray[np.float64]:
    log = world.logged
    spread = np.maximum(world.contexts.std(axis=0), 1e-9)
    heavy = np.minimum(1.0 / log.pmf_logged, _CLIP)
    seen = regression.Seen(
        contexts=(world.contexts - world.contexts.mean(axis=0)) / spread,
        actions=log.actions,
        rewards=log.rewards,
        weights=heavy / heavy.mean(),
    )
    folds = (np.random.default_rng(_SEED).permutation(len(log)) % 5).astype(np.intp)
    return regression.cross_fitted(seen, folds, arms=_ARMS)


def _published(world: _World) -> NDArray[np.float64]:
    import lightgbm  # noqa: PLC0415  # heavy

    log, arms = world.logged, np.eye(_ARMS)
    found = np.empty((len(log), _ARMS))
    folds = np.random.default_rng(_SEED).permutation(len(log)) % 3
    for fold in range(3):
        mine = folds == fold
        model = lightgbm.train(
            {
                "objective": "binary",
                "learning_rate": 0.01,
                "max_depth": 5,
                "min_child_samples": 10,
                "verbosity": -1,
                "num_threads": 1,
                "seed": _SEED,
            },
            lightgbm.Dataset(
                np.column_stack([world.contexts[~mine], arms[log.actions[~mine]]]),
                label=log.rewards[~mine],
            ),
            num_boost_round=100,
        )
        asked = np.column_stack(
            [np.repeat(world.contexts[mine], _ARMS, axis=0), np.tile(arms, (int(mine.sum()), 1))]
        )
        found[mine] = np.asarray(model.predict(asked, num_threads=1)).reshape(-1, _ARMS)
    return found
