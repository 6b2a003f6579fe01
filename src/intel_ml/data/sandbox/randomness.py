"""Counter-based randomness: a draw belongs to a seed, an hour and a purpose.

Reads   seed, hour, purpose.
Gives   a fresh `Generator` for each, and Poisson counts from uniform draws.
Never   keeps a state, so two forks of a world share every draw until an action changes what is
        made of it.

Philox (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"). Counts are quantiles of
a uniform draw, so a little more spend never changes the luck of the next ad.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_SMALL = 30.0
_MOST = 90


class Purpose(IntEnum):
    """What a stream of draws is for."""

    POPULATION = 1
    AD_NORMAL = 2
    AD_UNIFORM = 3
    ADSET_NORMAL = 4
    ADSET_UNIFORM = 5
    ACCOUNT_NORMAL = 6
    ACCOUNT_UNIFORM = 7
    ACCOUNT_SHOCK = 8
    ADSET_DRIFT = 9
    ADSET_OUTSIDE = 10
    CAMPAIGN_OUTSIDE = 11
    GENERATION = 12
    ADSET_REGIME = 13


def stream(seed: int, *, hour: int, purpose: Purpose) -> np.random.Generator:
    """Return the draws of one hour for one purpose."""
    # As unsigned words: beside a small one a seed from 2**63 on would become a rounded float.
    key = np.array([seed & _MASK, int(purpose)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, hour, 0, 0]))


def poisson(mean: NDArray[np.float64], luck: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return Poisson counts as quantiles of uniform `luck`, monotone in `mean`.

    >>> poisson(np.array([0.0, 1.0, 100.0]), np.array([0.99, 0.5, 0.5])).tolist()
    [0, 1, 100]
    """
    flat = _small_counts(np.minimum(mean, _SMALL).ravel(), luck.ravel())
    count = flat.reshape(mean.shape)
    big = mean > _SMALL
    if big.any():
        z = normal_quantile(luck[big])
        size = mean[big]
        wide = size + np.sqrt(size) * z + (z * z - 1) / 6
        count[big] = np.maximum(np.round(wide), 0).astype(np.int64)
    return count


def _small_counts(mean: NDArray[np.float64], luck: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return quantiles by adding up terms, only where the sum is still below the luck."""
    count = np.zeros(len(mean), dtype=np.int64)
    # exp(-m) >= 1 - m: most of what stays at none is told apart without an exponential.
    waiting = np.flatnonzero(luck > 1 - mean)
    mean, luck = mean[waiting], luck[waiting]
    term = np.exp(-mean)
    some = luck > term
    waiting, mean, luck, term = waiting[some], mean[some], luck[some], term[some]
    total = term.copy()
    for k in range(1, _MOST):
        if not len(waiting):
            break
        count[waiting] += 1
        term *= mean / k
        total += term
        more = luck > total
        waiting, mean, luck = waiting[more], mean[more], luck[more]
        term, total = term[more], total[more]
    return count


def normal_quantile(luck: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard normal quantile to within 0.01 (Shore 1982; Tukey's lambda form)."""
    power, scale = 0.135, 0.1975
    return np.asarray((luck**power - (1 - luck) ** power) / scale)
