"""How often a promise about what runs by itself is broken, on people nobody tuned anything to.

Twelve made sets play the person: two to ten classes, one in twenty to even, up to a fifth of the
answers mere chance, with ties and with sureness that never varies. A classifier learned from 400
rows is the model; 100 to 1,000 judged decisions calibrate a promise of 1 to 10 %; the risk is
measured on 6,000 fresh rows, so that luck of the measurement plays little part. 10 models a set, 40
calibrations each: 400 splits. The peer of the same run is learn-then-test's fixed sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Row, quality
from intel_ml.intelligence.policy.likeness import Choices, learned
from intel_ml.intelligence.policy.sureness import softmax
from intel_ml.learning.evaluation.autonomy import Autonomy, Promise, earned, fixed_sequence

_MODELS, _SPLITS = 10, 40
_KNOWN, _FRESH = 400, 6_000
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Person:
    """A set to make, how many decisions calibrate, what is promised; `digits` of sureness kept."""

    name: str
    calibrate: int = 300
    risk: float = 0.05
    digits: int = 12
    noise: float = 0.0
    how: dict[str, Any] | None = None

    def rows(self, count: int, seed: int) -> tuple[Floats, NDArray[np.intp]]:
        """Return as many standardised rows, and the class of each."""
        from sklearn import datasets  # noqa: PLC0415  # slow to load

        if self.name in ("moons", "circles"):
            make = {"moons": datasets.make_moons, "circles": datasets.make_circles}[self.name]
            x, y = make(count, noise=0.25 if self.name == "moons" else 0.12, random_state=seed)
        else:
            how = {"n_features": 12, "n_redundant": 2, "class_sep": 1.3, **(self.how or {})}
            x, y = datasets.make_classification(count, random_state=seed, flip_y=self.noise, **how)
        return (x - x.mean(axis=0)) / x.std(axis=0), np.asarray(y, dtype=np.intp)


_PEOPLE = (
    _Person("two classes", how={"n_informative": 6}),
    _Person("five classes", how={"n_informative": 8, "n_classes": 5, "n_clusters_per_class": 1}),
    _Person("ten classes", 1000, how={"n_informative": 9, "n_classes": 10}),
    _Person("one in twenty", 300, 0.02, how={"n_informative": 5, "weights": [0.95]}),
    _Person("one in seven", 200, how={"n_informative": 5, "weights": [0.85]}),
    _Person("a tenth is chance", 300, 0.1, noise=0.1, how={"n_informative": 6}),
    _Person("a fifth is chance", 1000, 0.1, noise=0.2, how={"n_informative": 4}),
    _Person("moons", 100),
    _Person("circles", 500, 0.02),
    _Person("three classes, ties", 300, digits=1, how={"n_informative": 6, "n_classes": 3}),
    _Person("sureness never varies", 300, digits=0, how={"n_informative": 5, "weights": [0.9]}),
    _Person("one percent", 1000, 0.01, how={"n_informative": 8, "class_sep": 2.2}),
)


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark; some two minutes, the person it is at is named."""
    ours, plain = [], []
    for at, person in enumerate(_PEOPLE, start=1):
        found = [_splits(person, seed) for seed in range(_MODELS)]
        (share, broken), (other, other_broken) = np.mean(found, axis=0)
        ours.append((share, broken, person.name))
        plain.append((other, other_broken))
        yield quality(
            f"promises, {at} of {len(_PEOPLE)}: {person.name}, splits that break {person.risk:.0%}",
            broken,
            mark="",
            note=f"{person.calibrate} judged; by itself {share:.3f}; learn-then-test "
            f"{other:.3f} (breaks {other_broken:.1%})",
        )
    worst = max(ours, key=lambda one: one[1])
    yield quality(
        f"promises: worst of {len(_PEOPLE)} unseen people, splits that break theirs",
        worst[1],
        mark="≤ .10",
        note=f"{worst[2]}; {_MODELS * _SPLITS} splits each; mean {_mean(ours, 1):.3f}, "
        f"learn-then-test {max(one[1] for one in plain):.3f}, mean {_mean(plain, 1):.3f}",
    )
    yield quality(
        f"promises: mean share that runs by itself, {len(_PEOPLE)} unseen people",
        _mean(ours, 0),
        mark=f"≥ {_mean(plain, 0):.3f}",
        note="the mark is learn-then-test's in this run",
    )


def _mean(found: list[Any], place: int) -> float:
    return float(np.mean([one[place] for one in found]))


def _splits(person: _Person, seed: int) -> list[tuple[float, float]]:
    """Return the share that runs, and how often the promise breaks: ours, then the plain walk."""
    promise = Promise(risk=person.risk)
    x, y = person.rows(_KNOWN + _FRESH + _SPLITS * person.calibrate, seed)
    sure, right = _judged(x, y)
    sure = np.round(sure, person.digits)
    new, rest = slice(0, _FRESH), slice(_FRESH, None)
    found: list[list[tuple[float, float]]] = [[], []]
    parts = zip(sure[rest].reshape(_SPLITS, -1), right[rest].reshape(_SPLITS, -1), strict=True)
    for seen, agreed in parts:
        gates: list[Autonomy] = [
            earned(seen, agreed, promise=promise),
            fixed_sequence(seen, agreed, promise=promise),
        ]
        for gate, kept in zip(gates, found, strict=True):
            runs = np.zeros(_FRESH, bool) if gate.threshold is None else sure[new] > gate.threshold
            risk = float((~right[new][runs]).mean()) if runs.any() else 0.0
            kept.append((float(runs.mean()), float(risk > person.risk)))
    return [(_mean(one, 0), _mean(one, 1)) for one in found]


def _judged(x: Floats, y: NDArray[np.intp]) -> tuple[Floats, Flags]:
    x = np.hstack([np.ones((len(x), 1)), np.clip(x, -5, 5)])
    known = Choices(x[:_KNOWN], y[:_KNOWN], np.ones(_KNOWN), int(y.max()) + 1)
    model, new = learned(known), x[_KNOWN:]
    views = model.views(new)
    pmf = softmax(model.scores(new, views))
    answers = pmf.argmax(axis=1)
    return model.sure(pmf, views, answers), answers == y[_KNOWN:]
