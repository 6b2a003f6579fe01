"""What the approver would do: multinomial logistic regression on what people let be executed.

    P(arm | x) = softmax(W phi / T),   W = argmin -sum w log P + (penalty / 2) |W - W_before|^2

Solved by Boehning's fixed upper bound of the Hessian (Boehning, 1992, Ann. Inst. Stat. Math. 44),
every step of which goes down; no step size. The temperature T is chosen out of fold, so that 80 %
sure is right about 80 % of the time. A rejection labels the decision `maintain`: it teaches what
people want, it is never a reward. Decisions nobody was asked about (nothing was proposed, nothing
done) count a little; held-out ones don't count, chance made them.

When it misleads: people who approve everything are imitated too. Agreement is not value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.recommendations import Reason, Verdict
from intel_ml.features.states import States
from intel_ml.intelligence.policy import context, drawing, evidence, explain, files
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Choices
from intel_ml.intelligence.policy.settings import FLOOR, Drawing, checked

if TYPE_CHECKING:
    import pandas as pd

NAME = "imitation"
_FOLDS = 5
_MIN_TO_CALIBRATE = 50
_TEMPERATURES = np.geomspace(0.25, 4.0, 33)
_STEPS = 300
_NEWTON_STEPS = 12
_PULL = 3.0
_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class Settings:
    """`silent_weight` is what a decision nobody was asked about counts, a judged one being 1."""

    penalty: float = 1.0
    silent_weight: float = 0.3
    floor: float = FLOOR
    seed: int = 0

    def __post_init__(self) -> None:
        if self.penalty <= 0 or self.silent_weight < 0:
            raise InvalidValueError(path="penalty", problem="penalty is above 0, weights not below")
        Drawing(floor=self.floor)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Out of fold: temperature of the pmf, Platt's line from logit(p) to logit(P(right))."""

    temperature: float = 1.0
    slope: float = 1.0
    shift: float = 0.0

    def sure(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how often a best arm of this probability was right."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * _logit(probability) + self.shift))))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights of each arm and the temperature that calibrates them."""

    context: context.Context
    weights: NDArray[np.float64]
    calibration: Calibration
    labels: int


class Policy:
    """Gives each arm the probability that a person would have chosen it."""

    name = NAME

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._fitted: Fitted | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads; before the first log, those it would like to."""
        if self._fitted is not None:
            return self._fitted.context.features
        return context.DEFAULT_FEATURES if self._asked is None else self._asked

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels it learned from; empty before the first log."""
        return () if self._fitted is None else self._fitted.context.entity_types

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and most human arms; before any log, chance that prefers `maintain`."""
        mask = drawing.mask_of(allowed, len(states))
        scores = self._scores(states)
        greedy = drawing.best(scores, mask)
        pmf = drawing.pmf_of(scores, mask, Drawing(temperature=1.0, floor=self.settings.floor))
        # The floor is for learning; how sure one is, is said without it.
        best = _softmax(np.where(mask, scores, -np.inf))[np.arange(len(pmf)), greedy]
        sure = best if self._fitted is None else self._fitted.calibration.sure(best)
        return drawing.choices(pmf, keys, greedy=greedy, confidence=sure)

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._fitted = None
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more verdicts, starting from and pulled to what is known already."""
        log, weights = _judged(log, self.settings.silent_weight)
        if self._fitted is None and log.empty:
            raise NotEnoughDataError(quantity="decisions a person judged", needed=1, seen=0)
        if log.empty:
            return self
        before = self._fitted
        fixed = context.learned(log, self._asked) if before is None else before.context
        phi = context.of_log(fixed, log)
        labels = log["executed"].map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp)
        start = np.zeros((len(ARMS), fixed.width)) if before is None else before.weights
        data = _Labels(phi, labels, weights)
        self._fitted = Fitted(
            context=fixed,
            weights=_fit(data, start, self.settings.penalty),
            calibration=_calibrated(data, start, self.settings.penalty),
            labels=len(log) + (0 if before is None else before.labels),
        )
        return self

    def explain(self, states: States, row: int, arm: Arm) -> tuple[Reason, ...]:
        """Return the plan's sentences that hold and the features that speak for this arm."""
        state = states.state(row)
        known = self._fitted
        if known is None:
            return explain.reasons(state, arm, [])
        parts = explain.contributions(
            known.context,
            states.take([row]),
            arm,
            scores=lambda vectors: vectors @ known.weights.T / known.calibration.temperature,
        )
        return explain.reasons(state, arm, parts)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= known.context.words_to_save()
            words |= {"calibration": asdict(known.calibration), "labels": known.labels}
            arrays = known.context.arrays_to_save() | {"weights": known.weights}
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            policy._fitted = Fitted(
                context=context.loaded(words, arrays),
                weights=arrays["weights"],
                calibration=Calibration(**words["calibration"]),
                labels=words["labels"],
            )
        return policy

    def _scores(self, states: States) -> NDArray[np.float64]:
        known = self._fitted
        if known is None:
            return np.zeros((len(states), len(ARMS)))
        return known.context.of_states(states) @ known.weights.T / known.calibration.temperature


