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

Reads   spend, conversions and target of states or of a log.
Gives   `Yields`: mean, and the chance of lying below a line.
Never   counts a purchase twice, and never needs to be told about one ad set more than it spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.features.states import States

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: The grid of elasticities: 0 buys as many for each further unit of money, 0.8 next to none.
ELASTICITIES = np.array([0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8])

#: What is read of a state.
FEATURES = (
    *("spend", "conversions", "spend_7d", "conversions_7d", "target_cpa"),
    *("daily_budget", "frequency", "hour_of_day", "spend_today", "budget_utilization"),
)
_HOURS = 24.0
_WEEK, _FRESH_DAYS = 7.0, 3.0
#: How long a remembered window is.
WINDOW_DAYS = 4.0
#: How long ago the middle of each of a state's windows was, in days.
_FRESH_AGE, _OLDER_AGE = 1.0, 5.0
_DAY_S = 86_400.0
_LEAST, _MOST = 1e-9, 1e12
_WIDEST = 50.0
_SHAPES = (0.3, 3.0)
_MEANS = (0.3, 1.5)
_FEWEST_UNITS = 8
#: Looks are not to the minute.
_SLACK_DAYS = 0.5


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
class Seen:
    """What states show, a row each, money in targets; nothing seen is zero exposure.

    `repeats` is how often a person met the ad set in a day; 1 where that is unknown. `pool` is the
    campaign budget that the ad set draws from, which tells its siblings; NaN where it has its own.
    """

    units: tuple[str, ...]
    when: Floats
    fresh_spend: Floats
    fresh_results: Floats
    older_spend: Floats
    older_results: Floats
    fresh_pace: Floats
    pace: Floats
    repeats: Floats
    pool: Floats

    def __len__(self) -> int:
        return len(self.units)


@dataclass(frozen=True, slots=True)
class Memory:
    """Four-day windows of the log: whose, when they ended, what they showed.

    `met` is how often a person met each unit in a day when it was first seen: how crowded its
    audience was before anyone changed its budget.
    """

    units: tuple[str, ...]
    met: Floats
    owner: NDArray[np.intp]
    ended: Floats
    spend: Floats
    results: Floats

    @property
    def of_unit(self) -> dict[str, int]:
        """Return the number of each unit."""
        return {unit: number for number, unit in enumerate(self.units)}


@dataclass(frozen=True, slots=True)
class Yields:
    """Posteriors, one a row: Gamma(`shape`, `rate`) for each elasticity of the grid, weighted.

    `shape` is (n,), `rate` and `weight` are (n, grid); `results` is what was really seen.
    """

    shape: Floats
    rate: Floats
    weight: Floats
    results: Floats

    @property
    def mean(self) -> Floats:
        """The expected yield of each row."""
        return np.asarray((self.weight * self.each).sum(axis=1))

    @property
    def each(self) -> Floats:
        """The expected yield for each elasticity, (n, grid)."""
        return self.shape[:, None] / self.rate

    @property
    def elasticity(self) -> Floats:
        """The expected elasticity of each row."""
        return np.asarray(self.weight @ ELASTICITIES)

    def below(self, line: Floats | float) -> Floats:
        """Return the chance that the yield is below a line, one for all or one an elasticity.

        >>> one = np.ones((1, len(ELASTICITIES)))
        >>> alike = Yields(np.ones(1), one, one / len(ELASTICITIES), np.ones(1))
        >>> round(float(alike.below(1.0)[0]), 3)
        0.632
        """
        from scipy.special import gammainc  # noqa: PLC0415  # heavy

        chance = gammainc(self.shape[:, None], self.rate * np.maximum(line, 0.0))
        return np.asarray((self.weight * chance).sum(axis=1))


def seen_in_states(states: States) -> Seen:
    """Return what states show."""
    units = tuple(f"{one.account}|{one.id}" for one in states.entities)
    at = np.array([moment.timestamp() for moment in states.moments]) / _DAY_S
    return _seen(units, at, states.columns.get)


def seen_in_log(log: pd.DataFrame) -> Seen:
    """Return what the states of a log showed, row by row."""
    count = len(log)
    units = [
        f"{account}|{key}"
        for account, key in zip(
            log.get("ad_account_id", [""] * count),
            log.get("entity_id", [""] * count),
            strict=True,
        )
    ]
    moments = log["as_of"].to_numpy(dtype="datetime64[us]") if "as_of" in log else np.zeros(count)
    at = moments.astype(np.float64) / 1e6 / _DAY_S
    return _seen(tuple(units), at, lambda name: log.get(f"state_{name}"))


def remembered(seen: Seen) -> Memory:
    """Return the four-day windows of a log that don't overlap, the newest of each unit first kept.

    A row's window covers the fourth to the seventh day before it, which hardly anything restates.
    """
    names = tuple(sorted(set(seen.units)))
    number = {unit: at for at, unit in enumerate(names)}
    owner = np.array([number[unit] for unit in seen.units], dtype=np.intp)
    met = np.ones(len(names))
    kept, last = [], np.full(len(names), np.inf)
    for row in np.argsort(-seen.when, kind="stable"):
        if seen.older_spend[row] > 0 and seen.when[row] <= last[owner[row]] - WINDOW_DAYS:
            kept.append(int(row))
            last[owner[row]] = seen.when[row]
        met[owner[row]] = seen.repeats[row]  # newest first, so the oldest is what stays
    rows = np.array(kept[::-1], dtype=np.intp)
    return Memory(
        units=names,
        met=met,
        owner=owner[rows],
        ended=seen.when[rows] - _FRESH_DAYS,
        spend=seen.older_spend[rows],
        results=seen.older_results[rows],
    )


