"""How many different people the entities of a level met in each window.

    ad, ad set:   the reach of its impressions in the ad set's audience
    campaign:     max + (1 - overlap) (sum - max)   over its ad sets
    account:      the same over its campaigns

so a parent never reaches more people than its children together, nor fewer than the largest.

Reads   sums by ad and window.
Gives   people, of shape (windows, groups).
Never   adds up reach: who saw two ads is one person.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.ledger import Column
from intel_ml.data.sandbox.world import World

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def people_reached(
    world: World, *, level: str, ads: Ints, sums: Ints, share: Floats | None = None
) -> Ints:
    """Return people for each entity of a level, in the order of their rows; `sums` are by ad.

    `share` is the part of the audience that each window is about; all of it unless given.
    """
    traits, reach = world.population.adset_traits, world.file.reach
    adset = world.population.ad_traits.adset[ads]
    impressions = sums[Column.IMPRESSIONS]
    about = np.ones((1, 1)) if share is None else share[:, None]
    if level == "ad":
        return reach.people(impressions=impressions, audience=traits.audience[adset] * about)
    adsets, where = np.unique(adset, return_inverse=True)
    pooled = _by_group(impressions, where, len(adsets))
    people = reach.people(impressions=pooled, audience=traits.audience[adsets] * about)
    if level == "adset":
        return people
    campaigns, where = np.unique(traits.campaign[adsets], return_inverse=True)
    people = _union(people, where, groups=len(campaigns), overlap=reach.campaign_overlap)
    if level == "campaign":
        return people
    one = np.zeros(len(campaigns), dtype=np.int64)
    return _union(people, one, groups=min(len(campaigns), 1), overlap=reach.account_overlap)


def _by_group(values: Ints, where: Ints, groups: int) -> Ints:
    total = np.zeros((values.shape[0], groups), dtype=np.int64)
    for g in range(groups):
        total[:, g] = values[:, where == g].sum(axis=1)
    return total


def _union(people: Ints, where: Ints, *, groups: int, overlap: float) -> Ints:
    total = np.zeros((people.shape[0], groups), dtype=np.int64)
    for g in range(groups):
        inside = people[:, where == g]
        largest = inside.max(axis=1)
        total[:, g] = largest + np.round((1 - overlap) * (inside.sum(axis=1) - largest))
    return total
