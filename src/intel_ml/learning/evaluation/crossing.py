"""Crossing: how often chance alone would prove at least one of many nested promises.

    S_n ~ Bin(n, risk), one walk for all n;      C(level) = P(some n has P(Bin <= S_n) <= level)

Looked at from strict to loose, the same disagreements are counted again and again: the p-values of
neighbouring thresholds are nearly one number, and adding up their error probabilities wastes most
of them. The walk says exactly how often any of them errs when each decision is disagreed with at
the promised rate.

No other person is worse. Take thresholds above which the true disagreement is at least `risk`.
Given how many decisions lie above the loosest of them, and how many of those were disagreed with,
the disagreed and the agreed ones fall above the stricter ones independently: a disagreed one at
least as often as in the walk, an agreed one at most as often (what the loosest one has beyond
`risk` is taken from its loosest end first: fewer disagreements only prove more). More
disagreements among fewer decisions, everywhere at once: less is proven than by the walk.

Reads   how many decisions lie above each threshold looked at, and the promised disagreement.
Gives   `crossing`: the probability; `p_values`: of each threshold by itself.
Never   looks at what was disagreed with to say how often that happens.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.intp]
Floats = NDArray[np.float64]


def p_values(n: Counts, disagreed: Counts, *, risk: float) -> Floats:
    """Return P(Bin(n, risk) <= disagreed); 1 where nothing was seen.

    >>> p_values(np.array([0, 45]), np.array([0, 0]), risk=0.05).round(3).tolist()
    [1.0, 0.099]
    """
    from scipy.special import bdtr  # noqa: PLC0415  # needed here only; the binomial's cdf

    return np.where(n > 0, bdtr(np.minimum(disagreed, n), np.maximum(n, 1), risk), 1.0)


def crossing(n: Counts, *, level: float, risk: float) -> float:
    """Return how often the p-value of at least one n (ascending) is at most `level` by chance.

    The walk only rises: among all n that allow as many disagreements, the first is the easiest to
    prove. So only those are visited, and the answer is exact.

    >>> round(crossing(np.array([45]), level=0.1, risk=0.05) - 0.95**45, 9)
    0.0
    """
    if not len(n):
        return 0.0
    places = np.searchsorted(n, _needed(int(n[-1]), level, risk))
    # Where several more are allowed at once, the last of them is what is allowed.
    visits = {int(place): most for most, place in enumerate(places) if place < len(n)}
    size = len(places) + 1
    walk, at, crossed = np.eye(1, size)[0], 0, 0.0
    for place, most in visits.items():
        walk = np.convolve(walk, _chances(int(n[place]) - at, size, risk))[:size]
        at = int(n[place])
        crossed += float(walk[: most + 1].sum())
        walk[: most + 1] = 0.0
    return crossed


def _needed(upto: int, level: float, risk: float) -> Counts:
    """Return the fewest decisions that prove it despite 0, 1, 2, ... disagreements: by halving."""
    low, high = -1, upto
    while high - low > 1:
        middle = np.array([(low + high) // 2])
        is_proof = p_values(np.array([upto]), middle, risk=risk)[0] <= level
        low, high = (int(middle[0]), high) if is_proof else (low, int(middle[0]))
    most = np.arange(low + 1)
    few, enough = most.copy(), np.full(low + 1, upto)
    while (enough - few > 1).any():
        middle = (few + enough) // 2
        is_proof = p_values(middle, most, risk=risk) <= level
        few, enough = np.where(is_proof, few, middle), np.where(is_proof, middle, enough)
    return enough


def _chances(n: int, most: int, risk: float) -> Floats:
    """Return P(Bin(n, risk) = k) for k = 0 .. min(n, most)."""
    from scipy.special import gammaln  # noqa: PLC0415  # needed here only

    k = np.arange(min(n, most) + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(np.exp(ways + k * np.log(risk) + (n - k) * np.log1p(-risk)))
