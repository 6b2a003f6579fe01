"""Shocks: a rare blow to a whole account's prices or buyers that fades over days.

    s' = s * 2 ** (-1 / half_life) + jump,    jump ~ N(0, size) with probability p an hour, else 0
    factor = exp(s)

A pulse with first-order decay (Box & Tiao 1975, "Intervention Analysis with Applications to
Economic and Environmental Problems", JASA 70) arriving at random, as in a jump process (Merton
1976). A rival's sale, an outage at a bank, a rumour: everything in the account moves at once, so
siblings tell a shock from an ad set's own trouble.

Reads   uniform and normal draws, one pair an account.
Gives   the state of the next hour, and the factor it stands for.
Never   hits one ad set alone: that is `noise` or `drift`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shocks:
    """How often an account is hit, how hard, and how long until half of it is over."""

    enabled: bool = False
    price_per_account_hour: float = 0.002
    price_size: float = 0.35
    conversion_per_account_hour: float = 0.002
    conversion_size: float = 0.35
    half_life_hours: float = 60.0

    def step(
        self, state: Floats, *, luck: Floats, draw: Floats, chance: float, size: float
    ) -> Floats:
        """Return the state of the next hour; nothing moves when switched off."""
        if not self.enabled:
            return state
        jump = np.where(luck < chance, size * draw, 0.0)
        return np.asarray(state * 0.5 ** (1 / self.half_life_hours) + jump)

    def factor(self, state: Floats) -> Floats:
        """Return the factor on price or conversion rate: 1 at rest.

        >>> Shocks(enabled=True).factor(np.zeros(2))
        array([1., 1.])
        """
        return np.exp(state) if self.enabled else np.ones(len(state))
