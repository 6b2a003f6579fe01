"""What money buys: results per target's worth of spend of each ad set, and how fast it buys less.

    n_w ~ Poisson(yield * e_w),         e_w = spend_w / target * (pace_w / pace_now) ** -elasticity
    yield | elasticity ~ Gamma(a, b),   a = a0 + sum k_w n_w,   b = a0 / m0 + sum k_w e_w
    P(elasticity) ~ exp(-(elasticity - usual)^2 / 2 spread^2) * prod e_w ** (k_w n_w) * b ** -a
    k_w = 2 ** (-age_w / half_life) / (1 + spell * n_w)

A yield of 1 is a result per target: cost per result on target; 2 is half the target. Windows don't
overlap: the last three days, the four before, and four-day windows remembered from the log. Older
ones count less, for things drift; many results in one window count less than as many in several,
for a spell lifts them all (a negative binomial's variance). Spending more buys dearer results: how
much dearer, an ad set's own past at other paces tells, where it has one, and what is usual where it
hasn't; a curve stands longer than a level, so for it the past is forgotten more slowly. Sums are
over a grid of elasticities, so nothing is approximated but the grid. The prior
(a0, m0) is what ad sets of the log are like: who has shown nothing yet is taken for one of them
(empirical Bayes; Robbins, 1956).

Reads   `Seen` and `Memory`.
Gives   `Yields`: mean, and the chance of lying below a line; `Kind`, what ad sets are like.
Never   needs to be told about one ad set more than it spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.policy.windows import WINDOW_DAYS, Memory, Seen, recalled

Floats = NDArray[np.float64]

#: The grid of elasticities: 0 buys as many for each further unit of money, 0.8 next to none.
ELASTICITIES = np.array([0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8])

#: How long ago the middle of each of a state's windows was, in days.
_FRESH_AGE, _OLDER_AGE = 1.0, 5.0
_LEAST = 1e-9
_WIDEST = 50.0
_SHAPES = (0.3, 3.0)
_MEANS = (0.3, 1.5)
_FEWEST_UNITS = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """What ad sets of a log are like: the prior's shape and mean."""

    shape: float = 0.7
    mean: float = 0.8


@dataclass(frozen=True, slots=True)
class Belief:
    """How evidence counts: days until it counts half, a spell's variance, what is reported yet.

    The curve stands longer than the level: `curve_half_life`. `spread` is how far an ad set's
    elasticity lies from what is usual.
    """

    half_life: float
    curve_half_life: float
    spell: float
    reported: float
    spread: float


@dataclass(frozen=True, slots=True)
class Yields:
    """Posteriors, one a row: Gamma(`shape`, `rate`) for each elasticity of the grid, weighted.

    `shape` is (n,), `rate` and `weight` are (n, grid); `results` and `exposure` (targets spent) are
    what was really seen.
    """

    shape: Floats
    rate: Floats
    weight: Floats
    results: Floats
    exposure: Floats

    @property
    def mean(self) -> Floats:
        """The expected yield of each row."""
        return np.asarray((self.weight * self.each).sum(axis=1))

    @property
    def each(self) -> Floats:
        """The expected yield for each elasticity, (n, grid)."""
        return self.shape[:, None] / self.rate

    @property
    def deviation(self) -> Floats:
        """How far the yield of each row may be from its mean, one standard deviation."""
        second = (self.weight * (self.each**2 + self.shape[:, None] / self.rate**2)).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(second - self.mean**2, 0.0)))

    @property
    def elasticity(self) -> Floats:
        """The expected elasticity of each row."""
        return np.asarray(self.weight @ ELASTICITIES)

    def below(self, line: Floats | float) -> Floats:
        """Return the chance that the yield is below a line, one for all or one an elasticity.

        >>> one = np.ones((1, len(ELASTICITIES)))
        >>> alike = Yields(np.ones(1), one, one / len(ELASTICITIES), np.ones(1), np.ones(1))
        >>> round(float(alike.below(1.0)[0]), 3)
        0.632
        """
        from scipy.special import gammainc  # noqa: PLC0415  # heavy

        chance = gammainc(self.shape[:, None], self.rate * np.maximum(line, 0.0))
        return np.asarray((self.weight * chance).sum(axis=1))


