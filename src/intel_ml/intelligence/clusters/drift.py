"""Drift of membership: what new archetypes changed about who belongs where.

    groups of two versions are matched by the largest total overlap (Hungarian method, Kuhn 1955);
    who is in a new group that is not the match of the old one has moved

Reads   two versions and the entities of today, each judged by both.
Gives   `Drift`: matched groups, the share that moved, a table of who went where.
Never   calls a new name a move: groups are matched by their members.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from intel_ml.core.errors import NotEnoughDataError
from intel_ml.intelligence.clusters.archetypes import ANOMALOUS, UNJUDGED, Archetypes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Match:
    """An old group and the new one most like it; `shared` is overlap over union."""

    before: str
    after: str
    shared: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed between two versions for the same entities."""

    matches: tuple[Match, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    entities: int
    moved: float
    agreement: float
    table: pd.DataFrame

    @property
    def text(self) -> str:
        """The drift in a sentence."""
        said = f"{self.moved:.0%} of {self.entities} entities are of another type than before"
        parts = [f"{said} (adjusted Rand index {self.agreement:.2f})"]
        if self.new:
            parts.append(f"new: {', '.join(self.new)}")
        if self.gone:
            parts.append(f"gone: {', '.join(self.gone)}")
        return "; ".join(parts) + "."

    def __str__(self) -> str:
        return f"{self.text}\n{self.table.to_string()}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.text)}</p>{self.table.to_html()}"


def drift(before: Archetypes, after: Archetypes, signatures: pd.DataFrame) -> Drift:
    """Return what `after` changed about who belongs where, for entities that both can judge.

    Raises `NotEnoughDataError` when there is none.
    """
    import pandas as pd  # noqa: PLC0415  # heavy
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  # heavy
    from sklearn.metrics import adjusted_rand_score  # noqa: PLC0415  # heavy

    old, new = (
        one.assign(signatures)["archetype"].to_numpy(dtype=object) for one in (before, after)
    )
    known = (old != UNJUDGED) & (new != UNJUDGED)
    old, new = old[known], new[known]
    if not len(old):
        raise NotEnoughDataError(quantity="entities that both versions judge", needed=1, seen=0)
    rows = [*before.names, *([ANOMALOUS] if (old == ANOMALOUS).any() else [])]
    columns = [*after.names, *([ANOMALOUS] if (new == ANOMALOUS).any() else [])]
    table = pd.crosstab(old, new).reindex(index=rows, columns=columns, fill_value=0)
    table.index.name, table.columns.name = "before", "now"
    groups = table.loc[list(before.names), list(after.names)].to_numpy(dtype=np.int64)
    one, other = linear_sum_assignment(groups, maximize=True)
    pairs = [(int(a), int(b)) for a, b in zip(one, other, strict=True) if groups[a, b] > 0]
    matches = tuple(
        Match(before.names[a], after.names[b], float(groups[a, b] / _union(table, a, b)))
        for a, b in pairs
    )
    stayed = sum(int(groups[a, b]) for a, b in pairs)
    if ANOMALOUS in rows and ANOMALOUS in columns:
        stayed += int(((old == ANOMALOUS) & (new == ANOMALOUS)).sum())
    kept = {a for a, _ in pairs}, {b for _, b in pairs}
    return Drift(
        matches=matches,
        gone=tuple(name for at, name in enumerate(before.names) if at not in kept[0]),
        new=tuple(name for at, name in enumerate(after.names) if at not in kept[1]),
        entities=len(old),
        moved=1 - stayed / len(old),
        agreement=float(adjusted_rand_score(old.astype(str), new.astype(str))),
        table=table,
    )


def _union(table: pd.DataFrame, row: int, column: int) -> int:
    counts = table.to_numpy(dtype=np.int64)
    return int(counts[row].sum() + counts[:, column].sum() - counts[row, column])
