"""Autonomy: above which sureness a person would hardly ever have said anything else.

    H(t): P(disagrees | sure > t) > risk,     p(t) = P(Bin(n(t), risk) <= k(t))

n(t) decisions were surer than t, with k(t) of them the person did not agree. H(t) falls where p(t)
is at most a level common to all thresholds, so chosen that chance alone would let none of them fall
with probability 1 - delta (`crossing`). What is left, looser than the loosest that fell, is asked
again at the higher level that these fewer thresholds leave room for, until nothing falls any more
(step-down: Romano & Wolf, 2005, J. Am. Stat. Assoc. 100). The loosest that fell is the answer:

    P(risk above the answer > what was promised) <= delta

Where being surer never means being disagreed with more this is exact, whatever the person and the
model: what is stricter than a threshold that keeps the promise keeps it too. Where it does, the
first round is exact all the same, and no simulated person broke later ones more often than said.
The plain walk from strict to loose (learn-then-test, `fixed_sequence`: Angelopoulos et al., arXiv
2110.01052) ends at one early mishap, or begins late and proves nothing to those who are sure of
little. "Surer than", not "as sure as": the decision at the threshold itself is not counted, which
keeps the binomial exact when thresholds are taken from the very scores they cut.

Reads   how sure one was of each decision before the person said anything, and whether they agreed.
Gives   `Autonomy`: the threshold, what is promised above it, the steps to it; `contradiction`, the
        evidence that a promise does not hold (any more).
Never   promises anything of decisions unlike those it saw: that is why some are still asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError
from intel_ml.learning.evaluation.crossing import Counts, Floats, crossing, p_values

#: Verdicts that are waited for before anything is looked at.
FIRST_LOOK = 100
_WORST = 0.5
_MOST = 600.0


@dataclass(frozen=True, slots=True)
class Promise:
    """At most `risk` disagreement among what runs by itself, false with probability `delta`."""

    risk: float = 0.05
    delta: float = 0.10

    def __post_init__(self) -> None:
        if not (0 < self.risk < 1 and 0 < self.delta < 1):
            raise InvalidValueError(path="promise", problem="risk and delta are between 0 and 1")

    @property
    def least(self) -> int:
        """The fewest decisions that can prove it: all of them agreed with.

        >>> Promise().least
        45
        """
        return int(np.ceil(np.log(self.delta) / np.log1p(-self.risk)))


@dataclass(frozen=True, slots=True)
class Step:
    """One threshold, from strict to loose; none with too few above it to prove anything."""

    threshold: float
    n: int
    disagreed: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Autonomy:
    """What may run by itself: decisions surer than `threshold`; None where nothing may."""

    promise: Promise
    n: int
    threshold: float | None
    automatic: int
    disagreed: int
    p_value: float | None
    steps: tuple[Step, ...]

    @property
    def has_passed(self) -> bool:
        """Whether anything may run by itself."""
        return self.threshold is not None

    @property
    def coverage(self) -> float:
        """The share of the decisions seen that would have run by itself."""
        return self.automatic / self.n if self.n else 0.0

    @property
    def text(self) -> str:
        """The answer as a sentence."""
        risk = f"{self.promise.risk:.0%}"
        if self.threshold is None:
            return (
                f"Nothing yet: {self.n} judged decisions do not prove at most {risk} disagreement "
                f"(it takes {self.promise.least} without one, more with)."
            )
        return (
            f"{self.coverage:.0%} could run by itself, those surer than {self.threshold:.2f}: "
            f"{self.disagreed} of {self.automatic} disagreed with; at most {risk} is promised, "
            f"wrong at most {self.promise.delta:.0%} of the time."
        )

    def as_json(self) -> dict[str, Any]:
        """Return what is kept as evidence."""
        return {
            "n": self.n,
            "risk": self.promise.risk,
            "delta": self.promise.delta,
            "threshold": self.threshold,
            "coverage": round(self.coverage, 4),
            "automatic": self.automatic,
            "disagreed": self.disagreed,
            "p_value": self.p_value,
        }


def earned(
    sure: NDArray[np.float64],
    agreed: NDArray[np.bool_],
    *,
    promise: Promise | None = None,
    floor: float = 0.0,
) -> Autonomy:
    """Return what may run by itself; no threshold under `floor` is looked at.

    `sure` are probabilities from before the person was asked, one a judged decision.

    >>> earned(np.linspace(0.5, 1, 200), np.ones(200, dtype=bool)).coverage
    1.0
    """
    promise = promise or Promise()
    n, k, values = _counted(sure, agreed, floor)
    p = p_values(n, k, risk=promise.risk)
    best = -1
    while True:
        level = _level(n[best + 1 :], p[best + 1 :], promise)
        if level is None:
            return _answer(promise, (n, k, values, p), best, total=len(sure))
        best += 1 + int(np.flatnonzero(p[best + 1 :] <= level)[-1])


def earned_so_far(
    sure: NDArray[np.float64],
    agreed: NDArray[np.bool_],
    *,
    promise: Promise | None = None,
    floor: float = 0.0,
) -> Autonomy:
    """Return the same for verdicts that keep coming in, oldest first, however often one asks.

    Looked at when there are 100, 200, 400, ...: the j-th look spends delta / (j (j + 1)), which
    adds up to delta. In between the answer stays what it was at the last look.

    >>> earned_so_far(np.ones(99), np.ones(99, dtype=bool)).has_passed
    False
    >>> earned_so_far(np.ones(250), np.ones(250, dtype=bool)).n
    200
    """
    promise = promise or Promise()
    looks = int(np.log2(len(sure) / FIRST_LOOK)) + 1 if len(sure) >= FIRST_LOOK else 0
    if looks == 0:
        return Autonomy(promise, len(sure), None, 0, 0, None, ())
    count = FIRST_LOOK * 2 ** (looks - 1)
    spent = replace(promise, delta=promise.delta / (looks * (looks + 1)))
    found = earned(sure[:count], agreed[:count], promise=spent, floor=floor)
    return replace(found, promise=promise)


def fixed_sequence(
    sure: NDArray[np.float64], agreed: NDArray[np.bool_], *, promise: Promise | None = None
) -> Autonomy:
    """Return plain learn-then-test's answer: all of delta where a proof first is possible.

    The yardstick, begun as late as it may without giving a proof away.
    """
    promise = promise or Promise()
    n, k, values = _counted(sure, agreed, 0.0)
    p = p_values(n, k, risk=promise.risk)
    start = min(int(np.searchsorted(n, promise.least)), len(n) - 1)
    lost = np.flatnonzero(p[start:] > promise.delta)
    best = (start + int(lost[0]) if len(lost) else len(n)) - 1
    return _answer(promise, (n, k, values, p), best if best >= start else -1, total=len(sure))


def contradiction(*, asked: int, disagreed: int, promise: Promise | None = None) -> float:
    """Return the e-value against a promise, from decisions that were asked about all the same.

        E = mean over q in (risk, 1/2) of (q / risk)^k ((1 - q) / (1 - risk))^(n - k)

    Where the promise holds it exceeds 1 / delta with probability delta at most, ever, however often
    one looks (Ville): two disagreements at once do it, and so do many among many.

    >>> [round(contradiction(asked=n, disagreed=k), 1) for n, k in ((0, 0), (20, 0), (2, 2))]
    [1.0, 0.1, 37.0]
    """
    from scipy.special import betainc, betaln  # noqa: PLC0415  # needed here only

    promise = promise or Promise()
    a, b = disagreed + 1, asked - disagreed + 1
    most = _WORST if promise.risk < _WORST else (1 + promise.risk) / 2
    mass = betainc(a, b, most) - betainc(a, b, promise.risk)
    at_risk = disagreed * np.log(promise.risk) + (asked - disagreed) * np.log1p(-promise.risk)
    log = betaln(a, b) + np.log(max(mass, 1e-300)) - np.log(most - promise.risk) - at_risk
    return float(np.exp(min(log, _MOST)))


def _counted(
    sure: NDArray[np.float64], agreed: NDArray[np.bool_], floor: float
) -> tuple[Counts, Counts, Floats]:
    """Return, from strict to loose, how many are surer than each value, and how many disagreed."""
    sure, agreed = np.asarray(sure, dtype=np.float64), np.asarray(agreed, dtype=np.bool_)
    if sure.shape != agreed.shape or sure.ndim != 1:
        raise InvalidValueError(path="agreed", problem="is not as long as `sure`")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise InvalidValueError(path="sure", problem="holds what is no probability")
    order = np.argsort(-sure, kind="stable")
    values = np.unique(np.append(sure[sure >= floor], floor))[::-1]
    n = np.searchsorted(-sure[order], -values, side="left")
    wrong = np.concatenate([[0], (~agreed[order]).cumsum()])
    return n.astype(np.intp), wrong[n].astype(np.intp), values


def _level(n: Counts, p: Floats, promise: Promise) -> float | None:
    """Return the highest p-value here that chance stays below with probability 1 - delta."""
    candidates = np.unique(p[p <= promise.delta])
    low, high = -1, len(candidates) - 1
    while low < high:
        middle = (low + high + 1) // 2
        by_chance = crossing(n, level=float(candidates[middle]), risk=promise.risk)
        low, high = (middle, high) if by_chance <= promise.delta else (low, middle - 1)
    return None if low < 0 else float(candidates[low])


def _answer(
    promise: Promise, counted: tuple[Counts, Counts, Floats, Floats], best: int, *, total: int
) -> Autonomy:
    n, k, values, p = counted
    least = promise.least
    steps = tuple(
        Step(float(t), int(above), int(wrong), float(chance))
        for above, wrong, t, chance in zip(n, k, values, p, strict=True)
        if above >= least
    )
    return Autonomy(
        promise=promise,
        n=total,
        threshold=None if best < 0 else float(values[best]),
        automatic=0 if best < 0 else int(n[best]),
        disagreed=0 if best < 0 else int(k[best]),
        p_value=None if best < 0 else float(p[best]),
        steps=steps,
    )
