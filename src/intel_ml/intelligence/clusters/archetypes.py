"""What was learned about groups of alike entities, and which group a new one belongs to.

Reads   signatures.
Gives   `Archetypes`: assign, table, save, load.
Never   forces an entity that is like none of them into a group, or one nobody knows enough about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from intel_ml.intelligence.clusters import scaling as scales
from intel_ml.intelligence.clusters.scaling import Scaling
from intel_ml.intelligence.policy import files

if TYPE_CHECKING:
    import pandas as pd

STEM = "archetypes"
ANOMALOUS = "Unlike the others"
UNJUDGED = "Too little known"
KEYS = ("ad_account_id", "entity_type", "entity_id", "as_of")
#: Beyond this many typical spreads, distance matters for the alarm only, not for the group.
CLIP = 3.0


@dataclass(frozen=True, slots=True)
class Archetype:
    """One group: its name and basis, what stands out, typical values in their own units."""

    id: int
    name: str
    entities: int
    share: float
    basis: str
    characteristics: str
    typical: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Archetypes:
    """Groups of alike entities. `unavailable` features were never known and played no part."""

    scaling: Scaling
    groups: tuple[Archetype, ...]
    centres: NDArray[np.float64]
    limits: NDArray[np.float64]
    unavailable: tuple[str, ...]
    set_aside: tuple[str, ...]
    rows: int
    rows_imputed: int
    rows_unjudged: int
    rows_anomalous: int
    silhouette: float | None
    stability: float | None
    silhouette_by_k: Mapping[str, float]
    stability_by_k: Mapping[str, float]

    @property
    def k(self) -> int:
        """How many groups there are."""
        return len(self.groups)

    @property
    def features(self) -> tuple[str, ...]:
        """The features that were used."""
        return self.scaling.features

    @property
    def usable(self) -> tuple[str, ...]:
        """The features that were used, by the name that stands against `unavailable`."""
        return self.scaling.features

    @property
    def names(self) -> tuple[str, ...]:
        """The groups' names, cheapest first."""
        return tuple(group.name for group in self.groups)

    def assign(self, signatures: pd.DataFrame) -> pd.DataFrame:
        """Return archetype, nearest group, distance and is_anomalous for each entity.

        `archetype` is `UNJUDGED` where under half of the features are known, and `ANOMALOUS` where
        the entity is farther from every group than members ever are; `nearest` and `distance` say
        which was closest.
        """
        scaled = self.scaling.matrix(signatures)
        judged = judgeable(scaled)
        nearest, far = nearest_of(scaled, self.centres)
        odd = judged & (far > self.limits[nearest])
        frame = signatures[[key for key in KEYS if key in signatures]].copy()
        names = np.array([*self.names, ANOMALOUS], dtype=object)
        found = names[np.where(odd, self.k, nearest)]
        closest = names[nearest]
        found[~judged] = UNJUDGED
        closest[~judged] = None
        frame["archetype"] = found
        frame["nearest"] = closest
        frame["distance"] = np.where(judged, far, np.nan)
        frame["is_anomalous"] = odd
        return frame

    def table(self) -> pd.DataFrame:
        """Return one row a group: name, size, what stands out, typical values in own units."""
        import pandas as pd  # noqa: PLC0415  # heavy

        return pd.DataFrame(
            [
                {
                    "archetype": group.name,
                    "entities": group.entities,
                    "share": group.share,
                    "characteristics": group.characteristics,
                    **group.typical,
                    "named_by": group.basis,
                }
                for group in self.groups
            ]
        )

    def save(self, folder: Path) -> None:
        """Write `archetypes.json` and `archetypes.npz`."""
        words, arrays = scales.to_save(self.scaling)
        words |= {name: getattr(self, name) for name in _WORDS}
        words |= {"kind": STEM, "groups": [asdict(group) for group in self.groups]}
        arrays |= {"centres": self.centres, "limits": self.limits}
        files.write(folder, STEM, words=words, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; refuse anything else."""
        words, arrays = files.read(folder, STEM, kind=STEM)
        plain: dict[str, Any] = {name: words[name] for name in _WORDS}
        plain |= {name: tuple(words[name]) for name in ("unavailable", "set_aside")}
        return cls(
            scaling=scales.loaded(words, arrays),
            groups=tuple(Archetype(**group) for group in words["groups"]),
            centres=arrays["centres"],
            limits=arrays["limits"],
            **plain,
        )


_WORDS = (
    "unavailable",
    "set_aside",
    "rows",
    "rows_imputed",
    "rows_unjudged",
    "rows_anomalous",
    "silhouette",
    "stability",
    "silhouette_by_k",
    "stability_by_k",
)


def judgeable(scaled: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows are known well enough: more than half of their features."""
    known = np.isfinite(scaled).sum(axis=1)
    return np.asarray(known * 2 > scaled.shape[1])


def filled(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return clipped values with the median, which is 0, where a value is unknown."""
    return np.clip(np.nan_to_num(scaled, nan=0.0), -CLIP, CLIP)


def nearest_of(
    scaled: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return each row's nearest centre by clipped values, and its distance by unclipped ones."""
    inside, outside = filled(scaled), np.nan_to_num(scaled, nan=0.0)
    gaps = (inside**2).sum(axis=1)[:, None] - 2 * inside @ centres.T + (centres**2).sum(axis=1)
    nearest = np.asarray(gaps.argmin(axis=1), dtype=np.intp)
    far = np.sqrt(((outside - centres[nearest]) ** 2).sum(axis=1))
    return nearest, np.asarray(far, dtype=np.float64)
