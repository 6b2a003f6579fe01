"""Which ads count, and which rows show: the filters of an insights question.

    a condition on an object (`campaign.name`, `adset.id`, `ad.effective_status`, ...) chooses ads,
    so it also holds for the rows of their campaigns; a condition on a metric chooses rows

Reads   `filtering`, a population.
Gives   the rows of the ads, and tests for metrics.
Never   lists what is archived or deleted unless its status is asked for; its past stays in the
        sums of its parents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.ids import EntityType
from intel_ml.data.sandbox.changes import HIDDEN, effective_status
from intel_ml.data.sandbox.graph.errors import bad_parameter
from intel_ml.data.sandbox.graph.listing import Filter
from intel_ml.data.sandbox.graph.rows import NUMBERS
from intel_ml.data.sandbox.population import Node, Population

Ints = NDArray[np.int64]
_OF_NODES: dict[str, Callable[[Population, Node], object]] = {
    "id": lambda _p, n: n.id,
    "name": lambda _p, n: n.name,
    "objective": lambda _p, n: n.objective,
    "status": lambda _p, n: n.status,
    "configured_status": lambda _p, n: n.status,
    "effective_status": effective_status,
    "created_time": lambda _p, n: n.created.timestamp(),
    "updated_time": lambda _p, n: n.updated.timestamp(),
}
_LEVELS = tuple(EntityType)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The conditions of one question, by what they are about."""

    objects: tuple[tuple[EntityType, str, Filter], ...]
    metrics: tuple[Filter, ...]

    def shows(self, population: Population, level: str, row: int) -> bool:
        """Return whether an entity is listed although its status may be a hidden one."""
        if level == "account" or any(key == "effective_status" for _, key, _ in self.objects):
            return True
        node = population.nodes(EntityType(level))[row]
        return effective_status(population, node) not in HIDDEN

    def ads(self, population: Population, ads: Ints) -> Ints:
        """Return those of the ads that every condition on objects lets through."""
        for level, key, one in self.objects:
            rows = ancestors(population, ads, level.value)
            nodes = population.nodes(level)
            value = _OF_NODES[key]
            good = {r: one.holds(value(population, nodes[r])) for r in np.unique(rows).tolist()}
            ads = ads[np.array([good[r] for r in rows.tolist()], dtype=bool)]
        return ads


def narrowing(filters: Sequence[Filter], *, level: str) -> Narrowing:
    """Return the conditions sorted by what they are about; unknown fields are refused."""
    objects, metrics = [], []
    for one in filters:
        prefix, _, key = str(one.field).rpartition(".")
        about = prefix or level
        if key in _OF_NODES and about in set(_LEVELS):
            objects.append((EntityType(about), key, one))
        elif key in NUMBERS and about in {"account", *_LEVELS}:
            metrics.append(one)
        else:
            raise bad_parameter(
                f"Filtering field {one.field} with operation {one.operator} is not supported"
            )
    return Narrowing(tuple(objects), tuple(metrics))


def ancestors(population: Population, ads: Ints, level: str) -> Ints:
    """Return for each ad the row of its campaign, ad set, account, or itself."""
    if level == "ad":
        return ads
    adset = population.ad_traits.adset[ads]
    traits = population.adset_traits
    return {"adset": adset, "campaign": traits.campaign[adset], "account": traits.account[adset]}[
        level
    ]
