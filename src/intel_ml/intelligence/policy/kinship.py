"""How much accounts have in common, and what each may therefore borrow from the others.

    theta_ka = mu_a + N(0, I / tau)          account k, arm a: alike as far as tau is large
    mu_a     = theta_0 + N(0, I / penalty),  theta_0 ~ N(0, I / shared_penalty)

What account j says of mu_a, its own departure integrated out, is never surer than tau:

    info_ja = tau (I - tau (G_ja + tau I)^-1),    pull_ja = tau (G_ja + tau I)^-1 b_ja

so a thousand decisions of one account don't drown ten accounts of a hundred. What all *other*
accounts say is the prior of k; its own decisions are counted once, as its own. That is the
posterior of the hierarchical normal model (Lindley & Smith, 1972, JRSS B 34).

An account may be unlike the others. Each therefore holds two beliefs, the shared one and that of
ridge regression on its own decisions alone, and weighs them by how well each foretold those:

    w_k    = a_k p(rewards_k | shared) / (a_k p(rewards_k | shared) + (1 - a_k) p(.. | alone))
    lent_k = max(2 w_k - 1, 0)

a_k is `alike`, moved by how much the account looks like the others (`looks`). What leaving a wrong
belief behind costs is at most log(1 / (1 - a_k)) nats in all. An account unlike the others may as
well pay the opposite of them: then following gains w - (1 - w) of what it would gain were it surely
alike. So that much is lent, and nothing at all to one that is more likely unlike: it keeps to its
own decisions, and before those to `maintain`. tau is the one under which accounts are foretold best
by the others.

Reads   sums of each account and arm: G = sum w phi phi', b = sum w r phi, counts, squares; how
        much each looks like the others.
Gives   `Beliefs`: theta, inverse, noise and weight of each account.
Never   knows what an account, an arm or a reward is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

TAUS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
#: How many decisions the noise that accounts have in common counts for in that of one.
_NOISE_PRIOR = 30.0
_LEAST_NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class Sums:
    """All that was seen: `gram` (k, arms, d, d), `b` (k, arms, d), `counts` (k, arms), `squares`.

    `squares` (k,) is the weighted sum of squared rewards.
    """

    gram: Numbers
    b: Numbers
    counts: Numbers
    squares: Numbers


@dataclass(frozen=True, slots=True)
class Penalties:
    """Of an arm's departure from all arms, of all arms, and how likely an account is alike.

    `tau` is the penalty of an account's departure from the others; 0: chosen by evidence.
    """

    arm: float
    shared: float
    alike: float
    tau: float = 0.0


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What each account may believe: `theta` (k, arms, d), `inverse` (k, arms, d, d).

    `alike` (k,) is how much each is lent, `noise` (k,) the misfit, `tau` what was chosen.
    """

    theta: Numbers
    inverse: Numbers
    alike: Numbers
    noise: Numbers
    tau: float


@dataclass(frozen=True, slots=True)
class _Fit:
    """One belief of every account, and how well it foretold what was seen, in nats."""

    theta: Numbers
    inverse: Numbers
    nats: Numbers


def believe(sums: Sums, penalties: Penalties, *, looks: Numbers) -> Beliefs:
    """Return what each account may believe, from its own decisions and from those of the others.

    `looks` (k,) are the nats that speak for each being like the others before anything was decided.
    """
    unscaled = _alone(sums, penalties, variance=1.0)
    pooled = float(_misfit(sums, unscaled.theta).sum()) / max(float(sums.counts.sum()), 1.0)
    variance = max(pooled, _LEAST_NOISE)
    alone = _alone(sums, penalties, variance=variance)
    alike, theta, inverse, tau = np.zeros(len(sums.gram)), alone.theta, alone.inverse, penalties.tau
    if len(sums.gram) > 1:
        fits = [
            (tau, _shared(sums, penalties, tau=tau, variance=variance))
            for tau in ([penalties.tau] if penalties.tau else TAUS)
        ]
        odds = np.log(penalties.alike) - np.log1p(-penalties.alike) + looks
        tau, shared = max(fits, key=lambda one: _foretold(one[1], alone, odds))
        # 2 w - 1 is the hyperbolic tangent of half the odds.
        alike = np.maximum(np.tanh(0.5 * (odds + shared.nats - alone.nats)), 0.0)
        theta = _mixed(alike, shared.theta, alone.theta)
        inverse = _mixed(alike, shared.inverse, alone.inverse)
    seen = sums.counts.sum(axis=1)
    misfit = _misfit(sums, theta) + _NOISE_PRIOR * variance
    noise = np.sqrt(misfit / (seen + _NOISE_PRIOR)) if len(seen) > 1 else np.sqrt([pooled])
    return Beliefs(theta, inverse, alike, noise, tau)


