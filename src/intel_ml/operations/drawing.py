"""Hold-out and exploration.

What is proposed of what could be, with the probability of exactly that.

    pmf(a) = (1 - h) [(1 - e) base(a) + e [a in T] / |T|]       for an acting arm a
    pmf(maintain) = (1 - e) base(maintain) + e [maintain in T] / |T| + h * (all that acts)

with h the hold-out share, e the exploration share, T the arms that may be tried (those allowed,
unless told otherwise), base the shown arm, or the policy's own distribution where the policy's
draw is shown. The draws are seeded by the decision's id, so a decision repeated is the same
decision. How large e and T are is decided before: by `exploring`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm

_MAINTAIN = ARMS.index(Arm.MAINTAIN)
#: What a float holds exactly: with more, the largest would round up to one.
_BITS = 53


@dataclass(frozen=True, slots=True)
class Shares:
    """How much is drawn at random.

    Shares of acting proposals held out, and of decisions explored.
    """

    holdout: float
    exploration: float


@dataclass(frozen=True, slots=True)
class Draw:
    """The arm proposed, the distribution it came from, and why it is not the shown one."""

    arm: Arm
    pmf: Mapping[Arm, float]
    is_held_out: bool = False
    is_explored: bool = False

    @property
    def propensity(self) -> float:
        """The probability with which exactly this arm was to be proposed."""
        return self.pmf[self.arm]


def certain(arm: Arm) -> Draw:
    """Return the draw that could not have been another."""
    return Draw(arm, {one: float(one is arm) for one in ARMS})


def draw(  # noqa: PLR0913  # what is shown, and the three masks and shares it is drawn with
    shown: Arm,
    *,
    base: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    shares: Shares,
    key: str,
    tried: NDArray[np.bool_] | None = None,
) -> Draw:
    """Return what is proposed where `shown` is what rules or policy would do.

    `tried` are the arms that chance may choose; all that are allowed, unless told otherwise.

    >>> only = np.array([True, True, False, False, False, False])
    >>> base = np.array([1.0, 0, 0, 0, 0, 0])
    >>> drawn = draw(Arm.PAUSE, base=base, allowed=only, shares=Shares(0.1, 0.0), key="d1")
    >>> round(drawn.pmf[Arm.PAUSE], 3), round(drawn.pmf[Arm.MAINTAIN], 3)
    (0.9, 0.1)
    """
    choices = np.flatnonzero(allowed if tried is None else allowed & tried)
    uniform = np.zeros(len(ARMS))
    uniform[choices] = 1 / max(len(choices), 1)
    mixed = (1 - shares.exploration) * base + shares.exploration * uniform
    acting = mixed.sum() - mixed[_MAINTAIN]
    pmf = (1 - shares.holdout) * mixed
    pmf[_MAINTAIN] = mixed[_MAINTAIN] + shares.holdout * acting
    arm, explores = shown, chance(key, "explore") < shares.exploration
    if explores:
        arm = ARMS[choices[int(chance(key, "arm") * len(choices))]]
    holds = arm is not Arm.MAINTAIN and chance(key, "hold") < shares.holdout
    return Draw(
        arm=Arm.MAINTAIN if holds else arm,
        pmf=dict(zip(ARMS, pmf.tolist(), strict=True)),
        is_held_out=holds,
        is_explored=explores and arm is not shown and not holds,
    )


def chance(key: str, purpose: str) -> float:
    """Return a number in [0, 1) that belongs to this key and purpose."""
    digest = hashlib.sha256(f"{key}|{purpose}".encode()).digest()
    return float((int.from_bytes(digest[:8]) >> (64 - _BITS)) / 2**_BITS)
