"""Archetypes of signatures: k-means on robust scales, k by evidence, labels in a buyer's words.

k is given, or the plan's five unless another number of groups is clearly better supported
(`stability`).

Reads   a frame of signatures.
Gives   `Archetypes`, groups ordered from cheapest to dearest.
Never   clusters by a feature nobody could compute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import InvalidValueError, MissingColumnsError, NotEnoughDataError
from intel_ml.intelligence.clusters import labels, scaling, stability
from intel_ml.intelligence.clusters.archetypes import (
    Archetype,
    Archetypes,
    filled,
    judgeable,
    nearest_of,
)
from intel_ml.intelligence.clusters.kmeans import centres_of, in_order

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_K = 5
MIN_ROWS = 10
MIN_ROWS_PER_GROUP = 4
_CANDIDATES = range(3, 9)
_FENCE = 3.0
_MIN_FOR_OWN_LIMIT = 20
_TELLING = "signature features known for half of the entities and not the same for all"


def fit(
    signatures: pd.DataFrame, *, k: int | None = DEFAULT_K, usual: int = DEFAULT_K, seed: int = 0
) -> Archetypes:
    """Return the archetypes of these entities; with `k=None` evidence may speak against `usual`.

    Fewer groups are made than asked for where entities are too few. Rows with some unknown values
    take the median there and are counted in `rows_imputed`; rows known by half or less are left out
    and counted in `rows_unjudged`.
    """
    if k is not None and k < 2:  # noqa: PLR2004  # one group tells nothing apart
        raise InvalidValueError(path="k", problem=f"{k} groups tell nothing apart", hint="k >= 2")
    found = scaling.usable(signatures)
    if not set(scaling.SIGNATURE_FEATURES) & set(signatures.columns):
        raise MissingColumnsError(
            missing=list(scaling.SIGNATURE_FEATURES), present=[str(c) for c in signatures.columns]
        )
    if not found.features:
        raise NotEnoughDataError(quantity=_TELLING, needed=1, seen=0)
    scale = scaling.learned(signatures, found.features)
    scaled = scale.matrix(signatures)
    judged = judgeable(scaled)
    points = in_order(filled(scaled[judged]))
    if len(points) < MIN_ROWS:
        raise NotEnoughDataError(
            quantity="entities with a signature", needed=MIN_ROWS, seen=len(points)
        )
    most = min(len(points) // MIN_ROWS_PER_GROUP, len(np.unique(points, axis=0)) - 1)
    asked = [n for n in _CANDIDATES if n <= most] or [max(2, most)]
    supports = stability.support(
        points, ks=asked if k is None else [max(2, min(k, most))], seed=seed
    )
    k = stability.chosen(supports, default=usual)
    mine = next(one for one in supports if one.k == k)
    centres = centres_of(points, k=k, seed=seed)
    # A centre that nobody is nearest to is no group.
    centres = centres[np.unique(nearest_of(points, centres)[0])]
    k = len(centres)
    centres = centres[_by_cost(centres, found.features)]
    nearest, far = nearest_of(scaled[judged], centres)
    limits = _limits(nearest, far, k)
    return Archetypes(
        scaling=scale,
        groups=_groups(signatures[judged], nearest, centres, found.features),
        centres=centres,
        limits=limits,
        unavailable=found.unavailable,
        set_aside=found.set_aside,
        rows=len(signatures),
        rows_imputed=int((~np.isfinite(scaled[judged])).any(axis=1).sum()),
        rows_unjudged=int((~judged).sum()),
        rows_anomalous=int((far > limits[nearest]).sum()),
        silhouette=mine.silhouette,
        stability=mine.stability,
        silhouette_by_k=stability.by_k(supports, "silhouette"),
        stability_by_k=stability.by_k(supports, "stability"),
    )


def _by_cost(centres: NDArray[np.float64], features: tuple[str, ...]) -> NDArray[np.intp]:
    cost = next((at for at, n in enumerate(features) if n in ("avg_cpa_ratio", "avg_cpa")), 0)
    return np.asarray(np.argsort(centres[:, cost], kind="stable"), dtype=np.intp)


def _limits(nearest: NDArray[np.intp], far: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return how far a member may be: Tukey's outer fence of its group, of all for a small one."""
    whole = _fence(far)
    own = [far[nearest == group] for group in range(k)]
    return np.array([_fence(d) if len(d) >= _MIN_FOR_OWN_LIMIT else whole for d in own])


def _fence(far: NDArray[np.float64]) -> float:
    low, high = np.percentile(far, (25, 75))
    return float(high + _FENCE * (high - low))


def _groups(
    signatures: pd.DataFrame,
    nearest: NDArray[np.intp],
    centres: NDArray[np.float64],
    features: tuple[str, ...],
) -> tuple[Archetype, ...]:
    has_target = "avg_cpa_ratio" in features
    cost, lines = _cost(signatures, has_target=has_target)
    fatigue = scaling.column(signatures, "fatigue_rate")
    if "fatigue_rate" not in features:
        fatigue = np.full(len(signatures), np.nan)
    shown = [
        n for n in scaling.SIGNATURE_FEATURES if n in features or (has_target and n == "avg_cpa")
    ]
    values = dict(_shown(signatures, shown))
    members = [nearest == group for group in range(len(centres))]
    names = [labels.label(_median(cost[m]), _median(fatigue[m]), lines) for m in members]
    typical = [
        {name: m for name, v in values.items() if np.isfinite(m := _median(v[member]))}
        for member in members
    ]
    return tuple(
        Archetype(
            id=at,
            name=name,
            entities=int(member.sum()),
            share=float(member.mean()),
            basis=labels.basis(has_target=has_target, fatigue=_median(fatigue[member])),
            characteristics=labels.describe(
                dict(zip(features, centres[at].tolist(), strict=True)), typical=typical[at]
            ),
            typical=typical[at],
        )
        for at, (name, member) in enumerate(
            zip(labels.told_apart(names, centres, features), members, strict=True)
        )
    )


def _shown(
    signatures: pd.DataFrame, features: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield what typical values are taken of.

    Money of several accounts may be in several currencies: it is shown as multiples of each
    account's own median.
    """
    accounts = scaling.account_medians(signatures)
    for name in features:
        if name in scaling.MONEY and len(accounts) > 1:
            yield f"{name}_over_usual", scaling.comparable(signatures, name, accounts)
        else:
            yield name, scaling.column(signatures, name)


def _cost(
    signatures: pd.DataFrame, *, has_target: bool
) -> tuple[NDArray[np.float64], labels.Lines]:
    """Return what a name judges cost by: CPA over target, or the rank of CPA among all."""
    if has_target:
        return scaling.column(signatures, "avg_cpa_ratio"), labels.BY_TARGET
    cpa = scaling.comparable(signatures, "avg_cpa", scaling.account_medians(signatures))
    ranks = np.full(len(cpa), np.nan)
    known = np.flatnonzero(np.isfinite(cpa))
    ranks[known[np.argsort(cpa[known], kind="stable")]] = np.linspace(0, 1, len(known))
    return ranks, labels.BY_RANK


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
