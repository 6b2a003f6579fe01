"""Ridge regression per arm, optimistic, careful or by chance, whose arms lend each other strength.

    theta_a = theta_0 + delta_a,  theta_0 ~ N(0, I / shared_penalty),  delta_a ~ N(0, I / penalty)
    score_a = phi' theta_a + (alpha - caution sigma) sqrt(phi' A_a^-1 phi)

The arithmetic is `linear`, what bends it `lift`, how it explores `learner`; this file brings states
and logs to it. Rewards are centred on their median, scaled by IQR/1.349 and clipped: one lucky sale
must not rule. Rows are weighted by 1/p(executed), clipped, mean 1; what a pause would have earned
is known without trying, and each row teaches that too (`evidence.with_pauses`).

Optimism (alpha) is for those who learn by trying. Who learns from a log that others made should
be careful instead: an arm seldom seen is easily overrated (Jin, Yang & Wang, 2021, ICML: pessimism
for offline learning). `caution` counts the standard deviations taken off; sigma is the misfit. With
`exploration="thompson"` an arm's probability is that of being the best.

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
from intel_ml.core.errors import NotEnoughDataError
from intel_ml.core.recommendations import Reason
from intel_ml.features.states import States
from intel_ml.intelligence.policy import cases, context, drawing, evidence, explain, files
from intel_ml.intelligence.policy.learner import OPTIMISM, Learner, Settings, best_probabilities
from intel_ml.intelligence.policy.protocol import MAINTAIN, Choices, Gains
from intel_ml.intelligence.policy.settings import checked

if TYPE_CHECKING:
    import pandas as pd

NAME = "ridge"
_ROOT_2 = math.sqrt(2.0)
_NO_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything learned; `noise` is the misfit, in scaled rewards, `cases` what is remembered."""

    context: context.Context
    reward: evidence.RewardScale
    learner: Learner
    noise: float
    cases: cases.Cases


