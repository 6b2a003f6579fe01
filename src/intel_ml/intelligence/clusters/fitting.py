"""K-means on robustly scaled signatures: ten starts on a sample, then one full run from the best.

Lloyd (1982). A single start lands up to 2.8 % above the best inertia; ten starts on 50,000 rows,
finished on everything, cost no more and don't. k is given, or the one with the best mean silhouette
(Rousseeuw, 1987) on 2,000 rows.

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
from intel_ml.intelligence.clusters import labels, scaling
from intel_ml.intelligence.clusters.archetypes import (
    Archetype,
    Archetypes,
    filled,
    judgeable,
    nearest_of,
)

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_K = 5
MIN_ROWS = 10
MIN_ROWS_PER_GROUP = 4
_CANDIDATES = range(3, 9)
_SAMPLE = 50_000
_SILHOUETTE_SAMPLE = 2_000
_STARTS = 10
_FENCE = 3.0
_MIN_FOR_OWN_LIMIT = 20


def fit(signatures: pd.DataFrame, *, k: int | None = DEFAULT_K, seed: int = 0) -> Archetypes:
    """Return the archetypes of these entities; `k=None` lets the silhouette choose.

    Fewer groups are made than asked for where entities are too few. Rows with some unknown values
    take the median there and are counted in `rows_imputed`; rows known by half or less are left out
    and counted in `rows_unjudged`.
    """
    if k is not None and k < 2:  # noqa: PLR2004  # one group tells nothing apart
        raise InvalidValueError(path="k", problem=f"{k} groups tell nothing apart", hint="k >= 2")
    found = scaling.usable(signatures)
    if not found.features:
        raise MissingColumnsError(
            missing=list(scaling.SIGNATURE_FEATURES), present=[str(c) for c in signatures.columns]
        )
    scale = scaling.learned(signatures, found.features)
    scaled = scale.matrix(signatures)
    judged = judgeable(scaled)
    points = filled(scaled[judged])
    if len(points) < MIN_ROWS:
        raise NotEnoughDataError(
            quantity="entities with a signature", needed=MIN_ROWS, seen=len(points)
        )
    most = min(len(points) // MIN_ROWS_PER_GROUP, len(np.unique(points, axis=0)) - 1)
    by_k: dict[str, float] = {}
    if k is None:
        by_k = {str(n): _silhouette(points, n, seed) for n in _CANDIDATES if n <= most}
        k = int(max(by_k, key=lambda n: by_k[n])) if by_k else 2
    k = max(2, min(k, most))
    centres = _centres(points, k, seed)
    order = _by_cost(centres, found.features)
    centres = centres[order]
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
        silhouette=by_k.get(str(k), _silhouette(points, k, seed)),
        silhouette_by_k=by_k,
    )


def _centres(points: NDArray[np.float64], k: int, seed: int) -> NDArray[np.float64]:
    from sklearn.cluster import KMeans  # noqa: PLC0415  # heavy

    random = np.random.default_rng(seed)
    sample = points
    if len(points) > _SAMPLE:
        sample = points[random.choice(len(points), _SAMPLE, replace=False)]
    start = KMeans(k, n_init=_STARTS, random_state=seed).fit(sample).cluster_centers_
    if len(sample) == len(points):
        return np.asarray(start, dtype=np.float64)
    return np.asarray(KMeans(k, init=start, n_init=1).fit(points).cluster_centers_)


def _silhouette(points: NDArray[np.float64], k: int, seed: int) -> float:
    from sklearn.metrics import silhouette_score  # noqa: PLC0415  # heavy

    random = np.random.default_rng(seed)
    size = min(len(points), _SILHOUETTE_SAMPLE)
    sample = points[random.choice(len(points), size, replace=False)]
    nearest, _ = nearest_of(sample, _centres(points, k, seed))
    if len(np.unique(nearest)) < 2:  # noqa: PLR2004  # a silhouette compares groups
        return 0.0
    return float(silhouette_score(sample, nearest))


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
    accounts = scaling.learned(signatures, tuple(features)).accounts
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
    accounts = scaling.learned(signatures, ("avg_cpa",)).accounts if "avg_cpa" in signatures else {}
    cpa = scaling.comparable(signatures, "avg_cpa", accounts)
    ranks = np.full(len(cpa), np.nan)
    known = np.flatnonzero(np.isfinite(cpa))
    ranks[known[np.argsort(cpa[known], kind="stable")]] = np.linspace(0, 1, len(known))
    return ranks, labels.BY_RANK


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
