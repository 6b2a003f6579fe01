"""The context of a decision: named features as one standardised vector.

    z = arcsinh((value - median) / (IQR / 1.349))

The median and the interquartile range are learned once, from the log. `arcsinh` is the identity
near zero and a logarithm far out, so one account's monster doesn't speak for everyone. An unknown
value is 0 (the median) and raises a flag of its own where the log had unknown values too. Money
enters only as ratios, so accounts in different currencies can teach each other.

Reads   columns by name: of `States`, or `state_*` of a log.
Gives   `Context` and its matrix: 1, level, standardised features, flags of the unknown, words;
        `Reading`, what policies that look at one tell of themselves.
Never   takes the unknown for zero without saying so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import (
    InvalidValueError,
    MissingColumnsError,
    NotEnoughDataError,
    UnknownNameError,
)
from intel_ml.core.ids import EntityType
from intel_ml.features.states import States

if TYPE_CHECKING:
    import pandas as pd

#: What a policy looks at unless told otherwise; amounts of money are left out on purpose.
DEFAULT_FEATURES: tuple[str, ...] = (
    "cpa_ratio",
    "roas",
    "ctr_zscore",
    "cpa_trend_3d",
    "cpa_trend_7d",
    "ctr_trend_7d",
    "roas_trend_7d",
    "frequency",
    "frequency_velocity",
    "days_since_edit",
    "days_active",
    "hours_since_conversion",
    "conversions_7d",
    "budget_utilization",
    "budget_pacing",
    "learning_phase",
)
#: Features that are words, with the words they can be.
LEVELS: dict[str, tuple[str, ...]] = {
    "learning_phase": ("LEARNING", "LEARNING_LIMITED", "ACTIVE"),
    "day_of_week": (
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ),
}
PREFIX = "state_"
_TYPES = {kind.value: 1 + index for index, kind in enumerate(EntityType)}
_FIXED = 1 + len(_TYPES)
_IQR_OF_NORMAL = 1.349
_QUARTILES = (25, 50, 75)
_FARTHEST = 1e12
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Context:
    """How values become a vector; learned once, then fixed: later vectors mean the same.

    `entity_types` are those of the log: of others nothing was learned. `width` is how long a vector
    is; `units` holds median and scale by feature, `flags` the features with a flag of the unknown.
    """

    features: tuple[str, ...]
    entity_types: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    median: NDArray[np.float64]
    scale: NDArray[np.float64]
    flagged: NDArray[np.intp]
    width: int = field(init=False)
    units: tuple[tuple[float, float], ...] = field(init=False, compare=False, repr=False)
    flags: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Plain numbers beside the arrays: one row is judged without making arrays.
        levels = sum(len(LEVELS[word]) for word in self.words)
        width = _FIXED + len(self.numbers) + len(self.flagged) + levels
        units = tuple(zip(self.median.tolist(), self.scale.tolist(), strict=True))
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "flags", tuple(self.flagged.tolist()))

    @property
    def groups(self) -> dict[str, list[int]]:
        """Return which places of the vector belong to which feature."""
        places = {name: [_FIXED + at] for at, name in enumerate(self.numbers)}
        at = _FIXED + len(self.numbers)
        for flag in self.flagged:
            places[self.numbers[flag]].append(at)
            at += 1
        for word in self.words:
            places[word] = list(range(at, at + len(LEVELS[word])))
            at += len(LEVELS[word])
        return places

    def usual(self, feature: str) -> float | None:
        """Return the median of a feature in the log; None for words."""
        return float(self.median[self.numbers.index(feature)]) if feature in self.numbers else None

    def of_states(self, states: States) -> NDArray[np.float64]:
        """Return the matrix (n, width) of states."""
        if len(states) == 1:
            return np.array([self.row(states.columns, states.entities[0].type)])
        return self.matrix(states.columns, [entity.type for entity in states.entities])

    def row(self, columns: Mapping[str, Any], kind: str) -> list[float]:
        """Return what `matrix` does for columns of length one, without the price of arrays."""
        vector = [0.0] * self.width
        vector[0] = vector[_TYPES[kind]] = 1.0
        at = _FIXED
        unknown = []
        for name, (median, scale) in zip(self.numbers, self.units, strict=True):
            column = columns.get(name)
            value = None if column is None else column[0]
            if value is not None and math.isfinite(value):
                near = min(max(float(value), -_FARTHEST), _FARTHEST)
                vector[at] = math.asinh((near - median) / scale)
                unknown.append(False)
            else:
                unknown.append(True)
            at += 1
        for flag in self.flags:
            vector[at] = float(unknown[flag])
            at += 1
        for word in self.words:
            column = columns.get(word)
            said = None if column is None else column[0]
            for level in LEVELS[word]:
                vector[at] = float(said == level)
                at += 1
        return vector

    def matrix(self, columns: Mapping[str, Any], types: Sequence[str]) -> NDArray[np.float64]:
        """Return the matrix (n, width); a column that isn't there is unknown."""
        rows, count = len(types), len(self.numbers)
        raw = np.empty((rows, count))
        for at, name in enumerate(self.numbers):
            column = columns.get(name)
            raw[:, at] = np.nan if column is None else column
        unknown = ~np.isfinite(raw)
        np.clip(raw, -_FARTHEST, _FARTHEST, out=raw)
        raw -= self.median
        raw /= self.scale
        raw[unknown] = 0.0
        vectors = np.zeros((rows, self.width))
        vectors[:, 0] = 1.0
        for row, kind in enumerate(types):
            vectors[row, _TYPES[kind]] = 1.0
        np.arcsinh(raw, out=vectors[:, _FIXED : _FIXED + count])
        at = _FIXED + count
        vectors[:, at : at + len(self.flagged)] = unknown[:, self.flagged]
        at += len(self.flagged)
        for word in self.words:
            column = columns.get(word)
            for level in LEVELS[word]:
                if column is not None:
                    vectors[:, at] = np.asarray(column) == level
                at += 1
        return vectors

    def told(self, columns: Mapping[str, Any], rows: int) -> NDArray[np.float64]:
        """Return numbers standardised and words by their place, (rows, features); NaN: unknown."""
        found = np.full((rows, len(self.numbers) + len(self.words)), np.nan)
        for at, name in enumerate(self.numbers):
            if (column := columns.get(name)) is not None:
                found[:, at] = column
        numbers = found[:, : len(self.numbers)]
        numbers[~np.isfinite(numbers)] = np.nan
        np.clip(numbers, -_FARTHEST, _FARTHEST, out=numbers)
        numbers -= self.median
        numbers /= self.scale
        np.arcsinh(numbers, out=numbers)
        for at, word in enumerate(self.words, start=len(self.numbers)):
            if (column := columns.get(word)) is not None:
                said = np.asarray(column, dtype=object)
                for place, level in enumerate(LEVELS[word]):
                    found[said == level, at] = place
        return found

    def words_to_save(self) -> dict[str, Any]:
        """Return what goes into json."""
        return {"features": list(self.features), "entity_types": list(self.entity_types)}

    def arrays_to_save(self) -> dict[str, NDArray[Any]]:
        """Return what goes into npz."""
        return {
            "context_median": self.median,
            "context_scale": self.scale,
            "context_flagged": self.flagged,
        }