def yields(
    seen: Seen, memory: Memory | None, *, kind: Kind, belief: Belief, usual: Floats
) -> Yields:
    """Return what each row's money buys at the pace it spends now; `usual` elasticities by row."""
    level = Sums.of(len(seen), kind, half_life=belief.half_life, spell=belief.spell)
    curve = Sums.of(len(seen), kind, half_life=belief.curve_half_life, spell=belief.spell)
    every = np.arange(len(seen))
    windows = [
        (seen.fresh_spend * belief.reported, seen.fresh_results, seen.fresh_pace, _FRESH_AGE),
        (seen.older_spend, seen.older_results, seen.older_spend / WINDOW_DAYS, _OLDER_AGE),
    ]
    results = seen.fresh_results + seen.older_results
    exposure = seen.fresh_spend + seen.older_spend
    parts = [
        (every, spend, bought, slower_at(pace, now=seen.pace), np.full(len(seen), age))
        for spend, bought, pace, age in windows
    ]
    if memory is not None:
        rows, at = recalled(seen, memory)
        pace, age = memory.spend[at] / WINDOW_DAYS, seen.when[rows] - memory.ended[at]
        slower = slower_at(pace, now=seen.pace[rows])
        parts.append((rows, memory.spend[at], memory.results[at], slower, age + WINDOW_DAYS / 2))
        np.add.at(results, rows, memory.results[at])
        np.add.at(exposure, rows, memory.spend[at])
    for part in parts:
        level.add(*part)
        curve.add(*part)
    fit = curve.likelihood - ((ELASTICITIES - usual[:, None]) ** 2) / (2 * belief.spread**2)
    weight = np.exp(fit - fit.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return Yields(level.shape, level.rate, weight, results, exposure)


@dataclass(slots=True)
class Sums:
    """What windows add up to: Gamma shape (n,), rate and fit (n, grid)."""

    shape: Floats
    rate: Floats
    fit: Floats
    half_life: float
    spell: float

    @property
    def likelihood(self) -> Floats:
        """The log likelihood of each elasticity, up to a constant a row, yields integrated out."""
        return np.asarray(self.fit - self.shape[:, None] * np.log(self.rate))

    @classmethod
    def of(cls, rows: int, kind: Kind, *, half_life: float, spell: float) -> Sums:
        """Return the prior."""
        grid = (rows, len(ELASTICITIES))
        prior = np.full(grid, kind.shape / kind.mean)
        return cls(np.full(rows, kind.shape), prior, np.zeros(grid), half_life, spell)

    def add(
        self, rows: NDArray[np.intp], spend: Floats, bought: Floats, slower: Floats, age: Floats
    ) -> None:
        """Add windows, each to its row; a row may have many."""
        counts = 0.5 ** (age / self.half_life) / (1 + self.spell * bought)
        np.add.at(self.shape, rows, counts * bought)
        np.add.at(self.rate, rows, (counts * spend)[:, None] * np.exp(slower))
        np.add.at(self.fit, rows, (counts * bought)[:, None] * slower)


def slower_at(pace: Floats, *, now: Floats) -> Floats:
    """Return how the log of a window's yield differs from today's, for each elasticity."""
    ratio = np.maximum(pace, _LEAST) / np.maximum(now, _LEAST)
    return np.asarray(np.log(np.clip(ratio, 1 / _WIDEST, _WIDEST))[:, None] * -ELASTICITIES)


def kind_of(memory: Memory) -> Kind:
    """Return the prior that a log's ad sets suggest: Gamma by moments, within reason."""
    spend = np.bincount(memory.owner, weights=memory.spend, minlength=len(memory.units))
    results = np.bincount(memory.owner, weights=memory.results, minlength=len(memory.units))
    known = spend > 0
    if known.sum() < _FEWEST_UNITS:
        return Kind()
    each = results[known] / spend[known]
    mean = float(results[known].sum() / spend[known].sum())
    # What counting alone would scatter is not a difference between ad sets.
    between = float(each.var(ddof=1)) - float((mean / spend[known]).mean())
    shape = mean**2 / between if between > 0 else _SHAPES[1]
    return Kind(shape=float(np.clip(shape, *_SHAPES)), mean=float(np.clip(mean, *_MEANS)))
