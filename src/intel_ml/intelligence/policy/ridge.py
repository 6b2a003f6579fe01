"""Ridge regression per arm with optimism: LinUCB whose arms lend strength to each other.

    theta_a = theta_0 + delta_a,  theta_0 ~ N(0, I / shared_penalty),  delta_a ~ N(0, I / penalty)
    A_a     = sum w phi phi' + penalty I,    b_a = sum w r phi
    theta_a = A_a^-1 (b_a + penalty theta_0)
    score_a = phi' theta_a + (alpha - caution sigma) sqrt(phi' A_a^-1 phi)

Li, Chu, Langford & Schapire (2010), WWW; the shared part is the posterior mean of a hierarchical
normal model, so an arm nobody tried is worth what arms are usually worth, not zero. phi is the
context, plus `fourier` random Fourier features of it (Rahimi & Recht, 2007). Rewards are centred on
their median, scaled by IQR/1.349 and clipped: one lucky sale must not rule. Rows are weighted by
1/p(executed), clipped, mean 1; what a pause would have earned is known without trying, and each row
teaches that too (`evidence.with_pauses`). A_a^-1 follows by Sherman-Morrison for few rows and is
inverted afresh for many.

Optimism (alpha) is for those who learn by trying. Who learns from a log that others made should
be careful instead: an arm seldom seen is easily overrated (Jin, Yang & Wang, 2021, ICML: pessimism
for offline learning). `caution` counts the standard deviations taken off; sigma is the misfit.

When it misleads: the width is the model's own uncertainty; it knows nothing of what people saw and
we did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError, NotEnoughDataError
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import context, drawing, evidence, explain, files
from intel_ml.intelligence.policy.protocol import ARM_INDEX, Choices
from intel_ml.intelligence.policy.settings import FLOOR, TEMPERATURE, Drawing, checked

if TYPE_CHECKING:
    import pandas as pd

NAME = "ridge"
_ROOT_2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """Widths of optimism (`alpha`) and pessimism (`caution`), number of random features."""

    alpha: float = 0.1
    caution: float = 0.0
    penalty: float = 1.0
    shared_penalty: float = 0.1
    fourier: int = 0
    bandwidth: float = 1.0
    weight_clip: float = 10.0
    seed: int = 0
    temperature: float = TEMPERATURE
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if min(self.penalty, self.shared_penalty, self.bandwidth, self.weight_clip) <= 0:
            raise InvalidValueError(
                path="penalty", problem="penalties, widths and clips are above 0"
            )
        if min(self.alpha, self.caution, self.fourier) < 0:
            raise InvalidValueError(
                path="alpha", problem="alpha, caution and fourier are not below 0"
            )
        self.drawing  # noqa: B018  # checks floor and temperature

    @property
    def drawing(self) -> Drawing:
        """How scores become probabilities."""
        return Drawing(temperature=self.temperature, floor=self.floor)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything learned: gram and b are sums over rows, inverse and theta follow from them."""

    context: context.Context
    waves: NDArray[np.float64]
    phases: NDArray[np.float64]
    reward: evidence.RewardScale
    gram: NDArray[np.float64]
    b: NDArray[np.float64]
    squares: float
    counts: NDArray[np.float64]
    inverse: NDArray[np.float64]
    theta: NDArray[np.float64]
    noise: float


