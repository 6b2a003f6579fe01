"""How much each opinion counts, and how sure to be of what they say together.

    Q(c) = softmax(log(sum_v m_v P_v(c)) / T)
    P(c) = (n Q(c) + 1/2) / (n + classes / 2),      n choices seen
    P(right) = sigma(a + b logit P(c) + sum_v b_v logit P_v(c)),      c the likeliest

m by expectation maximisation (a likelihood without other tops), T on a grid, a and b by Newton's
steps, pulled to the line that believes the mixture. Nobody is surer than n choices allow
(Krichevsky & Trofimov, 1981, IEEE Trans. Inf. Theory 27): who agreed 30 times of 30 may not the
next time, and no fold can tell.

Reads   probabilities (n, classes) of each view, from before the label was known; the labels.
Gives   `mixture`, `calibrated`, `how_sure`, `allowed_by`; `softmax`.
Never   learns an opinion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

TINY = 1e-12
_TEMPERATURES = np.geomspace(0.4, 2.5, 25)
_EM_STEPS, _NEWTON_STEPS, _PULL = 40, 12, 10.0
_HALF = 0.5


def mixture(views: list[Floats], labels: Labels, weights: Floats) -> Floats:
    """Return how much each view counts: the likeliest mixture, by expectation maximisation."""
    rows = np.arange(len(labels))
    chances = np.column_stack([view[rows, labels] for view in views]) + TINY
    shares = np.full(len(views), 1.0 / len(views))
    for _ in range(_EM_STEPS):
        owed = shares * chances
        owed /= owed.sum(axis=1, keepdims=True)
        shares = (weights[:, None] * owed).sum(axis=0) / weights.sum()
    return np.asarray(shares)


def calibrated(
    views: list[Floats], shares: Floats, labels: Labels, weights: Floats
) -> tuple[float, Floats]:
    """Return temperature and sureness from probabilities that did not know the labels."""
    rows = np.arange(len(labels))
    logs = np.log(sum(s * v for s, v in zip(shares, views, strict=True)) + TINY)
    losses = [
        -(weights * np.log(softmax(logs / t)[rows, labels] + TINY)).sum() for t in _TEMPERATURES
    ]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    pmf = softmax(logs / temperature)
    answers = pmf.argmax(axis=1)
    doubts = _doubts(pmf, views, answers)
    line = plain(len(views))
    prior = line.copy()
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(doubts @ line)
        slope = doubts.T @ (weights * (p - (answers == labels))) + _PULL * (line - prior)
        bend = (doubts * (weights * p * (1 - p))[:, None]).T @ doubts
        line = line - np.linalg.solve(bend + _PULL * np.eye(len(line)), slope)
    return temperature, line


def how_sure(line: Floats, pmf: Floats, views: list[Floats], answers: Labels) -> Floats:
    """Return how often answers like these are right."""
    return _sigmoid(_doubts(pmf, views, answers) @ line)


def plain(views: int) -> Floats:
    """Return the line that believes the mixture."""
    return np.array([0.0, 1.0, *([0.0] * (views if views > 1 else 0))])


def allowed_by(likely: Floats, known: float | Floats) -> Floats:
    """Return probabilities as sure as so many choices allow: one number, or one a row.

    >>> allowed_by(np.array([[1.0, 0.0]]), 9.0).round(3).tolist()
    [[0.95, 0.05]]
    """
    count = np.asarray(known, dtype=np.float64)[..., None]
    return np.asarray((count * likely + _HALF) / (count + _HALF * likely.shape[-1]))


def softmax(scores: Floats) -> Floats:
    """Return probabilities, each row's sum 1."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _doubts(pmf: Floats, views: list[Floats], answers: Labels) -> Floats:
    rows = np.arange(len(pmf))
    columns = [np.ones(len(pmf)), _logit(pmf[rows, answers])]
    if len(views) > 1:
        columns += [_logit(view[rows, answers]) - columns[1] for view in views]
    return np.column_stack(columns)


def _logit(probability: Floats) -> Floats:
    inside = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(inside / (1 - inside)))


def _sigmoid(line: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-line)))