class Knows(Protocol):
    """What was learned by a policy that looks at a context."""

    @property
    def context(self) -> Context:
        """How values become its vector."""


class Reading:
    """What a policy reads: as it was asked to before its first log, as it learned after."""

    _asked: tuple[str, ...] | None
    _fitted: Knows | None

    @property
    def features(self) -> tuple[str, ...]:
        """The features it reads; before the first log, those it would like to."""
        if self._fitted is not None:
            return self._fitted.context.features
        return DEFAULT_FEATURES if self._asked is None else self._asked

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The levels it learned from; empty before the first log."""
        return () if self._fitted is None else self._fitted.context.entity_types


def loaded(words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Context:
    """Return the context that was saved."""
    features = words["features"]
    return Context(
        features=tuple(features),
        entity_types=tuple(words["entity_types"]),
        numbers=tuple(name for name in features if name not in LEVELS),
        words=tuple(name for name in features if name in LEVELS),
        median=arrays["context_median"],
        scale=arrays["context_scale"],
        flagged=arrays["context_flagged"].astype(np.intp),
    )


def learned(log: pd.DataFrame, features: Sequence[str] | None) -> Context:
    """Return the context of a log: features asked for must be there, default ones may."""
    present = [str(c).removeprefix(PREFIX) for c in log.columns if str(c).startswith(PREFIX)]
    if features is None:
        features = [name for name in DEFAULT_FEATURES if name in present]
    for name in features:
        if name not in present:
            raise UnknownNameError(kind="feature", name=name, known=present)
    if not features:
        raise MissingColumnsError(missing=["state_*"], present=[str(c) for c in log.columns])
    if log.empty:
        raise NotEnoughDataError(quantity="decisions to learn from", needed=1, seen=0)
    numbers = tuple(name for name in features if name not in LEVELS)
    median, scale = np.zeros(len(numbers)), np.ones(len(numbers))
    flagged = []
    for at, name in enumerate(numbers):
        values = numeric(log[PREFIX + name])
        known = np.clip(values[np.isfinite(values)], -_FARTHEST, _FARTHEST)
        if len(known) < len(values):
            flagged.append(at)
        if len(known):
            median[at], scale[at] = _robust(known)
    return Context(
        features=tuple(features),
        entity_types=tuple(sorted(set(types_of(log)))),
        numbers=numbers,
        words=tuple(name for name in features if name in LEVELS),
        median=median,
        scale=scale,
        flagged=np.array(flagged, dtype=np.intp),
    )


def of_log(context: Context, log: pd.DataFrame) -> NDArray[np.float64]:
    """Return the matrix (n, width) of a log's `state_*` columns."""
    columns: dict[str, Any] = {}
    for name in context.features:
        series = log.get(PREFIX + name)
        if series is None:
            continue
        columns[name] = series.to_numpy() if name in LEVELS else numeric(series)
    return context.matrix(columns, types_of(log))