def nothing(accounts: int, arms: int, size: int) -> Beliefs:
    """Return what accounts believe of which nothing was seen."""
    return Beliefs(
        theta=np.zeros((accounts, arms, size)),
        inverse=np.zeros((accounts, arms, size, size)),
        alike=np.zeros(accounts),
        noise=np.ones(accounts),
        tau=0.0,
    )


def _alone(sums: Sums, penalties: Penalties, *, variance: float) -> _Fit:
    """Return ridge regression of each account by itself, whose arms share theta_0."""
    size = sums.b.shape[-1]
    eye, arm = np.eye(size), penalties.arm
    inverse = _inverse(sums.gram + arm * eye)
    own = _times(inverse, sums.b)
    precision = arm * (eye - arm * inverse)
    total = precision.sum(axis=1) + penalties.shared * eye
    pull = arm * own.sum(axis=1)
    common = _solve(total, pull)
    nats = _nats(sums, mean=np.zeros_like(sums.b), precision=arm * eye, variance=variance)
    nats += (pull * common).sum(axis=-1) / (2.0 * variance)
    nats -= 0.5 * (_logdet(total) - size * np.log(penalties.shared))
    return _Fit(own + arm * _times(inverse, common[:, None]), inverse, nats)


def _shared(sums: Sums, penalties: Penalties, *, tau: float, variance: float) -> _Fit:
    """Return each account's belief when what the others say is its prior."""
    eye, arm = np.eye(sums.b.shape[-1]), penalties.arm
    own = _inverse(sums.gram + tau * eye)
    info, pull = tau * (eye - tau * own), tau * _times(own, sums.b)
    # Without the account's own part; subtracting may leave a hair less than nothing.
    others, pulled = info.sum(axis=0) - info, pull.sum(axis=0) - pull
    spread = _inverse(others + arm * eye)
    told = _times(spread, pulled)
    total = (arm * (eye - arm * spread)).sum(axis=1) + penalties.shared * eye
    common = _solve(total, arm * told.sum(axis=1))
    mean = told + arm * _times(spread, common[:, None])
    precision = _inverse(spread + eye / tau)
    inverse = _inverse(sums.gram + precision)
    theta = _times(inverse, sums.b + _times(precision, mean))
    return _Fit(theta, inverse, _nats(sums, mean=mean, precision=precision, variance=variance))


def _nats(sums: Sums, *, mean: Numbers, precision: Numbers, variance: float) -> Numbers:
    """Return log p(rewards of each account | prior), less what no prior changes."""
    surprise = sums.b - _times(sums.gram, mean)
    after = sums.gram + precision
    gain = (surprise * _solve(after, surprise)).sum(axis=-1)
    gain += (mean * (sums.b + surprise)).sum(axis=-1)
    gain /= 2.0 * variance
    return np.asarray((gain - 0.5 * (_logdet(after) - _logdet(precision))).sum(axis=-1))


def _foretold(shared: _Fit, alone: _Fit, odds: Numbers) -> float:
    """Return how well both beliefs together foretold what was seen of everybody, in nats."""
    both = np.logaddexp(odds + shared.nats, alone.nats) - np.logaddexp(odds, 0.0)
    return float(both.sum())


def _misfit(sums: Sums, theta: Numbers) -> Numbers:
    """Return the weighted sum of squared errors of each account."""
    bent = _times(sums.gram, theta)
    found = sums.squares - 2.0 * (theta * sums.b).sum(axis=(1, 2)) + (theta * bent).sum(axis=(1, 2))
    return np.asarray(np.maximum(found, 0.0))


def _mixed(weight: Numbers, one: Numbers, other: Numbers) -> Numbers:
    shape = (-1,) + (1,) * (one.ndim - 1)
    share = weight.reshape(shape)
    return np.asarray(share * one + (1.0 - share) * other)


def _inverse(matrices: Numbers) -> Numbers:
    found = np.linalg.inv(matrices)
    return np.asarray((found + np.swapaxes(found, -1, -2)) / 2.0)


def _times(matrices: Numbers, vectors: Numbers) -> Numbers:
    return np.asarray((matrices @ vectors[..., None])[..., 0])


def _solve(matrices: Numbers, vectors: Numbers) -> Numbers:
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])


def _logdet(matrices: Numbers) -> Numbers:
    return np.asarray(np.linalg.slogdet(matrices)[1])
