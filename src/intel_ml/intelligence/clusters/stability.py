"""How many groups there really are: those that other entities of the same sort would give again.

    stability(k) = mean adjusted Rand index of pairs of fits, each on its own 80 % of the entities,
                   compared by where they put all of them
    silhouette(k) = mean of (distance to the next group - to the own) / the larger of the two

Stability under resampling: Ben-Hur, Elisseeff & Guyon (2002), Pac. Symp. Biocomput.; adjusted Rand
index: Hubert & Arabie (1985); silhouette: Rousseeuw (1987).

When it misleads: two groups are nearly always stable, so the stablest k is not the best one. The
plan's k stands unless another is clearly better supported.

Reads   comparable points, one row an entity, nothing missing.
Gives   `Support` for each k, and the k the evidence speaks for.
Never   asks for more groups than there are entities to tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.clusters.archetypes import nearest_of
from intel_ml.intelligence.clusters.kmeans import centres_of

_SHARE = 0.8
_PAIRS = 6
_STARTS = 2
_SAMPLE = 2_000
#: How much better another k must be than the plan's to be taken instead.
CLEARLY = 0.05
#: Below this, groups say more about who was looked at than about the world (Hennig, 2007).
STABLE = 0.6


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for one number of groups; both at most 1, larger is better."""

    k: int
    silhouette: float
    stability: float

    @property
    def score(self) -> float:
        """Their mean: groups far apart that come out again."""
        return (self.silhouette + self.stability) / 2


def support(points: NDArray[np.float64], *, ks: Sequence[int], seed: int) -> tuple[Support, ...]:
    """Return the support of each k."""
    return tuple(
        Support(k, silhouette(points, k=k, seed=seed), stability(points, k=k, seed=seed))
        for k in ks
    )


def chosen(supports: Sequence[Support], *, default: int) -> int:
    """Return `default`, or the k that is clearly better supported.

    >>> chosen([Support(3, 0.5, 0.9), Support(5, 0.3, 0.6)], default=5)
    3
    >>> chosen([Support(3, 0.4, 0.7), Support(5, 0.4, 0.7)], default=5)
    5
    """
    by_k = {one.k: one for one in supports}
    best = max(supports, key=lambda one: one.score)
    if default not in by_k:
        return best.k
    return default if best.score - by_k[default].score < CLEARLY else best.k


def silhouette(points: NDArray[np.float64], *, k: int, seed: int) -> float:
    """Return the mean silhouette of k groups, on a sample of many entities."""
    from sklearn.metrics import silhouette_score  # noqa: PLC0415  # heavy

    random = np.random.default_rng(seed)
    sample = _some(points, min(len(points), _SAMPLE), random)
    nearest, _ = nearest_of(sample, centres_of(points, k=k, seed=seed))
    if len(np.unique(nearest)) < 2:  # noqa: PLR2004  # a silhouette compares groups
        return 0.0
    return float(silhouette_score(sample, nearest))


def stability(points: NDArray[np.float64], *, k: int, seed: int) -> float:
    """Return how alike two fits are that saw different entities, 1 for always the same."""
    from sklearn.metrics import adjusted_rand_score  # noqa: PLC0415  # heavy

    random = np.random.default_rng(seed)
    points = _some(points, min(len(points), _SAMPLE), random)
    size = max(k + 1, round(_SHARE * len(points)))
    found = []
    for pair in range(_PAIRS):
        fits = [
            centres_of(_some(points, size, random), k=k, seed=2 * pair + turn, starts=_STARTS)
            for turn in range(2)
        ]
        one, other = (nearest_of(points, centres)[0] for centres in fits)
        found.append(adjusted_rand_score(one, other))
    return float(np.mean(found))


def by_k(supports: Sequence[Support], name: str) -> Mapping[str, float]:
    """Return one measure of each k, under the k as text, as JSON keeps it."""
    return {str(one.k): float(getattr(one, name)) for one in supports}


def _some(
    points: NDArray[np.float64], size: int, random: np.random.Generator
) -> NDArray[np.float64]:
    if size >= len(points):
        return points
    return np.asarray(points[random.choice(len(points), size, replace=False)])
