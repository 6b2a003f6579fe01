"""The feature catalogue as a notebook shows it: a table that can be searched.

Reads   `intel_ml.features.catalogue`.
Gives   `Shelf`: every feature with unit, meaning and formula.
Never   computes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intel_ml.features.catalogue import FEATURES, feature
from intel_ml.features.feature import Feature

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some features; `search` narrows them, a name in brackets gives one."""

    features: tuple[Feature, ...] = FEATURES

    def search(self, words: str) -> Shelf:
        """Return the features in whose name, meaning or formula every word occurs.

        >>> [one.name for one in Shelf().search("frequency velocity").features]
        ['frequency_velocity']
        """
        wanted = words.lower().split()
        return Shelf(tuple(one for one in self.features if all(w in _text(one) for w in wanted)))

    def __getitem__(self, name: str) -> Feature:
        return feature(name)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def table(self) -> pd.DataFrame:
        """One row a feature."""
        import pandas as pd  # noqa: PLC0415  # heavy

        return pd.DataFrame(
            [
                {
                    "name": one.name,
                    "unit": one.unit,
                    "meaning": one.description,
                    "formula": one.formula,
                    "used as": ", ".join(sorted(one.roles)),
                }
                for one in self.features
            ],
            columns=["name", "unit", "meaning", "formula", "used as"],
        ).set_index("name")

    @property
    def titles(self) -> dict[str, str]:
        """Return {column: "label (unit)"} for tables and axes."""
        return {
            one.name: f"{one.label} ({one.unit})" if one.unit else one.label
            for one in self.features
        }

    def dictionary(self, *, prefix: str = "") -> dict[str, str]:
        """Return {column: meaning} for frames whose columns are these features."""
        return {f"{prefix}{one.name}": _sentence(one) for one in self.features}

    def __repr__(self) -> str:
        return str(self.table[["unit", "meaning", "formula"]].to_string())

    def _repr_html_(self) -> str:
        return str(self.table.to_html(max_rows=None))


def _text(one: Feature) -> str:
    return (
        f"{one.name} {one.label} {one.description} {one.formula}".lower().replace("_", " ")
        + one.name
    )


def _sentence(one: Feature) -> str:
    unit = f" ({one.unit})" if one.unit else ""
    return f"{one.label}{unit}: {one.formula}"