def types_of(log: pd.DataFrame) -> list[str]:
    """Return each row's level; a log that doesn't say is of ad sets."""
    if "entity_type" not in log:
        return [EntityType.ADSET.value] * len(log)
    kinds = [str(kind) for kind in log["entity_type"].to_numpy(dtype=object).tolist()]
    for kind in dict.fromkeys(kinds):
        if kind not in _TYPES:
            raise InvalidValueError(
                path="entity_type",
                problem=f"'{kind}' is no level",
                hint=f"Levels are {', '.join(_TYPES)}.",
            )
    return kinds


def numeric(series: pd.Series) -> NDArray[np.float64]:
    """Return a column as float64 with NaN for whatever is missing."""
    try:
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        name = str(series.name)
        is_feature = name.startswith(PREFIX)
        raise InvalidValueError(
            path=f"features.{name.removeprefix(PREFIX)}" if is_feature else name,
            problem="holds words this policy cannot read",
            hint=f"Words it reads: {', '.join(LEVELS)}." if is_feature else "",
        ) from error


def _robust(known: NDArray[np.float64]) -> tuple[float, float]:
    low, middle, high = np.percentile(known, _QUARTILES)
    spread = (high - low) / _IQR_OF_NORMAL
    # What only rounding tells apart is the same.
    same = _ROUNDING * float(np.abs(known).max())
    if spread <= same:
        spread = float(known.std())
    return float(middle), float(spread) if spread > same else 1.0
