"""Decisions worth remembering, as columns: read from a log, bounded, saved as arrays.

Kept are the first `MOST` decisions by (place among those of the same account and arm, key), where
the key is a hash of the decision: arms seldom tried are kept whole, and the same decisions are kept
however the log was ordered or cut into parts (bottom-k sampling: Cohen & Kaplan, 2007, PODC).

Reads   a log of decisions; what doesn't say whose or when is not remembered.
Gives   `Rows`.
Never   takes in what nobody saw (what a pause would have earned), or more than `MOST`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS
from intel_ml.core.ids import EntityType
from intel_ml.core.recommendations import Verdict
from intel_ml.intelligence.policy.context import LEVELS, PREFIX, Context, numeric, types_of
from intel_ml.intelligence.policy.protocol import MAINTAIN

if TYPE_CHECKING:
    import pandas as pd

MOST = 2_000
ACCOUNT, SHARES = "ad_account_id", "share_learning"
VERDICTS = tuple(Verdict)
#: When an outcome is known where the log doesn't say: after the longest horizon.
_LONGEST_HOURS = 72.0
_MOST_HOURS = 8_760.0
_HOUR_US = 3_600_000_000
#: What pandas makes of a moment that is none.
_NEVER = np.iinfo(np.int64).min
_OUTCOMES = ("reward", "reward_earned", "reward_against_holdout")
_NAMES = {"account": "accounts", "entity": "entities"}
_WITH_HOLES = ("features", "outcomes")

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]


class Tells(StrEnum):
    """What is remembered of a decision: what it earned, or what a person said to it."""

    OUTCOMES = "outcomes"
    VERDICTS = "verdicts"


@dataclass(frozen=True, slots=True)
class Rows:
    """Decisions as columns; times are in microseconds, `verdict` is -1 where nobody said anything.

    `arm` is what was executed, or what was proposed where verdicts are told. `features` (n, width)
    and `outcomes` (n, 3: reward, earned, against held-out units) are NaN where unknown.
    """

    key: NDArray[np.uint64]
    account: NDArray[np.object_]
    entity: NDArray[np.object_]
    level: NDArray[np.uint8]
    arm: NDArray[np.uint8]
    executed: NDArray[np.uint8]
    verdict: NDArray[np.int8]
    moment: NDArray[np.int64]
    known_at: NDArray[np.int64]
    features: Floats
    outcomes: Floats

    def __len__(self) -> int:
        return len(self.key)

    def take(self, index: NDArray[np.intp]) -> Rows:
        """Return some of the rows, in that order."""
        return Rows(*(getattr(self, one.name)[index] for one in fields(self)))

    def learned(self, later: Rows) -> Rows:
        """Return these rows and the later ones, which replace what is told of the same decision."""
        stay = self.take(np.flatnonzero(~np.isin(self.key, later.key)))
        names = [one.name for one in fields(self)]
        both = Rows(*(np.concatenate([getattr(stay, n), getattr(later, n)]) for n in names))
        return both.take(_kept(both.account, both.arm, both.key))

    def words_to_save(self) -> dict[str, list[str]]:
        """Return what goes into json: the names that columns hold."""
        return {of: sorted(set(getattr(self, name))) for name, of in _NAMES.items()}

    def arrays_to_save(self) -> Arrays:
        """Return what goes into npz: names as numbers, what is known beside the values."""
        arrays: Arrays = {}
        for one in fields(self):
            column = getattr(self, one.name)
            if one.name in _NAMES:
                column = codes(column)
            elif one.name in _WITH_HOLES:
                arrays[f"cases_{one.name}_known"] = np.isfinite(column)
                column = np.nan_to_num(column, nan=0.0)
            arrays[f"cases_{one.name}"] = column
        return arrays


def no_rows(context: Context) -> Rows:
    """Return no decision."""
    names, numbers = np.zeros(0, dtype=object), np.zeros(0, dtype=np.uint8)
    return Rows(
        key=np.zeros(0, dtype=np.uint64),
        account=names,
        entity=names,
        level=numbers,
        arm=numbers,
        executed=numbers,
        verdict=np.zeros(0, dtype=np.int8),
        moment=np.zeros(0, dtype=np.int64),
        known_at=np.zeros(0, dtype=np.int64),
        features=np.zeros((0, len(context.numbers) + len(context.words))),
        outcomes=np.zeros((0, len(_OUTCOMES))),
    )


def saved_rows(words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Rows:
    """Return the rows that were saved."""
    columns = {one.name: arrays[f"cases_{one.name}"] for one in fields(Rows)}
    for name, of in _NAMES.items():
        names, at = np.array([*words[of], ""], dtype=object), columns[name]
        if len(at) and not 0 <= at.min() <= at.max() < len(words[of]):
            raise ValueError(f"cases of {of} that are not listed")
        columns[name] = names[at]
    for name in _WITH_HOLES:
        columns[name] = np.where(arrays[f"cases_{name}_known"], columns[name], np.nan)
    return Rows(**columns)


def rows_of_log(log: pd.DataFrame, context: Context, tells: Tells) -> Rows:
    """Return the decisions of a log that are remembered, at most `MOST`."""
    asked = "executed" if tells is Tells.OUTCOMES else "proposed"
    if not {ACCOUNT, "as_of", "executed", asked} <= set(log):
        return no_rows(context)
    log = log[_is_told(log, tells)]
    if log.empty:
        return no_rows(context)
    arms, known, keys = _places(log[asked], ARMS), _known_at(log), _keys(log, asked)
    # Of a decision that is told twice the last is kept, whatever the order.
    order = np.lexsort((_column(log, "reward"), known, keys))
    is_last = np.append(keys[order][1:] != keys[order][:-1], True)[: len(order)]
    chosen = order[is_last]
    accounts = log[ACCOUNT].astype(str).to_numpy(dtype=object)
    chosen = chosen[_kept(accounts[chosen], arms[chosen], keys[chosen])]
    some = log.iloc[chosen]
    return Rows(
        key=keys[chosen],
        account=accounts[chosen],
        entity=_names(some, "entity_id"),
        level=_places(types_of(some), tuple(EntityType)).astype(np.uint8),
        arm=arms[chosen].astype(np.uint8),
        executed=_places(some["executed"], ARMS).astype(np.uint8),
        verdict=_said(some),
        moment=_microseconds(some["as_of"]),
        known_at=known[chosen],
        features=context.told(_features(some, context), len(some)),
        outcomes=np.column_stack([_column(some, name) for name in _OUTCOMES]),
    )


def _is_told(log: pd.DataFrame, tells: Tells) -> NDArray[np.bool_]:
    """Return which rows say whose, when, what was done, and what came of it."""
    known = log[ACCOUNT].notna() & log["executed"].isin(list(ARMS))
    if "entity_type" in log:
        known &= log["entity_type"].isin(list(EntityType))
    if tells is Tells.VERDICTS:
        acts = [arm for arm in ARMS if arm is not ARMS[MAINTAIN]]
        known &= log["proposed"].isin(acts) & log["verdict"].isin(list(VERDICTS))
    use = known.to_numpy(dtype=np.bool_) & (_microseconds(log["as_of"]) != _NEVER)
    if tells is Tells.OUTCOMES:
        use = use & np.isfinite(_column(log, "reward"))
    return np.asarray(use, dtype=np.bool_)


def codes(column: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return each name's place among the sorted names of a column."""
    import pandas as pd  # noqa: PLC0415  # only where one learns or saves

    found, _ = pd.factorize(column, sort=True)
    return np.asarray(found, dtype=np.int64)


