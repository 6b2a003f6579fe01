"""Which of k arms pays most for a vector: the core of `ridge`, without states, logs or accounts.

    phi     = (1, x)                                  straight, or with `fourier` waves beside it
    phi     = (1, x sqrt(straight / d), landmarks)    with `landmarks`, of weight `bent`
    score_a = phi' theta_a + (alpha_n - caution noise) width_a
    alpha_n = alpha / sqrt(1 + n / patience)          n decisions learned; constant without patience

Optimism: the highest score is best (LinUCB; Li, Chu, Langford & Schapire, 2010, WWW). Thompson: an
arm is as likely as it is to be the best one, where each is worth N(mean, (alpha_n width)^2)
(Thompson, 1933, Biometrika 25); the probability is the integral

    P(a best) = integral of  dN(z)  prod_b  N((mean_a - mean_b + s_a z) / s_b),    s = alpha_n width

by Gauss-Hermite nodes, not a sample: it can be logged. The nodes err by a few percent where one arm
is far surer than another; what is drawn is what is logged all the same.

Reads   vectors whose first place is 1, arms by number, rewards, weights.
Gives   `Learner`: scores or probabilities; learns one row or many.
Never   clips or scales a reward: who calls it does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.intelligence.policy.lift import Landmarks, Waves, random_waves
from intel_ml.intelligence.policy.linear import Linear
from intel_ml.intelligence.policy.settings import FLOOR, TEMPERATURE, Drawing
from intel_ml.intelligence.policy.surprise import Surprise

Numbers = NDArray[np.float64]

OPTIMISM, THOMPSON = "optimism", "thompson"
_EXPLORATIONS = (OPTIMISM, THOMPSON)
_NODES = 48
_NO_WIDTH = 1e-9
#: The part of what was learned that still counts in a world that changed.
_KEPT = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """Widths of optimism (`alpha`) and pessimism (`caution`), penalties, curves, drawing.

    `fourier` counts random waves, `landmarks` rows to bend along (dearer, better); `bandwidth` is
    their reach in units of sqrt(inputs), `single` the part that bends along each input by itself
    (see `lift`). `patience` is after how many decisions curiosity wanes; 0 is never. Past `alarm`
    who learns row by row forgets nearly all (see `surprise`); 0 is never.
    """

    alpha: float = 0.1
    caution: float = 0.0
    exploration: str = OPTIMISM
    patience: float = 0.0
    penalty: float = 1.0
    shared_penalty: float = 0.1
    fourier: int = 0
    landmarks: int = 0
    bandwidth: float = 1.0
    straight: float = 3.0
    bent: float = 6.0
    single: float = 0.5
    alarm: float = 0.0
    weight_clip: float = 10.0
    seed: int = 0
    temperature: float = TEMPERATURE
    floor: float = FLOOR

    def __post_init__(self) -> None:
        above = ("penalty", "shared_penalty", "bandwidth", "straight", "bent", "weight_clip")
        for name in above:
            if getattr(self, name) <= 0:
                raise InvalidValueError(path=name, problem="must be above 0")
        for name in ("alpha", "caution", "patience", "alarm", "fourier", "landmarks"):
            if getattr(self, name) < 0:
                raise InvalidValueError(path=name, problem="must not be below 0")
        if not 0 <= self.single <= 1:
            raise InvalidValueError(path="single", problem="is not between 0 and 1")
        if self.exploration not in _EXPLORATIONS:
            raise UnknownNameError(kind="exploration", name=self.exploration, known=_EXPLORATIONS)
        self.drawing  # noqa: B018  # checks floor and temperature

    @property
    def drawing(self) -> Drawing:
        """How scores become probabilities."""
        return Drawing(temperature=self.temperature, floor=self.floor)


#: What the bake-off found best on seven sets, for one reward between 0 and 1 at a time.
CURVED = Settings(alpha=0.3, patience=200.0, landmarks=300, bandwidth=0.7, alarm=60.0)


class Learner:
    """`scores` a vector, `learn`s what an arm paid; vectors are (inputs + 1,), the first place 1.

    >>> learner = Learner(inputs=1, arms=2, settings=Settings(alpha=0.1))
    >>> learner.learn(np.array([1.0, 0.5]), arm=1, reward=1.0)
    >>> int(learner.scores(np.array([1.0, 0.5])).argmax())
    1
    """

    def __init__(
        self, *, inputs: int, arms: int, settings: Settings, is_shared: bool = False
    ) -> None:
        self.settings, self.inputs = settings, inputs
        self.waves = random_waves(
            inputs=inputs, count=settings.fourier, bandwidth=settings.bandwidth, seed=settings.seed
        )
        self.landmarks = Landmarks(
            inputs=inputs,
            limit=settings.landmarks,
            bandwidth=settings.bandwidth,
            weight=settings.bent,
            single=settings.single,
        )
        self.linear = Linear(
            arms=arms,
            size=1 + inputs + settings.fourier + settings.landmarks,
            penalty=settings.penalty,
            shared_penalty=settings.shared_penalty if is_shared else None,
        )
        self.surprise = Surprise(settings.alarm)

    @property
    def optimism(self) -> float:
        """Return alpha as it stands after what was learned."""
        alpha, patience = self.settings.alpha, self.settings.patience
        if not patience:
            return alpha
        return alpha / math.sqrt(1.0 + float(self.linear.counts.sum()) / patience)

    def copy(self) -> Learner:
        """Return what can go on learning while this stays as it is."""
        twin = object.__new__(Learner)
        twin.settings, twin.inputs, twin.waves = self.settings, self.inputs, self.waves
        twin.landmarks, twin.linear = self.landmarks.copy(), self.linear.copy()
        twin.surprise = replace(self.surprise)
        return twin

    def lifted(self, vectors: Numbers) -> Numbers:
        """Return phi (n, size) of vectors (n, inputs + 1)."""
        settings = self.settings
        if not (settings.fourier or settings.landmarks):
            return vectors
        inputs = vectors[:, 1:]
        parts = [vectors]
        if settings.fourier:
            parts.append(self.waves.of(inputs))
        if settings.landmarks:
            parts[0] = vectors * math.sqrt(settings.straight / max(self.inputs, 1))
            parts[0][:, 0] = vectors[:, 0]
            parts.append(self.landmarks.of(inputs))
        return np.hstack(parts)

    def scores(self, vector: Numbers) -> Numbers:
        """Return the optimistic score of each arm, (arms,)."""
        means, widths = self.linear.judged(self.lifted(vector[None])[0])
        return np.asarray(means + self.optimism * widths)

    def probabilities(self, vector: Numbers) -> Numbers:
        """Return how likely each arm is to be the best, (arms,)."""
        means, widths = self.linear.judged(self.lifted(vector[None])[0])
        every = np.ones((1, len(means)), dtype=np.bool_)
        return np.asarray(best_probabilities(means[None], self.optimism * widths[None], every)[0])

    def learn(self, vector: Numbers, *, arm: int, reward: float, weight: float = 1.0) -> None:
        """Learn what one arm paid for one vector."""
        if self.settings.landmarks:
            self.landmarks.grow(vector[None, 1:])
        phi = self.lifted(vector[None])[0]
        if self.settings.alarm:
            error = reward - float(self.linear.means(phi[None])[0, arm])
            if self.surprise.after(error):
                self.linear.forget(_KEPT)
        self.linear.add(phi, arm, reward, weight)

    def learn_all(
        self, vectors: Numbers, *, arms: NDArray[np.intp], rewards: Numbers, weights: Numbers
    ) -> None:
        """Learn many; the order doesn't matter."""
        self.landmarks.grow(vectors[:, 1:])
        self.linear.add_all(self.lifted(vectors), arms, rewards, weights)

    def words(self) -> dict[str, Any]:
        """Return what goes into json."""
        return {"squares": self.linear.squares, "used": self.landmarks.used}

    def arrays(self) -> dict[str, Numbers]:
        """Return what goes into npz."""
        return {
            **self.linear.arrays(),
            "waves": self.waves.waves,
            "phases": self.waves.phases,
            "landmarks": self.landmarks.points,
            "landmark_factor": self.landmarks.factor,
        }

    def restored(self, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Learner:
        """Return what was saved."""
        twin = self.copy()
        twin.linear = self.linear.restored(arrays, squares=words["squares"])
        twin.waves = Waves(arrays["waves"], arrays["phases"])
        # Models from before landmarks have none, and nothing to restore.
        if twin.settings.landmarks:
            twin.landmarks.points = arrays["landmarks"]
            twin.landmarks.factor = arrays["landmark_factor"]
            twin.landmarks.used = words["used"]
        return twin


def best_probabilities(means: Numbers, deviations: Numbers, mask: NDArray[np.bool_]) -> Numbers:
    """Return P(an arm is the best of those allowed), (n, arms).

    >>> every = np.ones((1, 2), dtype=bool)
    >>> best_probabilities(np.zeros((1, 2)), np.ones((1, 2)), every).round(3).tolist()
    [[0.5, 0.5]]
    """
    from scipy.special import ndtr  # noqa: PLC0415  # only who explores so pays for its import

    spread = np.maximum(deviations, _NO_WIDTH)
    nodes, masses = _nodes()
    # Four axes: row, arm, node, rival.
    values = means[:, :, None] + spread[:, :, None] * nodes
    below = ndtr((values[..., None] - means[:, None, None, :]) / spread[:, None, None, :])
    rivals = mask[:, None, :] & ~np.eye(means.shape[1], dtype=np.bool_)
    beaten = np.where(rivals[:, :, None, :], below, 1.0).prod(axis=3)
    found = np.where(mask, beaten @ masses, 0.0)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


@functools.cache
def _nodes() -> tuple[Numbers, Numbers]:
    nodes, masses = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, masses / masses.sum()