class Policy(context.Reading, cases.Recalling):
    """`Policy(alpha=0.1, features=["cpa_ratio", "roas"]).fit(log)`; see `Settings` for more."""

    name = NAME

    def __init__(self, *, features: Sequence[str] | None = None, **settings: float | str) -> None:
        self.settings = checked(Settings, settings)
        self._asked = None if features is None else tuple(features)
        self._drawing = self.settings.drawing
        self._is_optimist = self.settings.exploration == OPTIMISM
        self._fitted: Fitted | None = None

    @classmethod
    def knowing(cls, known: Fitted, settings: Settings) -> Self:
        """Return a policy that has learned what is handed to it."""
        policy = cls(features=known.context.features, **asdict(settings))
        policy._fitted = known
        return policy

    @property
    def counts(self) -> dict[Arm, int]:
        """How many decisions it learned from, by arm."""
        known = self._fitted
        seen = np.zeros(len(ARMS)) if known is None else known.learner.linear.counts
        return {arm: int(n) for arm, n in zip(ARMS, seen, strict=True)}

    def choose(self, states: States, *, allowed: NDArray[np.bool_], keys: Sequence[str]) -> Choices:
        """Return pmf, drawn and best arms; before any log, chance that prefers `maintain`."""
        if len(states) == 1 and len(keys) == 1 and self._fitted is not None and self._is_optimist:
            return self._choose_one(self._fitted, states, allowed, keys[0])
        mask = drawing.mask_of(allowed, len(states))
        means, widths = self._judge(states)
        noise = 1.0 if self._fitted is None else self._fitted.noise
        scores = means + self._bonus * widths
        greedy = drawing.best(scores, mask)
        if self._is_optimist or self._fitted is None:
            pmf = drawing.pmf_of(scores, mask, self._drawing)
        else:
            shares = best_probabilities(means, self._fitted.learner.optimism * widths, mask)
            pmf = drawing.floored(shares, mask, self._drawing.floor)
        return drawing.choices(
            pmf,
            keys,
            greedy=greedy,
            confidence=_confidence(means, widths * noise, greedy=greedy, mask=mask),
        )

    def values(self, states: States) -> NDArray[np.float64]:
        """Return the expected reward of each arm, (n, 6), in the reward's own unit."""
        means, _ = self._judge(states)
        return means if self._fitted is None else self._fitted.reward.back(means)

    def gains(self, states: States) -> Gains:
        """Return what each arm is expected to earn beyond `maintain`, errors taken as unrelated."""
        known = self._fitted
        means, widths = self._judge(states)
        if known is None:
            return Gains(np.zeros_like(means), np.full_like(means, np.inf))
        usual = widths[:, [MAINTAIN]]
        off = np.sqrt(widths**2 + usual**2) * known.noise * known.reward.spread
        off[:, MAINTAIN] = 0.0
        return Gains((means - means[:, [MAINTAIN]]) * known.reward.spread, off)

    def values_of_log(self, log: pd.DataFrame) -> NDArray[np.float64]:
        """Return the expected reward of each arm for the `state_*` columns of a log, (n, 6)."""
        known = self._fitted
        if known is None:
            raise NotEnoughDataError(quantity="decisions with a reward", needed=1, seen=0)
        phi = known.learner.lifted(context.of_log(known.context, log))
        return known.reward.back(known.learner.linear.means(phi))

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
        known, remembered = self._fitted, self._fitted.cases.learned(log)
        log = evidence.with_pauses(log)
        learner = known.learner.copy()
        learner.learn_all(
            context.of_log(known.context, log),
            arms=evidence.arms(log),
            rewards=known.reward.scaled(log["reward"].to_numpy(dtype=np.float64)),
            weights=evidence.weights(log, clip=self.settings.weight_clip),
        )
        noise = learner.linear.noise()
        self._fitted = replace(known, learner=learner, noise=noise, cases=remembered)
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
            scores=lambda vectors: known.learner.linear.means(known.learner.lifted(vectors)),
        )
        return explain.reasons(state, arm, parts)

    def save(self, folder: Path) -> None:
        """Write `policy.json` and `policy.npz`."""
        words: dict[str, Any] = {"kind": NAME, "settings": asdict(self.settings)}
        words["asked"] = None if self._asked is None else list(self._asked)
        arrays: files.Arrays = {}
        if (known := self._fitted) is not None:
            words |= known.context.words_to_save() | known.learner.words()
            words |= {"reward": asdict(known.reward), "noise": known.noise}
            words |= known.cases.words_to_save()
            arrays = known.context.arrays_to_save() | known.learner.arrays()
            arrays |= known.cases.arrays_to_save()
        files.write(folder, "policy", words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        words, arrays = files.read(folder, "policy", kind=NAME)
        policy = cls(features=words["asked"], **words["settings"])
        if arrays:
            fixed = context.loaded(words, arrays)
            policy._fitted = Fitted(
                context=fixed,
                reward=evidence.RewardScale(**words["reward"]),
                learner=policy._learner(fixed).restored(words, arrays),
                noise=words["noise"],
                cases=cases.loaded(words, arrays, fixed),
            )
        return policy

    @property
    def _bonus(self) -> float:
        """How many widths a score is above its mean, or below."""
        if self._fitted is None:
            return self.settings.alpha - self.settings.caution
        bold = self._fitted.learner.optimism if self._is_optimist else 0.0
        return bold - self.settings.caution * self._fitted.noise

    def _learner(self, fixed: context.Context) -> Learner:
        return Learner(
            inputs=fixed.width - 1, arms=len(ARMS), settings=self.settings, is_shared=True
        )

    def _choose_one(
        self, known: Fitted, states: States, allowed: NDArray[np.bool_], key: str
    ) -> Choices:
        """Return what `choose` does, for one state and without the price of many."""
        mask = drawing.one_allowed(allowed)
        phi = known.learner.lifted(known.context.of_states(states))[0]
        found, spread = known.learner.linear.judged(phi)
        means, widths = found.tolist(), spread.tolist()
        bonus = self._bonus
        scores = [mean + bonus * width for mean, width in zip(means, widths, strict=True)]
        greedy = drawing.one_best(scores, mask)
        deviations = [known.noise * width for width in widths]
        return drawing.one_choice(
            drawing.one_pmf(scores, mask, self._drawing),
            key,
            greedy=greedy,
            confidence=_one_confidence(means, deviations, greedy=greedy, mask=mask),
        )

    def _judge(self, states: States) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and width of each arm, in scaled rewards."""
        known = self._fitted
        if known is None:
            return np.zeros((len(states), len(ARMS))), np.ones((len(states), len(ARMS)))
        phi = known.learner.lifted(known.context.of_states(states))
        return known.learner.linear.means(phi), known.learner.linear.widths(phi)

    def _empty(self, log: pd.DataFrame) -> Fitted:
        fixed = context.learned(log, self._asked)
        return Fitted(
            context=fixed,
            reward=evidence.reward_scale(log["reward"].to_numpy(dtype=np.float64)),
            learner=self._learner(fixed),
            noise=1.0,
            cases=cases.empty(fixed),
        )


def _confidence(
    means: NDArray[np.float64],
    deviations: NDArray[np.float64],
    *,
    greedy: NDArray[np.intp],
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return P(greedy beats every other allowed arm) by the union bound, never below chance."""
    rows = zip(means.tolist(), deviations.tolist(), greedy.tolist(), mask.tolist(), strict=True)
    return np.array([_one_confidence(m, d, greedy=g, mask=open_) for m, d, g, open_ in rows])


def _one_confidence(
    means: Sequence[float], deviations: Sequence[float], *, greedy: int, mask: Sequence[bool]
) -> float:
    best, own, losing = means[greedy], deviations[greedy], 0.0
    for arm, is_open in enumerate(mask):
        if is_open and arm != greedy:
            spread = math.sqrt(deviations[arm] ** 2 + own**2)
            losing += 0.5 * math.erfc((best - means[arm]) / max(spread, _NO_SPREAD) / _ROOT_2)
    return max(1.0 - losing, 1.0 / sum(mask))
