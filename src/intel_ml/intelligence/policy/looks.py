"""How much an account looks like the others: what tells before it has decided anything.

    z_kf    = (m_kf - M_f) / s_f
    s_f^2   = (1 + 1/K) (2 s_0^2 + sum_j (m_jf - M_f)^2) / (K + 1) + v_kf / n_k
    D_k^2   = mean over f of z_kf^2
    nats_k  = min(log t(D_k | of their sort) - log t(D_k | of another), 0)

m_kf are the means of an account's states and the logarithms of their spreads, feature by feature;
M_f and the sum are over the K *other* accounts that share, so how much such accounts differ is
learned from them, beginning at s_0. That is the predictive distribution of one more account
(Gelman et al., Bayesian Data Analysis, 3.2), a Student t with K + 1 degrees of freedom, in as many
dimensions as the features' correlations leave: 2 p^2 / sum of their squares. Of another sort are
accounts three times as far apart. An account in states that nobody lent anything about is thus
trusted less with what was learned elsewhere, the less the farther away. Looking alike proves
nothing: it never speaks for more than was believed before.

When it misleads: who looks alike may still pay differently. That only outcomes can tell.

Reads   vectors of states by account, with or without an outcome.
Gives   `Looks`, and the nats that speak against each account being of the others' sort.
Never   reads a reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: How far apart accounts lie until the group has shown it, in spreads of one account's states.
_APART = 0.5
_ITS_WEIGHT = 2.0
#: How many times as far apart those lie that are of another sort.
_WIDER = 3.0
#: A spread is never taken to be smaller than this part of the usual one.
_LEAST_SHARE = 0.05
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Looks:
    """States of each account added up: `sums` (k, d) and `products` (k, d, d).

    An entity looked at all day is one witness.
    """

    witnesses: Numbers
    rows: Numbers
    sums: Numbers
    products: Numbers

    @classmethod
    def of_nobody(cls, accounts: int, width: int) -> Looks:
        """Return what is known of accounts never looked at."""
        return cls(
            witnesses=np.zeros(accounts),
            rows=np.zeros(accounts),
            sums=np.zeros((accounts, width)),
            products=np.zeros((accounts, width, width)),
        )

    def add(self, place: int, vectors: Numbers, *, witnesses: int) -> None:
        """Add states of one account."""
        self.witnesses[place] += witnesses
        self.rows[place] += len(vectors)
        self.sums[place] += vectors.sum(axis=0)
        self.products[place] += vectors.T @ vectors


def nats(looks: Looks) -> Numbers:
    """Return (k,) what speaks against each account being like the others; 0 where nothing does.

    >>> looks = Looks.of_nobody(4, 1)
    >>> for place, middle in enumerate((0.0, 0.1, -0.1, 9.0)):
    ...     looks.add(place, np.linspace(middle - 2, middle + 2, 50)[:, None], witnesses=50)
    >>> (nats(looks) < -1).tolist()
    [False, False, False, True]
    """
    found = np.zeros(len(looks.rows))
    known = np.flatnonzero(looks.witnesses > 0)
    if len(known) < 2:  # noqa: PLR2004  # nobody to look like
        return found
    rows, means = looks.rows[known, None], looks.sums[known] / looks.rows[known, None]
    within = looks.products[known] / rows[..., None] - means[:, :, None] * means[:, None, :]
    spreads = np.maximum(np.diagonal(within, axis1=1, axis2=2), 0.0)
    usual = np.median(spreads, axis=0)
    usual = np.where(usual > _SAME, usual, spreads.max(axis=0))
    tells = usual > _SAME
    if not tells.any():
        return found
    usual = usual[tells]
    spreads = np.maximum(spreads[:, tells] / usual, _LEAST_SHARE)
    marks = np.hstack([means[:, tells] / np.sqrt(usual), np.log(spreads) / 2.0])
    count = looks.witnesses[known, None]
    blur = np.hstack([spreads / count, np.full_like(spreads, 0.5) / count])
    dimensions = _dimensions(within[:, tells][:, :, tells].mean(axis=0))
    found[known] = [
        _nats(_distance(marks, blur, place), freedom=float(len(known)), dimensions=dimensions)
        for place in range(len(known))
    ]
    return np.minimum(found, 0.0)


def _distance(marks: Numbers, blur: Numbers, place: int) -> float:
    """Return D^2."""
    others = np.delete(marks, place, axis=0)
    middle = others.mean(axis=0)
    between = _ITS_WEIGHT * _APART**2 + ((others - middle) ** 2).sum(axis=0)
    between *= (1.0 + 1.0 / len(others)) / (len(others) - 1 + _ITS_WEIGHT)
    return float(np.mean((marks[place] - middle) ** 2 / (between + blur[place])))


def _dimensions(covariance: Numbers) -> float:
    """Return as how many unrelated marks these features count, each having two."""
    spread = np.sqrt(np.maximum(np.diagonal(covariance), _SAME))
    related = covariance / np.outer(spread, spread)
    return 2.0 * float(len(related) ** 2 / (related**2).sum())


def _nats(distance: float, *, freedom: float, dimensions: float) -> float:
    total = dimensions * distance / freedom
    nearer = np.log1p(total) - np.log1p(total / _WIDER**2)
    return float(dimensions * np.log(_WIDER) - 0.5 * (freedom + dimensions) * nearer)