def yields(
    seen: Seen, memory: Memory | None, *, kind: Kind, belief: Belief, usual: Floats
) -> Yields:
    """Return what each row's money buys at the pace it spends now; `usual` elasticities by row."""
    level = _Sums.of(len(seen), kind, half_life=belief.half_life, spell=belief.spell)
    curve = _Sums.of(len(seen), kind, half_life=belief.curve_half_life, spell=belief.spell)
    every = np.arange(len(seen))
    windows = [
        (seen.fresh_spend * belief.reported, seen.fresh_results, seen.fresh_pace, _FRESH_AGE),
        (seen.older_spend, seen.older_results, seen.older_spend / WINDOW_DAYS, _OLDER_AGE),
    ]
    results = seen.fresh_results + seen.older_results
    parts = [
        (every, spend, bought, _slower(pace, seen.pace), np.full(len(seen), age))
        for spend, bought, pace, age in windows
    ]
    if memory is not None:
        rows, at = _recalled(seen, memory)
        pace, age = memory.spend[at] / WINDOW_DAYS, seen.when[rows] - memory.ended[at]
        slower = _slower(pace, seen.pace[rows])
        parts.append((rows, memory.spend[at], memory.results[at], slower, age + WINDOW_DAYS / 2))
        np.add.at(results, rows, memory.results[at])
    for part in parts:
        level.add(*part)
        curve.add(*part)
    fit = curve.fit - ((ELASTICITIES - usual[:, None]) ** 2) / (2 * belief.spread**2)
    fit -= curve.shape[:, None] * np.log(curve.rate)
    weight = np.exp(fit - fit.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return Yields(level.shape, level.rate, weight, results)


@dataclass(slots=True)
class _Sums:
    """What windows add up to: Gamma shape (n,), rate and log likelihood (n, grid)."""

    shape: Floats
    rate: Floats
    fit: Floats
    half_life: float
    spell: float

    @classmethod
    def of(cls, rows: int, kind: Kind, *, half_life: float, spell: float) -> _Sums:
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


def _slower(pace: Floats, now: Floats) -> Floats:
    """Return how the log of a window's yield differs from today's, for each elasticity."""
    ratio = np.maximum(pace, _LEAST) / np.maximum(now, _LEAST)
    return np.asarray(np.log(np.clip(ratio, 1 / _WIDEST, _WIDEST))[:, None] * -ELASTICITIES)


def _recalled(seen: Seen, memory: Memory) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (row, window) for each remembered window that a row's own week doesn't hold."""
    number = memory.of_unit
    owner = np.array([number.get(unit, -1) for unit in seen.units], dtype=np.intp)
    is_past = memory.ended[None, :] <= seen.when[:, None] - _WEEK + _SLACK_DAYS
    rows, at = np.nonzero((memory.owner[None, :] == owner[:, None]) & is_past)
    return rows, at


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


def _seen(units: Sequence[str], when: Floats, column: Callable[[str], Any]) -> Seen:
    columns: Mapping[str, Floats] = {name: _numbers(column(name), len(units)) for name in FEATURES}
    target = columns["target_cpa"]
    priced = np.isfinite(target) & (target > _LEAST)
    target = np.where(priced, target, 1.0)
    spend, week = columns["spend"] / target, columns["spend_7d"] / target
    results, weekly = columns["conversions"], columns["conversions_7d"]
    is_fresh = priced & np.isfinite(spend) & np.isfinite(results)
    is_older = is_fresh & np.isfinite(week) & np.isfinite(weekly)
    hour = np.where(np.isfinite(columns["hour_of_day"]), columns["hour_of_day"], _HOURS / 2)
    days = _FRESH_DAYS - 1 + np.clip(hour / _HOURS, 0.0, 1.0)
    fresh_pace = np.where(is_fresh, spend, 0.0) / days
    budget = columns["daily_budget"] / target
    has_budget = priced & np.isfinite(budget)
    often = columns["frequency"] / days
    with np.errstate(divide="ignore", invalid="ignore"):
        above = columns["spend_today"] / columns["budget_utilization"]
    is_pooled = ~has_budget & np.isfinite(above) & (above > 0)
    return Seen(
        units=tuple(units),
        when=when,
        fresh_spend=np.where(is_fresh, spend, 0.0),
        fresh_results=np.where(is_fresh, results, 0.0),
        older_spend=np.maximum(np.where(is_older, week - spend, 0.0), 0.0),
        older_results=np.maximum(np.where(is_older, weekly - results, 0.0), 0.0),
        fresh_pace=fresh_pace,
        pace=np.where(has_budget, budget, fresh_pace),
        repeats=np.where(np.isfinite(often), np.maximum(often, 1.0), 1.0),
        pool=np.where(is_pooled, above, np.nan),
    )


def _numbers(values: Any, count: int) -> Floats:
    """Return amounts and counts; what is missing, negative or no number is unknown."""
    if values is None:
        return np.full(count, np.nan)
    found = np.asarray(values)
    if found.dtype == object:
        found = np.array([np.nan if v is None or isinstance(v, str) else v for v in found])
    numbers = np.asarray(found, dtype=np.float64)
    return np.where(numbers >= 0, np.minimum(numbers, _MOST), np.nan)