class Policy:
    """`Policy(alpha=0.1, features=["cpa_ratio", "roas"]).fit(log)`; see `Settings` for more."""

    name = NAME

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._drawing = self.settings.drawing
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

    @property
    def counts(self) -> dict[Arm, int]:
        """How many decisions it learned from, by arm."""
        seen = np.zeros(len(ARMS)) if self._fitted is None else self._fitted.counts
        return {arm: int(n) for arm, n in zip(ARMS, seen, strict=True)}

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms; before any log, chance that prefers `maintain`."""
        mask = drawing.mask_of(allowed, len(states))
        means, widths = self._judge(states)
        noise = 1.0 if self._fitted is None else self._fitted.noise
        scores = means + (self.settings.alpha - self.settings.caution * noise) * widths
        greedy = drawing.best(scores, mask)
        return drawing.choices(
            drawing.pmf_of(scores, mask, self._drawing),
            keys,
            greedy=greedy,
            confidence=_confidence(means, widths * noise, greedy=greedy, mask=mask),
        )

    def values(self, states: States) -> NDArray[np.float64]:
        """Return the expected reward of each arm, (n, 6), in the reward's own unit."""
        means, _ = self._judge(states)
        return means if self._fitted is None else self._fitted.reward.back(means)

    def values_of_log(self, log: pd.DataFrame) -> NDArray[np.float64]:
        """Return the expected reward of each arm for the `state_*` columns of a log, (n, 6)."""
        known = self._fitted
        if known is None:
            raise NotEnoughDataError(quantity="decisions with a reward", needed=1, seen=0)
        means = _phi(known, context.of_log(known.context, log)) @ known.theta.T
        return known.reward.back(means)

    def fit(self, log: pd.DataFrame) -> Self:
        """Forget everything, then learn from these decisions."""
        self._fitted = None
        return self.learn(log)

    def learn(self, log: pd.DataFrame) -> Self:
        """Learn from more decisions; rows without a reward or an executed arm don't teach."""
        log = evidence.rewarded(log)
        if self._fitted is None:
            if log.empty:
                raise NotEnoughDataError(quantity="decisions with a reward", needed=1, seen=0)
            self._fitted = self._empty(log)
        elif log.empty:
            return self
        known = self._fitted
        log = evidence.with_pauses(log)
        arms = log["executed"].map(ARM_INDEX).to_numpy(dtype=np.int64).astype(np.intp)
        rewards = known.reward.scaled(log["reward"].to_numpy(dtype=np.float64))
        weights = evidence.weights(log, clip=self.settings.weight_clip)
        self._add(_phi(known, context.of_log(known.context, log)), arms, rewards, weights)
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
            scores=lambda vectors: _phi(known, vectors) @ known.theta.T,
        )
        return explain.reasons(state, arm, parts)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= known.context.words_to_save()
            words |= {
                "reward": asdict(known.reward),
                "squares": known.squares,
                "noise": known.noise,
            }
            arrays = known.context.arrays_to_save() | {
                name: getattr(known, name) for name in _ARRAYS
            }
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            policy._fitted = Fitted(
                context=context.loaded(words, arrays),
                reward=evidence.RewardScale(**words["reward"]),
                squares=words["squares"],
                noise=words["noise"],
                **{name: arrays[name] for name in _ARRAYS},
            )
        return policy

    def _judge(self, states: States) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and width of each arm, in scaled rewards."""
        known = self._fitted
        if known is None:
            return np.zeros((len(states), len(ARMS))), np.ones((len(states), len(ARMS)))
        phi = _phi(known, known.context.of_states(states))
        size = phi.shape[1]
        spread = (known.inverse.reshape(-1, size) @ phi.T).reshape(len(ARMS), size, -1)
        spread *= phi.T
        return phi @ known.theta.T, np.sqrt(np.maximum(spread.sum(axis=1).T, 0.0))

    def _empty(self, log: pd.DataFrame) -> Fitted:
        fixed = context.learned(log, self._asked)
        random = np.random.default_rng(self.settings.seed)
        inputs = fixed.width - 1
        reach = self.settings.bandwidth * math.sqrt(inputs)
        waves = random.standard_normal((inputs, self.settings.fourier)) / reach
        phases = random.uniform(0.0, 2.0 * math.pi, self.settings.fourier)
        size, arms = fixed.width + self.settings.fourier, len(ARMS)
        return Fitted(
            context=fixed,
            waves=waves,
            phases=phases,
            reward=evidence.reward_scale(log["reward"].to_numpy(dtype=np.float64)),
            gram=np.zeros((arms, size, size)),
            b=np.zeros((arms, size)),
            squares=0.0,
            counts=np.zeros(arms),
            inverse=np.repeat(np.eye(size)[None] / self.settings.penalty, arms, axis=0),
            theta=np.zeros((arms, size)),
            noise=1.0,
        )

    def _add(
        self,
        phi: NDArray[np.float64],
        arms: NDArray[np.intp],
        rewards: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> None:
        assert self._fitted is not None  # noqa: S101  # for the type checker: `learn` made it
        known, size = self._fitted, phi.shape[1]
        gram, b, inverse = known.gram.copy(), known.b.copy(), known.inverse.copy()
        for arm in range(len(ARMS)):
            mine = arms == arm
            rows, heavy = phi[mine], weights[mine]
            gram[arm] += (rows * heavy[:, None]).T @ rows
            b[arm] += rows.T @ (heavy * rewards[mine])
            if len(rows) < size:
                for row, weight in zip(rows, heavy, strict=True):
                    _sherman_morrison(inverse[arm], row, weight)
            else:
                inverse[arm] = np.linalg.inv(gram[arm] + self.settings.penalty * np.eye(size))
        counts = known.counts + np.bincount(arms, minlength=len(ARMS))
        squares = known.squares + float(weights @ rewards**2)
        theta = self._solve(gram, b, inverse)
        misfit = squares - 2 * np.sum(theta * b) + np.einsum("ai,aij,aj->", theta, gram, theta)
        noise = math.sqrt(max(float(misfit), 0.0) / max(counts.sum(), 1.0))
        self._fitted = replace(
            known,
            gram=gram,
            b=b,
            inverse=inverse,
            counts=counts,
            squares=squares,
            theta=theta,
            noise=noise,
        )

    def _solve(
        self, gram: NDArray[np.float64], b: NDArray[np.float64], inverse: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return theta of each arm: the shared part first, then each arm's departure from it."""
        penalty, size = self.settings.penalty, gram.shape[1]
        precision = penalty * np.einsum("aij,ajk->ik", gram, inverse)
        pull = penalty * np.einsum("aij,aj->i", inverse, b)
        shared = np.linalg.solve(precision + self.settings.shared_penalty * np.eye(size), pull)
        return np.asarray(np.einsum("aij,aj->ai", inverse, b + penalty * shared))


