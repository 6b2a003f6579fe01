"""What could run by itself at a promised 5 % disagreement, and how often the promise is broken.

Four packaged sets play the person: the true class is what they want. A classifier learned from a
quarter is the model; 300 labelled decisions say above which sureness it may go on alone; the risk
is measured on the rest. A split breaks the promise when that risk exceeds 5 %. One learned model
serves five splits, 80 models a set: 400 splits. The peers of the same run see the same 300
decisions: learn-then-test's fixed sequence (on the same model, and on a random forest's largest
probability), and the threshold that looks right on the 300.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.bakeoff import Labelled, sets
from benchmarks.measuring import Row, quality
from intel_ml.intelligence.policy.likeness import Choices, learned
from intel_ml.intelligence.policy.sureness import softmax
from intel_ml.learning.evaluation.autonomy import Promise, earned, fixed_sequence

#: Coverage of learn-then-test's fixed sequence where the mark was set.
KNOWN = {"digits": 0.73, "segment": 0.83, "phishing": 0.66, "banana": 0.37}
_LARGER = 1.1
_MODELS, _SPLITS, _CALIBRATE = 80, 5, 300
_OURS, _PLAIN, _FOREST, _NAIVE = "ours", "learn-then-test", "on a random forest", "naive"
Floats = NDArray[np.float64]
Threshold = float | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """How sure a model was of each decision outside its quarter, and whether it was right."""

    sure: Floats
    right: NDArray[np.bool_]


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark; some five minutes, a set at a time."""
    for labelled in (one for one in sets() if one.name in KNOWN):
        found = _played(labelled)
        said = {name: (float(c.mean()), float(b.mean())) for name, (c, b) in found.items()}
        peers = ", ".join(
            f"{name} {said[name][0]:.3f} (breaks {said[name][1]:.1%})"
            for name in (_PLAIN, _FOREST, _NAIVE)
        )
        yield quality(
            f"autonomy, {labelled.name}: share that runs by itself at 5 %",
            said[_OURS][0],
            mark=f"≥ {_LARGER * KNOWN[labelled.name]:.2f}",
            note=f"1.1 x the known {KNOWN[labelled.name]}; in this run {peers}",
        )
        yield quality(
            f"autonomy, {labelled.name}: splits that break the promise",
            said[_OURS][1],
            mark="≤ .10",
            note=f"{_MODELS * _SPLITS} splits; known: naive .055 to .61, learn-then-test .045",
        )


def _played(labelled: Labelled) -> dict[str, tuple[Floats, NDArray[np.bool_]]]:
    """Return coverage and whether the promise broke, by rule, one number a split."""
    rules: dict[str, tuple[int, Callable[[Floats, NDArray[np.bool_]], Threshold]]] = {
        _OURS: (0, lambda sure, right: earned(sure, right).threshold),
        _PLAIN: (0, lambda sure, right: fixed_sequence(sure, right).threshold),
        _FOREST: (1, lambda sure, right: fixed_sequence(sure, right).threshold),
        _NAIVE: (0, _naive),
    }
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in rules}
    for seed in range(_MODELS):
        random = np.random.default_rng(seed)
        order = random.permutation(len(labelled.classes))
        known, rest = np.split(order, [len(order) // 4])
        models = (_ours(labelled, known, rest), _forest(labelled, known, rest, seed))
        for _ in range(_SPLITS):
            calibrate, new = np.split(random.permutation(len(rest)), [_CALIBRATE])
            for name, (which, rule) in rules.items():
                model = models[which]
                bar = rule(model.sure[calibrate], model.right[calibrate])
                runs = np.zeros(len(new), dtype=bool) if bar is None else model.sure[new] > bar
                risk = float((~model.right[new][runs]).mean()) if runs.any() else 0.0
                found[name].append((float(runs.mean()), risk > Promise().risk))
    return {
        name: (np.array([c for c, _ in pairs]), np.array([b for _, b in pairs]))
        for name, pairs in found.items()
    }


def _ours(labelled: Labelled, known: NDArray[np.intp], rest: NDArray[np.intp]) -> _Judged:
    x = np.hstack([np.ones((len(labelled.rows), 1)), np.clip(labelled.rows, -5, 5)])
    classes = labelled.classes
    model = learned(Choices(x[known], classes[known], np.ones(len(known)), labelled.arms))
    views = model.views(x[rest])
    pmf = softmax(model.scores(x[rest], views))
    answers = pmf.argmax(axis=1)
    return _Judged(model.sure(pmf, views, answers), answers == classes[rest])


def _forest(
    labelled: Labelled, known: NDArray[np.intp], rest: NDArray[np.intp], seed: int
) -> _Judged:
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415  # slow to load

    model = RandomForestClassifier(100, random_state=seed)
    pmf = model.fit(labelled.rows[known], labelled.classes[known]).predict_proba(
        labelled.rows[rest]
    )
    right = model.classes_[pmf.argmax(axis=1)] == labelled.classes[rest]
    return _Judged(np.minimum(pmf.max(axis=1), 1.0), right)


def _naive(sure: Floats, right: NDArray[np.bool_]) -> Threshold:
    """Return the loosest threshold above which at most 5 % of these decisions were wrong."""
    order = np.argsort(-sure)
    risk = (~right[order]).cumsum() / np.arange(1, len(sure) + 1)
    below = np.flatnonzero(risk <= Promise().risk)
    return None if not len(below) else float(np.nextafter(sure[order][below[-1]], 0))