@dataclass(frozen=True, slots=True)
class _Labels:
    phi: NDArray[np.float64]
    arms: NDArray[np.intp]
    weights: NDArray[np.float64]

    def part(self, rows: NDArray[np.bool_]) -> _Labels:
        return _Labels(self.phi[rows], self.arms[rows], self.weights[rows])


def _judged(log: pd.DataFrame, silent: float) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return the decisions that say what people want, and how much each counts."""
    evidence.require(log, "executed", "verdict", "proposed")
    known = log["executed"].isin(list(ARM_INDEX)).to_numpy()
    asked = log["verdict"].isin(list(Verdict)).to_numpy()
    quiet = (log["proposed"] == Arm.MAINTAIN).to_numpy() & (
        log["executed"] == Arm.MAINTAIN
    ).to_numpy()
    held = np.zeros(len(log), dtype=bool)
    if "is_held_out" in log:
        held = (log["is_held_out"] == True).to_numpy()  # noqa: E712  # None is not held out
    use = known & ~held & (asked | (quiet & (silent > 0)))
    return log[use], np.where(asked[use], 1.0, silent)


def _fit(data: _Labels, start: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """Return the weights; the same start and data give the same bits."""
    width = data.phi.shape[1]
    bound = 0.5 * (data.phi * data.weights[:, None]).T @ data.phi + penalty * np.eye(width)
    step = np.linalg.inv(bound)
    wanted = np.eye(len(ARMS))[data.arms]
    weights, ahead = start.copy(), start.copy()
    for turn in range(_STEPS):
        miss = (_softmax(data.phi @ ahead.T) - wanted) * data.weights[:, None]
        after = ahead - (miss.T @ data.phi + penalty * (ahead - start)) @ step
        change = np.abs(after - weights).max()
        # Nesterov's look ahead: a third of the steps for the same answer.
        ahead = after + (turn / (turn + 3.0)) * (after - weights)
        weights = after
        if change < _TOLERANCE:
            break
    return weights


def _calibrated(data: _Labels, start: NDArray[np.float64], penalty: float) -> Calibration:
    """Return what out-of-fold predictions call for; nothing where too few can tell."""
    if len(data.arms) < _MIN_TO_CALIBRATE:
        return Calibration()
    fold = np.arange(len(data.arms)) % _FOLDS
    scores = np.empty((len(data.arms), len(ARMS)))
    for part in range(_FOLDS):
        weights = _fit(data.part(fold != part), start, penalty)
        scores[fold == part] = data.phi[fold == part] @ weights.T
    rows = np.arange(len(scores))
    losses = [
        -(data.weights * np.log(_softmax(scores / t)[rows, data.arms] + 1e-12)).sum()
        for t in _TEMPERATURES
    ]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    pmf = _softmax(scores / temperature)
    slope, shift = _platt(pmf.max(axis=1), pmf.argmax(axis=1) == data.arms, data.weights)
    return Calibration(temperature, slope, shift)


def _platt(
    best: NDArray[np.float64], is_right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Return slope and shift by Newton's method, pulled to (1, 0) a little; Platt (1999)."""
    design = np.column_stack([_logit(best), np.ones(len(best))])
    prior = np.array([1.0, 0.0])
    line = prior.copy()
    for _ in range(_NEWTON_STEPS):
        p = 1.0 / (1.0 + np.exp(-(design @ line)))
        slope = design.T @ (weights * (p - is_right)) + _PULL * (line - prior)
        bend = (design * (weights * p * (1 - p))[:, None]).T @ design + _PULL * np.eye(2)
        line -= np.linalg.solve(bend, slope)
    return max(float(line[0]), 0.0), float(line[1])


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
