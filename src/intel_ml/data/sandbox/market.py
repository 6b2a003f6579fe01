"""What the market does to everyone in an hour: season, shocks and drift as two factors.

    price      = season(day) * shock(account) * drift(ad set)
    conversion = the same three, each with a state of its own

Reads   the world file, the days of the accounts, and the draws of the hour.
Gives   a `Market` by ad set, and the states of the next hour.
Never   draws for a mechanism that is switched off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.motion import Motion
from intel_ml.data.sandbox.randomness import Purpose, stream
from intel_ml.data.sandbox.worldfile import WorldFile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Market:
    """Factors by ad set on the price and on the conversion rate."""

    price: Floats
    conversion: Floats


class Markets:
    """The markets of one world, hour by hour."""

    def __init__(self, world: WorldFile, *, seed: int) -> None:
        self.world, self.seed = world, seed

    def at(self, motion: Motion, *, account: Ints, day: Ints, hour: int) -> Market:
        """Return the market of an hour and move its states on; `account` is of each ad set."""
        self._shock(motion, hour)
        self._drift(motion, hour)
        season, shocks, drift = self.world.season, self.world.shocks, self.world.drift
        season_price, season_conversion = season.factors(day)
        price = season_price * shocks.factor(motion.account_price_shock)
        conversion = season_conversion * shocks.factor(motion.account_result_shock)
        return Market(
            price[account] * drift.factor(motion.adset_price_drift),
            conversion[account] * drift.factor(motion.adset_result_drift),
        )

    def _shock(self, motion: Motion, hour: int) -> None:
        shocks, accounts = self.world.shocks, len(motion.account_day)
        if not shocks.enabled:
            return
        source = stream(self.seed, hour=hour, purpose=Purpose.ACCOUNT_SHOCK)
        luck, draw = source.random((accounts, 2)), source.standard_normal((accounts, 2))
        motion.account_price_shock = shocks.step(
            motion.account_price_shock,
            luck=luck[:, 0],
            draw=draw[:, 0],
            chance=shocks.price_per_account_hour,
            size=shocks.price_size,
        )
        motion.account_result_shock = shocks.step(
            motion.account_result_shock,
            luck=luck[:, 1],
            draw=draw[:, 1],
            chance=shocks.conversion_per_account_hour,
            size=shocks.conversion_size,
        )

    def _drift(self, motion: Motion, hour: int) -> None:
        drift, sets = self.world.drift, len(motion.adset_price_drift)
        if not drift.enabled:
            return
        # One kind of draw a stream: a copy's row at the end leaves the rows before it as they are.
        draw = stream(self.seed, hour=hour, purpose=Purpose.ADSET_DRIFT).standard_normal((sets, 4))
        luck = stream(self.seed, hour=hour, purpose=Purpose.ADSET_REGIME).random(sets)
        motion.adset_price_drift = drift.step(
            motion.adset_price_drift,
            walk=drift.price_walk,
            draw=draw[:, 0],
            jump=drift.jumps(luck=luck, draw=draw[:, 1]) / 2,
        )
        motion.adset_result_drift = drift.step(
            motion.adset_result_drift,
            walk=drift.conversion_walk,
            draw=draw[:, 2],
            jump=drift.jumps(luck=luck, draw=draw[:, 3]),
        )
