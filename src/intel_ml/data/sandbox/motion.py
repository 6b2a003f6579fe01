"""What delivery carries from hour to hour: luck, memory, drift, what was spent.

Reads   a population at the first hour.
Gives   `Motion`, whose columns a fork copies and the next hour replaces.
Never   holds what people set: that is `levers`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.mechanisms.learning import Stage
from intel_ml.data.sandbox.population import Population
from intel_ml.data.sandbox.randomness import Purpose, stream
from intel_ml.data.sandbox.worldfile import WorldFile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MILLE = 1000.0
_YOUNG_HOURS = 7 * 24
_LEAST = 1e-12


@dataclass(slots=True)
class Motion:
    """The state of delivery; the prefix says whose column it is."""

    ad_luck: Floats
    ad_exposure: Floats
    ad_intent: Floats
    adset_price_luck: Floats
    adset_result_luck: Floats
    adset_price_drift: Floats
    adset_result_drift: Floats
    adset_spent_today: Floats
    adset_spent: Floats
    adset_stage: Ints
    adset_results: Floats
    adset_edited_hour: Ints
    adset_resume_hour: Ints
    campaign_spent_today: Floats
    account_day: Ints
    account_outage: Ints
    account_price_shock: Floats
    account_result_shock: Floats

    def fork(self) -> Motion:
        """Return a copy that shares nothing."""
        return replace(self, **{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def append(self, level: EntityType, *, hour: int) -> None:
        """Make room for one more campaign, ad set or ad, fresh and learning."""
        prefix = f"{level.value}_"
        for one in fields(self):
            if one.name.startswith(prefix):
                column = getattr(self, one.name)
                setattr(self, one.name, np.append(column, np.zeros(1, dtype=column.dtype)))
        if level is EntityType.ADSET:
            self.adset_edited_hour[-1] = hour


def first_motion(population: Population, world: WorldFile, *, start: datetime, seed: int) -> Motion:
    """Return the state in which a world wakes up: mature ad sets are done with learning."""
    traits, ads = population.adset_traits, population.ad_traits
    sets, count, accounts = len(population.adsets), len(population.ads), len(population.accounts)
    draws = stream(seed, hour=0, purpose=Purpose.POPULATION)
    ctr = np.bincount(ads.adset, weights=ads.ctr, minlength=sets) / np.maximum(
        np.bincount(ads.adset, minlength=sets), 1
    )
    weekly = 7 * traits.reference / np.maximum(traits.cpm, _LEAST) * _MILLE * ctr * traits.rate
    age = np.array([(start - node.created) // timedelta(hours=1) for node in population.adsets])
    mature = np.where(weekly >= world.learning.results_needed, int(Stage.SUCCESS), int(Stage.FAIL))
    young = age < _YOUNG_HOURS
    return Motion(
        ad_luck=draws.standard_normal(count),
        ad_exposure=ads.exposure.copy(),
        ad_intent=np.zeros(count),
        adset_price_luck=draws.standard_normal(sets),
        adset_result_luck=draws.standard_normal(sets),
        adset_price_drift=np.zeros(sets),
        adset_result_drift=np.zeros(sets),
        adset_spent_today=np.zeros(sets),
        adset_spent=np.zeros(sets),
        adset_stage=np.where(young, int(Stage.LEARNING), mature).astype(np.int64),
        adset_results=np.where(young, weekly * age / _YOUNG_HOURS, weekly),
        adset_edited_hour=-age.astype(np.int64),
        adset_resume_hour=np.zeros(sets, dtype=np.int64),
        campaign_spent_today=np.zeros(len(population.campaigns)),
        account_day=np.zeros(accounts, dtype=np.int64),
        account_outage=np.zeros(accounts, dtype=np.int64),
        account_price_shock=np.zeros(accounts),
        account_result_shock=np.zeros(accounts),
    )