def _kept(
    accounts: NDArray[np.object_], arms: NDArray[Any], keys: NDArray[np.uint64]
) -> NDArray[np.intp]:
    """Return which rows stay, in the order of their places in the log."""
    if len(keys) <= MOST:
        return np.arange(len(keys))
    cells = codes(accounts) * len(ARMS) + arms
    order = np.lexsort((keys, cells))
    _, first, counts = np.unique(cells[order], return_index=True, return_counts=True)
    places = np.arange(len(order)) - np.repeat(first, counts)
    chosen = order[np.lexsort((keys[order], places))[:MOST]]
    return np.sort(chosen)


def _keys(log: pd.DataFrame, asked: str) -> NDArray[np.uint64]:
    """Return a number for each decision that is the same wherever and whenever it is told."""
    import pandas as pd  # noqa: PLC0415  # only where a log is at hand

    names = [ACCOUNT, "decision_id"]
    if "decision_id" not in log:
        names = [ACCOUNT, *(n for n in ("entity_type", "entity_id") if n in log), "as_of", asked]
    told = log[names].astype({name: str for name in names if name != "as_of"})
    if "as_of" in names:
        told["as_of"] = _microseconds(log["as_of"])
    return np.asarray(pd.util.hash_pandas_object(told, index=False), dtype=np.uint64)


def _known_at(log: pd.DataFrame) -> NDArray[np.int64]:
    """Return when what came of each decision is known: after its horizon, or when measured."""
    hours = _column(log, "horizon_hours")
    hours = np.where(np.isfinite(hours), np.clip(hours, 0.0, _MOST_HOURS), _LONGEST_HOURS)
    due = _microseconds(log["as_of"]) + np.asarray(hours * _HOUR_US, dtype=np.int64)
    if "measured_at" not in log:
        return due
    # What was never measured says nothing: `_NEVER` is the earliest moment of all.
    return np.maximum(due, _microseconds(log["measured_at"]))


def _microseconds(moments: pd.Series) -> NDArray[np.int64]:
    """Return moments since 1970; `_NEVER` where one is none, as a bare number is."""
    import pandas as pd  # noqa: PLC0415  # only where a log is at hand

    if pd.api.types.is_numeric_dtype(moments):
        return np.full(len(moments), _NEVER, dtype=np.int64)
    told = pd.to_datetime(moments, utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    return np.asarray(told.to_numpy(dtype="datetime64[us]").astype(np.int64))


def _places(column: Any, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each value among some names; -1 where it is none of them."""
    import pandas as pd  # noqa: PLC0415  # only where a log is at hand

    return np.asarray(pd.Index([str(name) for name in names]).get_indexer(column), dtype=np.int64)


def _said(log: pd.DataFrame) -> NDArray[np.int8]:
    if "verdict" not in log:
        return np.full(len(log), -1, dtype=np.int8)
    return _places(log["verdict"], VERDICTS).astype(np.int8)


def _names(log: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return (
        log[column].astype(str).to_numpy(dtype=object)
        if column in log
        else np.full(len(log), "", dtype=object)
    )


def _column(log: pd.DataFrame, name: str) -> Floats:
    return numeric(log[name]) if name in log else np.full(len(log), np.nan)


def _features(log: pd.DataFrame, context: Context) -> dict[str, Any]:
    return {
        name: log[PREFIX + name].to_numpy(dtype=object)
        if name in LEVELS
        else numeric(log[PREFIX + name])
        for name in context.features
        if PREFIX + name in log
    }