_ARRAYS = ("waves", "phases", "gram", "b", "counts", "inverse", "theta")


def _phi(known: Fitted, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    count = len(known.phases)
    if not count:
        return vectors
    waves = np.cos(vectors[:, 1:] @ known.waves + known.phases)
    waves *= math.sqrt(2.0 / count)
    return np.hstack([vectors, waves])


def _sherman_morrison(
    inverse: NDArray[np.float64], row: NDArray[np.float64], weight: float
) -> None:
    """Update (A)^-1 to (A + w x x')^-1 in place."""
    along = inverse @ row
    inverse -= np.outer(along, along) * (weight / (1.0 + weight * (row @ along)))


def _confidence(
    means: NDArray[np.float64],
    deviations: NDArray[np.float64],
    *,
    greedy: NDArray[np.intp],
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return P(greedy beats every other allowed arm) by the union bound, never below chance."""
    rows = np.arange(len(means))
    lead = means[rows, greedy][:, None] - means
    spread = np.sqrt(deviations**2 + deviations[rows, greedy][:, None] ** 2)
    z = lead / np.maximum(spread, 1e-12)
    losing = np.array([[0.5 * math.erfc(value / _ROOT_2) for value in row] for row in z.tolist()])
    rivals = mask.copy()
    rivals[rows, greedy] = False
    sure = 1.0 - (losing * rivals).sum(axis=1)
    return np.asarray(np.maximum(sure, 1.0 / mask.sum(axis=1)))
