"""Whether a candidate is better than the champion, at any number of looks.

    D_i = sum_a (pi - mu)(a | x_i) q_i(a) + (w_i - v_i)(r_i - q_i(a_i)),   r in [0, 1]
    E_t = c + (1 - c) mean over bets of prod_{i <= t} (1 + lambda_i D_i)

pi and mu are the candidate's and the champion's pmf, w and v their weights. E[D_i] is the
difference in value whatever q says, as long as q_i comes from earlier decisions: q only takes noise
away. Where the champion is worth at least as much, E is a supermartingale, so P(E ever >= 1/alpha)
<= alpha (Ville), however often one looks.

*No bound on weights.* With q = 0 for what the candidate likes more and 1 for what it likes less, D
is at least -1 (the plain form, w r - 1 + v (1 - r), is of that kind). D is linear in q, so a bet
mixes its model with that one as far as lambda D >= -`_AT_RISK` needs it.

*Over time.* What a product of bets of one size needs is a sum of differences above 0 (1 + x <=
e^x): contexts may drift and rewards may be alike from day to day, and a candidate that has its good
days is not better before it is so on the whole.

*Bets.* lambda = sqrt(2 ln(1/alpha) / (n s^2)), the best one for being decided by n decisions, s^2
the variance expected from earlier decisions; `HORIZONS` holds each n. A part c of the money is
never bet. Nothing of a bet depends on the decision it is made on: null is the value on average, not
in each context.

Karampatziakis, Mineiro & Ramdas (2021), ICML; Waudby-Smith & Ramdas (2024), JRSS B 86; Waudby-Smith
et al., arXiv 2210.10768. Rewards in another range are brought to [0, 1] by bounds fixed beforehand.

Reads   decisions in one order that doesn't depend on their rewards: as made, or as outcomes came.
Gives   `EProcess`: the e-value, its path, when it crossed; `Duel`: that it is better, or worse.
Never   concludes from a bound that is looked at again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation.logged import LoggedDecisions
from intel_ml.learning.evaluation.restarts import MOST, restarted

ALPHA = 0.05
MAX_WEIGHT = 50.0
#: By how many decisions each bet wants to know.
HORIZONS = (400, 3000)
#: What is never bet, as a share of the money.
CASH = 0.2
#: What one decision may cost a bet at most, as a share of its money.
_AT_RISK = 0.75
#: How much more than usual a step may fall before the model is mixed with the bounded one.
_ROOM = 1.25
_WARM_UP = 10
_LITTLE = 1e-9
#: The largest variance of a reward in [0, 1], and how many decisions it counts for.
_VARIANCE, _PRIOR = 0.25, 20.0
#: For how many decisions it counts that weights are 1 on average.
_LEVEL_PRIOR = 400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What rewards are clipped to; fixed before looking.

    By default twice the money that was in play, either way (`learning.rewards.earned`). Whether
    what lies beyond could turn a conclusion is asked by `tails`.
    """

    low: float = -2.0
    high: float = 2.0

    def unit(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rewards in [0, 1]."""
        return np.asarray(np.clip((rewards - self.low) / (self.high - self.low), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class EProcess:
    """Evidence that the candidate is better: 20 is as rare as one in twenty where it isn't."""

    e_value: float
    crossed_at: int | None
    path: NDArray[np.float64]
    alpha: float

    @property
    def has_crossed(self) -> bool:
        """Whether the evidence was ever enough."""
        return self.crossed_at is not None

    @property
    def peak(self) -> float:
        """The most evidence there ever was, which is what may be held against 1 / alpha."""
        return float(self.path.max()) if len(self.path) else 1.0


@dataclass(frozen=True, slots=True)
class Foresight:
    """What could be said of each decision before it was made, both (n, arms).

    `chances`: how likely each arm was to be executed. `predicted`: its reward in [0, 1], by a model
    that saw earlier decisions only.
    """

    chances: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Duel:
    """Evidence that a candidate is better than the champion, and that it is worse.

    The second one, of a champion against its alternative, is what demotes it; its bets begin anew
    (`restarts`), for what was better once may have become worse since.
    """

    better: EProcess
    worse: EProcess


def duel(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    foresight: Foresight | None = None,
    bounds: Bounds | None = None,
    alpha: float = ALPHA,
) -> Duel:
    """Return the evidence either way; `champion` None means: what was done.

    Both hold the same decisions in the same order. Without foresight the plain differences are bet
    on.
    """
    rewards = (bounds or Bounds()).unit(candidate.rewards)
    held = np.ones(len(candidate)) if champion is None else champion.weights
    if len(held) != len(candidate):
        raise InvalidValueError(path="champion", problem="holds other decisions")
    if foresight is None:
        mine, held = _levelled(candidate.weights), _levelled(held)
        return Duel(
            _since_first(_plain(differences(mine, held, rewards), alpha), alpha),
            _since_any(_plain(differences(held, mine, rewards), alpha), alpha),
        )
    rows = np.arange(len(candidate))
    known = foresight.chances.copy()
    known[rows, candidate.actions] = candidate.pmf_logged
    gap = candidate.pmf_new - (known if champion is None else champion.pmf_new)
    told = np.clip(foresight.predicted, 0.0, 1.0)
    noise = _past_mean((rewards - told[rows, candidate.actions]) ** 2, _VARIANCE, _PRIOR)
    better, worse = (
        _robust(
            _Steps.of(side, known, told, actions=candidate.actions, rewards=rewards),
            noise=noise,
            alpha=alpha,
        )
        for side in (gap, -gap)
    )
    return Duel(_since_first(better, alpha), _since_any(worse, alpha))


def evidence(
    candidate: LoggedDecisions,
    champion: LoggedDecisions | None,
    *,
    bounds: Bounds | None = None,
    alpha: float = ALPHA,
) -> EProcess:
    """Return the evidence that `candidate` is better, from weights and rewards alone.

    Both hold the same decisions in the same order.
    """
    return duel(candidate, champion, bounds=bounds, alpha=alpha).better


def differences(
    weights: NDArray[np.float64], held: NDArray[np.float64], rewards: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return w r - 1 + v (1 - r), at least -1, with a mean of at most the difference in value.

    Clipping weights can only lower it.
    """
    light, held_light = np.minimum(weights, MAX_WEIGHT), np.minimum(held, MAX_WEIGHT)
    return np.asarray(light * rewards - 1.0 + held_light * (1.0 - rewards))


def _levelled(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights taken down by as much as earlier ones were too heavy; never up.

    Their mean is 1 where the logged probabilities are right. Where those are a tenth too small a
    plain difference is not 0 for equals, and decisions enough would prove anything.
    """
    return np.asarray(weights / np.maximum(_past_mean(weights, 1.0, _LEVEL_PRIOR), 1.0))


def process(steps: NDArray[np.float64], *, alpha: float = ALPHA) -> EProcess:
    """Return the wealth of bets on steps that are at least -1.

    >>> process(np.zeros(10)).e_value
    1.0
    """
    return _since_first(_plain(steps, alpha), alpha)


def _plain(steps: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Return the log-wealth of each bet on steps that are at least -1."""
    steps = np.maximum(steps, -1.0)
    spread = _past_mean(steps**2, 1.0, _PRIOR)
    bets = _bets(spread, alpha, most=np.full(len(steps), _AT_RISK))
    return np.asarray(np.log1p(bets * steps).cumsum(axis=1))


@dataclass(frozen=True, slots=True)
class _Steps:
    """D with the model and with the bounded q, and how far each can fall; all (n,)."""

    model: NDArray[np.float64]
    model_worst: NDArray[np.float64]
    safe: NDArray[np.float64]
    safe_worst: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        gap: NDArray[np.float64],
        chances: NDArray[np.float64],
        predicted: NDArray[np.float64],
        *,
        actions: NDArray[np.intp],
        rewards: NDArray[np.float64],
    ) -> _Steps:
        tried, rows = chances > 0, np.arange(len(gap))
        ratio = np.divide(gap, chances, out=np.zeros_like(gap), where=tried)
        liked_less = (gap < 0).astype(np.float64)
        # Of an arm without a chance nothing can be seen: there only the worst may be assumed.
        told = np.where(tried, predicted, liked_less)
        base, safe_base = (gap * told).sum(axis=1), (gap * liked_less).sum(axis=1)
        deepest = np.where(ratio > 0, -ratio * told, ratio * (1.0 - told)).min(axis=1)
        mine = ratio[rows, actions]
        return cls(
            model=base + mine * (rewards - told[rows, actions]),
            model_worst=-(base + deepest),
            safe=safe_base + mine * (rewards - liked_less[rows, actions]),
            safe_worst=-safe_base,
            spread=(gap * ratio).sum(axis=1),
        )


def _robust(steps: _Steps, *, noise: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Return the log-wealth of each bet on doubly robust differences."""
    usual = _past_mean(np.maximum(steps.model_worst, 1.0), 1.0, 0.0)
    spread = noise * _past_mean(steps.spread, 1.0, 0.0)
    bets = _bets(spread, alpha, most=_AT_RISK / np.maximum(_ROOM * usual, 1.0))
    room = _AT_RISK / np.maximum(bets, _LITTLE)
    over = np.maximum(steps.model_worst - steps.safe_worst, _LITTLE)
    kept = np.clip((room - steps.safe_worst) / over, 0.0, 1.0)
    mixed = kept * steps.model + (1.0 - kept) * steps.safe
    return np.asarray(np.log1p(bets * mixed).cumsum(axis=1))


def _bets(
    spread: NDArray[np.float64], alpha: float, *, most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return lambda of each horizon and decision, (horizons, n); nothing before the warm-up."""
    horizons = np.array(HORIZONS, dtype=np.float64)[:, None]
    best = np.sqrt(2.0 * math.log(1.0 / alpha) / (horizons * np.maximum(spread, _LITTLE)))
    bets = np.minimum(best, most)
    bets[:, :_WARM_UP] = 0.0
    return np.asarray(bets)


def _past_mean(values: NDArray[np.float64], prior: float, count: float) -> NDArray[np.float64]:
    """Return the mean of what came before each value, with a prior worth `count` values."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    seen = np.arange(len(values)) + count
    return np.asarray(
        np.divide(before + prior * count, seen, out=np.full(len(values), prior), where=seen > 0)
    )


def _since_first(logs: NDArray[np.float64], alpha: float) -> EProcess:
    """Return the mean wealth of some bets."""
    top = logs.max(axis=0)
    mean = np.log(np.exp(logs - top).mean(axis=0))
    return _process(np.exp(np.minimum(top + mean, MOST)), alpha)


def _since_any(logs: NDArray[np.float64], alpha: float) -> EProcess:
    """Return the mean wealth of some bets and of those that began later."""
    return _process(restarted(logs), alpha)


def _process(grown: NDArray[np.float64], alpha: float) -> EProcess:
    """Return what was bet beside what never is."""
    path = CASH + (1.0 - CASH) * grown
    over = np.flatnonzero(path >= 1.0 / alpha)
    return EProcess(
        e_value=float(path[-1]) if len(path) else 1.0,
        crossed_at=int(over[0]) + 1 if len(over) else None,
        path=path,
        alpha=alpha,
    )
