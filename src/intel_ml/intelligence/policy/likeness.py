"""What somebody would choose, learned from few of their choices: views, mixed where each helps.

    P(c | x) = sum_v m_v P_v(c | x), made as sure as it is right (`sureness`),      out of fold

P_v are logistic regressions on x, and on x with random Fourier features of it (Rahimi & Recht,
2007), solved by Boehning's bound of the Hessian (Boehning, 1992, Ann. Inst. Stat. Math. 44), and
LightGBM's trees. Five folds say how much each view is worth, and how sure to be where the views do
not agree. Trees stay only where they win a share out of fold; under 20 choices the plain logistic
regression is asked alone.

Reads   vectors, choices (0 .. classes - 1), how much each choice counts.
Gives   `Likeness`: probabilities and sureness; the same data gives the same bits.
Never   pickles: numbers are arrays, trees are LightGBM's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.policy.sureness import (
    TINY,
    allowed_by,
    calibrated,
    how_sure,
    mixture,
    plain,
    softmax,
)

Floats = NDArray[np.float64]

_FOLDS = 5
_MIN_FOR_VIEWS = 20
_MIN_TO_ADJUST = 50
_STEPS, _TOLERANCE = 120, 1e-4
_WAVES, _LOUD = 150, 3.0
_LEAST_SHARE = 0.05
_TREES = {
    "num_leaves": 7,
    "learning_rate": 0.15,
    "min_data_in_leaf": 8,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
    "seed": 1,
}
_ROUNDS = 30
#: How much of what leaves said stays when more choices are learned on top.
_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen where, and how much it counts."""

    x: Floats
    labels: NDArray[np.intp]
    weights: Floats
    classes: int

    def part(self, rows: NDArray[np.bool_]) -> Choices:
        """Return some of them."""
        return Choices(self.x[rows], self.labels[rows], self.weights[rows], self.classes)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Waves:
    """Random Fourier features of a Gaussian kernel as wide as the data is."""

    frequencies: Floats
    phases: Floats

    def of(self, x: Floats) -> Floats:
        """Return x with its waves beside it."""
        return np.hstack([x, self.only(x)])

    def only(self, x: Floats) -> Floats:
        """Return the waves alone."""
        size = _LOUD * np.sqrt(2.0 / len(self.phases))
        return np.asarray(size * np.cos(x @ self.frequencies + self.phases))


