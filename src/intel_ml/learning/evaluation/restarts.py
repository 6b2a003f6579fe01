"""Bets that begin anew: what was good for a month can turn bad, and must not have used it all up.

    E_t = sum_j w_j prod_{s_j < i <= t} (1 + lambda_i D_i),   w_0 = 1/2,  w_j = 1 / (2 j (j + 1))

A part of the money waits and is bet only from decision s_j = 100 j on; until then it is worth what
it was. The weights sum to 1, so E is a supermartingale like each of its parts, and P(E ever >=
1/alpha) <= alpha still holds, for good. One bet alone has lost nearly all it had after a good
month, and needs as long again to notice a bad one. Shin, Ramdas & Rinaldo (2024), New England
Journal of Statistics in Data Science 2 (e-detectors), with weights that sum to 1: of being wrong
once, not of how often.

What is doubted is that a champion was worth as much from every moment on: one that is better in one
season and worse in the next falls in the second.

Reads   log-wealth of bets that began with the first decision, (bets, n).
Gives   the wealth of their mean with the waiting money, (n,).
Never   looks ahead: at each moment money that waits has earned nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How many decisions lie between two beginnings.
BLOCK = 100
#: What is bet from the first decision on.
AT_ONCE = 0.5
#: exp of more would overflow; nobody needs more evidence than this.
MOST = float(np.log(1e12))


def restarted(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the wealth of bets of which one begins with every block.

    >>> restarted(np.zeros((2, 300))).round(9).tolist() == [1.0] * 300
    True
    """
    n = logs.shape[1]
    begun = np.zeros(n)
    blocks = np.arange(len(begun[::BLOCK]), dtype=np.float64)
    begun[::BLOCK] = (1.0 - AT_ONCE) / np.maximum(blocks * (blocks + 1.0), 1.0)
    begun[:1] = AT_ONCE
    before = np.concatenate([np.zeros((len(logs), 1)), logs[:, :-1]], axis=1)
    with np.errstate(divide="ignore"):
        shares = np.logaddexp.accumulate(np.log(begun) - before, axis=1)
    at_work = np.exp(np.minimum(shares + logs, MOST)).mean(axis=0)
    return np.asarray(at_work + 1.0 - begun.cumsum())