@dataclass(frozen=True)
class Likeness:
    """A person as probabilities; `shares` say how much each view counts."""

    classes: int
    linear: Floats
    waves: Waves | None
    waved: Floats | None
    trees: str | None
    shares: Floats
    temperature: float
    sureness: Floats
    known: float

    def views(self, x: Floats) -> list[Floats]:
        """Return each view's probabilities (n, classes), the plain one first."""
        found = [softmax(x @ self.linear.T)]
        if self.waves is not None and self.waved is not None:
            found.append(softmax(self.waves.of(x) @ self.waved.T))
        if self.trees is not None:
            found.append(_of_trees(self._booster, x, self.classes))
        return found

    def scores(self, x: Floats, views: list[Floats] | None = None) -> Floats:
        """Return log-probabilities up to a constant; softmax of them is calibrated."""
        mixed = sum(
            share * view for share, view in zip(self.shares, views or self.views(x), strict=True)
        )
        logs = np.asarray(np.log(np.maximum(mixed, TINY)) / self.temperature)
        # The plain view alone is held back by its penalty already.
        return logs if self.waves is None else np.log(allowed_by(softmax(logs), self.known))

    def sure(self, pmf: Floats, views: list[Floats], answers: NDArray[np.intp]) -> Floats:
        """Return how often answers like these are right."""
        right = how_sure(self.sureness, pmf, views, answers)
        if self.waves is None:
            return right
        return allowed_by(np.column_stack([right, 1.0 - right]), self.known)[:, 0]

    @cached_property
    def _booster(self) -> Any:
        return _booster(self.trees or "")

    def words_to_save(self) -> dict[str, Any]:
        """Return what goes into json."""
        return {
            "classes": self.classes,
            "temperature": self.temperature,
            "trees": self.trees,
            "known": self.known,
        }

    def arrays_to_save(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return what goes into npz."""
        arrays = {"linear": self.linear, "shares": self.shares, "sureness": self.sureness}
        if self.waves is not None and self.waved is not None:
            arrays |= {"frequencies": self.waves.frequencies, "phases": self.waves.phases}
            arrays |= {"waved": self.waved}
        return {f"{prefix}_{name}": array for name, array in arrays.items()}


def loaded(words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str) -> Likeness:
    """Return the likeness that was saved."""
    waved = arrays.get(f"{prefix}_waved")
    return Likeness(
        classes=words["classes"],
        linear=arrays[f"{prefix}_linear"],
        waves=None
        if waved is None
        else Waves(arrays[f"{prefix}_frequencies"], arrays[f"{prefix}_phases"]),
        waved=waved,
        trees=words["trees"],
        shares=arrays[f"{prefix}_shares"],
        temperature=words["temperature"],
        sureness=arrays[f"{prefix}_sureness"],
        # What was saved before this was kept had been learned from enough.
        known=words.get("known", _ENOUGH),
    )


def learned(
    seen: Choices, *, penalty: float = 1.0, before: Likeness | None = None, seed: int = 0
) -> Likeness:
    """Return the likeness of these choices.

    With one from `before`, linear views are pulled towards it, its trees keep their splits and
    learn new leaves, its shares stay; temperature and sureness are measured on what it did not
    know.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    # Matrices are small: threads would wait for each other, and the order of sums would be theirs.
    with threadpool_limits(limits=1, user_api="blas"):
        if before is not None:
            return _more(seen, before, penalty)
        return _anew(seen, penalty, seed)


def _anew(seen: Choices, penalty: float, seed: int) -> Likeness:
    waves = _waves(seen.x, seed) if len(seen) >= _MIN_FOR_VIEWS else None
    views: list[_View] = [_Linear(penalty, None)]
    if waves is not None:
        views.extend((_Linear(penalty, waves), _Trees()))
    whole: list[Any] = [view.fit(seen) for view in views]
    if waves is None:
        return _likeness(seen, waves, whole, (np.ones(1), 1.0, plain(1)))
    fold = np.arange(len(seen)) % _FOLDS
    outside = [np.empty((len(seen), seen.classes)) for _ in views]
    for part in range(_FOLDS):
        known, new = seen.part(fold != part), fold == part
        for view, held in zip(views, outside, strict=True):
            held[new] = view.probabilities(view.fit(known), seen.x[new], seen.classes)
    keep = list(range(len(views)))
    shares = mixture([outside[at] for at in keep], seen.labels, seen.weights)
    if len(keep) > 2 and shares[-1] < _LEAST_SHARE:  # noqa: PLR2004  # the trees are the third view
        keep = keep[:-1]
        shares = mixture([outside[at] for at in keep], seen.labels, seen.weights)
    kept = [outside[at] for at in keep]
    how = shares, *calibrated(kept, shares, seen.labels, seen.weights)
    return _likeness(seen, waves, [whole[at] for at in keep], how)


def _likeness(
    seen: Choices,
    waves: Waves | None,
    fitted: list[Any],
    how: tuple[Floats, float, Floats],
    *,
    known: float = 0.0,
) -> Likeness:
    shares, temperature, sureness = how
    return Likeness(
        classes=seen.classes,
        linear=fitted[0],
        waves=waves,
        waved=fitted[1] if waves is not None else None,
        trees=fitted[2] if len(fitted) > 2 else None,  # noqa: PLR2004  # the third view
        shares=shares,
        temperature=temperature,
        sureness=sureness,
        known=known + float(seen.weights.sum()),
    )


def _more(seen: Choices, before: Likeness, penalty: float) -> Likeness:
    known = before.views(seen.x)
    how = before.shares, before.temperature, before.sureness
    if len(seen) >= _MIN_TO_ADJUST:
        # What it did not know yet is as good as out of fold.
        how = before.shares, *calibrated(known, before.shares, seen.labels, seen.weights)
    linear = fit_linear(seen, before.linear, penalty)
    fitted: list[Any] = [linear]
    if before.waves is not None and before.waved is not None:
        lifted = Choices(before.waves.of(seen.x), seen.labels, seen.weights, seen.classes)
        fitted.append(fit_linear(lifted, before.waved, penalty))
    if before.trees is not None:
        renewed = _booster(before.trees).refit(
            seen.x, seen.labels, decay_rate=_KEPT, weight=seen.weights
        )
        fitted.append(str(renewed.model_to_string()))
    return _likeness(seen, before.waves, fitted, how, known=before.known)


class _View(Protocol):
    def fit(self, seen: Choices) -> Any: ...

    def probabilities(self, fitted: Any, x: Floats, classes: int) -> Floats: ...


@dataclass(frozen=True, slots=True)
class _Linear:
    penalty: float
    waves: Waves | None

    def fit(self, seen: Choices) -> Floats:
        x = seen.x if self.waves is None else self.waves.of(seen.x)
        lifted = Choices(x, seen.labels, seen.weights, seen.classes)
        return fit_linear(lifted, np.zeros((seen.classes, x.shape[1])), self.penalty)

    def probabilities(self, fitted: Any, x: Floats, classes: int) -> Floats:
        del classes
        return softmax(np.asarray((x if self.waves is None else self.waves.of(x)) @ fitted.T))


@dataclass(frozen=True, slots=True)
class _Trees:
    def fit(self, seen: Choices) -> str:
        import lightgbm  # noqa: PLC0415  # half a second to load

        how = _TREES | {"objective": "multiclass", "num_class": seen.classes}
        data = lightgbm.Dataset(seen.x, label=seen.labels, weight=seen.weights, free_raw_data=True)
        return str(lightgbm.train(how, data, num_boost_round=_ROUNDS).model_to_string())

    def probabilities(self, fitted: Any, x: Floats, classes: int) -> Floats:
        return _of_trees(_booster(fitted), x, classes)


def _booster(text: str) -> Any:
    import lightgbm  # noqa: PLC0415  # half a second to load

    return lightgbm.Booster(model_str=text)


def _of_trees(booster: Any, x: Floats, classes: int) -> Floats:
    found = np.asarray(booster.predict(x, num_threads=1), dtype=np.float64)
    return found.reshape(len(x), classes)


def fit_linear(seen: Choices, start: Floats, penalty: float) -> Floats:
    """Return the weights of a logistic regression pulled towards `start`."""
    bound = 0.5 * (seen.x * seen.weights[:, None]).T @ seen.x
    bound[np.diag_indices_from(bound)] += penalty
    step = np.linalg.inv(bound)
    wanted = np.eye(seen.classes)[seen.labels]
    weights, ahead = start.copy(), start.copy()
    for turn in range(_STEPS):
        miss = (softmax(seen.x @ ahead.T) - wanted) * seen.weights[:, None]
        after = ahead - (miss.T @ seen.x + penalty * (ahead - start)) @ step
        change = np.abs(after - weights).max()
        # Nesterov's look ahead: a third of the steps for the same answer.
        ahead = after + (turn / (turn + 3.0)) * (after - weights)
        weights = after
        if change < _TOLERANCE:
            break
    return weights


def _waves(x: Floats, seed: int) -> Waves:
    random = np.random.Generator(np.random.Philox(seed))
    some = x[:: max(1, len(x) // 300)]
    apart = ((some[:, None, :] - some[None, :, :]) ** 2).sum(axis=2)
    usual = float(np.median(apart[np.triu_indices(len(some), 1)])) or 1.0
    shape = (x.shape[1], _WAVES)
    return Waves(
        random.standard_normal(shape) * np.sqrt(_NARROW / usual),
        random.uniform(0, 2 * np.pi, _WAVES),
    )


_ENOUGH = 1e6
#: Waves this many times as short as the usual distance: neighbourhoods, not the whole cloud.
_NARROW = 4.0
