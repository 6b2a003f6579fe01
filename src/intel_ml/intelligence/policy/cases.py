"""What was done in situations like this one: the nearest of a bounded memory of decisions.

    apart_j  = (z_j - z'_j)^2 / (2 var z_j)     a number that both know
             = 0 where equal, else 1            a word, or a number that never varied
             = 1                                what only one of the two knows
    likeness = 1 - mean of apart_j              over what either knows

z is a feature as the policy's context measures it, so its unit doesn't matter. Two cases picked at
random are 1 apart in the mean, and likeness says how much closer than that two are: 1 is the same
in all that is known, 0 no more alike than any two (Gower, 1971, Biometrics 27, with squares in
place of ranges). Alike is `ALIKE` and more, and only where both know half of the features that any
case knows: the unknown is never alike. All of it is measured among the cases that may be told of.

Reads   one state and its moment; `case_rows`.
Gives   `Cases`: learned at once or on top, saved as arrays; the nearest by `Cases.nearest`.
Never   shows what was not known yet when the question is asked, or whose case it was where that is
        another account's. An account that doesn't share is not even counted by others.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARMS, Arm
from intel_ml.core.errors import InvalidValueError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States
from intel_ml.intelligence.policy import recall
from intel_ml.intelligence.policy.case_rows import (
    ACCOUNT,
    SHARES,
    VERDICTS,
    Arrays,
    Floats,
    Rows,
    Tells,
    no_rows,
    rows_of_log,
    saved_rows,
)
from intel_ml.intelligence.policy.context import DEFAULT_FEATURES, PREFIX, Context, learned
from intel_ml.intelligence.policy.explain import SPOKEN
from intel_ml.intelligence.policy.recall import Case, Recalled

if TYPE_CHECKING:
    import pandas as pd

#: How many cases are shown unless told otherwise.
NEAREST = {Tells.OUTCOMES: 5, Tells.VERDICTS: 8}
ALIKE = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = 1_000_000
#: A number that varies less than this never varied.
_STEADY = 1e-9
_LEVELS = tuple(EntityType)
#: Whose cases (None: of all accounts that share), of which level, of which arm (None: of any).
_Place = tuple[str | None, EntityType, Arm | None]


@dataclass(frozen=True, slots=True)
class _Measure:
    """How cases of one shelf are compared: weight and most of each feature, how many are needed."""

    weight: Floats
    most: Floats
    needed: int


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The cases of one account (or of those that share), level and arm; views of the rows."""

    first: int
    weighted: Floats
    known: NDArray[np.bool_]
    counts: Floats
    known_at: NDArray[np.int64]
    measure: _Measure

    def part(self, start: int, stop: int) -> _Shelf:
        """Return the cases from row `start` up to, not including, `stop`."""
        of = slice(start - self.first, stop - self.first)
        return _Shelf(
            start,
            self.weighted[of],
            self.known[of],
            self.counts[of],
            self.known_at[of],
            self.measure,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Past decisions of one policy; `sharers` are the accounts that may be told of each other's."""

    context: Context
    tells: Tells
    rows: Rows
    sharers: frozenset[str] = frozenset()
    _shelves: Mapping[_Place, _Shelf] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = self.rows
        owners = [None, *sorted(set(rows.account) - self.sharers)]
        number = {owner: at for at, owner in enumerate(owners)}
        owner = np.array([number.get(account, 0) for account in rows.account], dtype=np.intp)
        # The newest first, so that of cases equally alike the newest is the nearest.
        order = np.lexsort((rows.key, -rows.moment, rows.arm, rows.level, owner))
        object.__setattr__(self, "rows", rows.take(order))
        object.__setattr__(self, "_shelves", self._shelved(owners, owner[order]))

    def __len__(self) -> int:
        return len(self.rows)

    def learned(self, log: pd.DataFrame, *, sharing: Collection[str] | None = None) -> Cases:
        """Return the memory with the decisions of a log; one known already is told anew.

        Who shares is what the log says last, or `sharing`.
        """
        later = rows_of_log(log, self.context, self.tells)
        sharers = self._sharers(log) if sharing is None else frozenset(sharing)
        if not len(later) and sharers == self.sharers:
            return self
        return Cases(self.context, self.tells, self.rows.learned(later), sharers)

    def nearest(self, states: States, row: int, arm: Arm, *, k: int | None = None) -> Recalled:
        """Return the most alike cases in which this arm was executed (or proposed), at most k."""
        if k is not None and k < 1:
            raise InvalidValueError(path="k", problem=f"{k} is below 1")
        entity = states.entities[row]
        whose = None if entity.account in self.sharers else entity.account
        among = None if self.tells is Tells.VERDICTS and arm is Arm.MAINTAIN else arm
        shelf = self._shelves.get((whose, EntityType(entity.type), among))
        if shelf is None or not states.moments:
            return recall.nothing(arm, self._unknown(arm, entity))
        columns = states.columns
        one = {n: columns[n][row : row + 1] for n in self.context.features if n in columns}
        asked = self.context.told(one, 1)[0]
        likeness, shared = _likeness(shelf, asked)
        in_time = shelf.known_at <= _microseconds(states.moments[row])
        likeness[~in_time | (shared < shelf.measure.needed)] = -np.inf
        order = np.argsort(-likeness, kind="stable")[: k or NEAREST[self.tells]]
        found = [at for at in order.tolist() if likeness[at] >= ALIKE]
        if not found:
            if not in_time.any():
                return recall.nothing(arm, self._unknown(arm, entity))
            return recall.nothing(arm, self._why_none(shelf, asked, likeness, arm))
        return self._told(arm, entity, shelf.first + np.array(found), likeness[found])

    def words_to_save(self) -> dict[str, Any]:
        """Return what goes into json."""
        return {"cases": {"sharers": sorted(self.sharers), **self.rows.words_to_save()}}

    def arrays_to_save(self) -> Arrays:
        """Return what goes into npz."""
        return self.rows.arrays_to_save()

    def _shelved(
        self, owners: Sequence[str | None], owner: NDArray[np.intp]
    ) -> dict[_Place, _Shelf]:
        """Return the shelves of rows that are sorted by owner, level and arm."""
        rows, shelves = self.rows, dict[_Place, _Shelf]()
        for number, first, end in _runs(owner, 0):
            told, whose = rows.features[first:end], owners[number]
            measure = _measure(told, words=len(self.context.words))
            known = np.isfinite(told)
            weighted = np.where(known, told * measure.weight, 0.0)
            counts = known.sum(axis=1).astype(np.float64)
            whole = _Shelf(first, weighted, known, counts, rows.known_at[first:end], measure)
            for level, low, high in _runs(rows.level[first:end], first):
                shelves[whose, _LEVELS[level], None] = whole.part(low, high)
                for arm, start, stop in _runs(rows.arm[low:high], low):
                    shelves[whose, _LEVELS[level], ARMS[arm]] = whole.part(start, stop)
        return shelves

    def _sharers(self, log: pd.DataFrame) -> frozenset[str]:
        if SHARES not in log or ACCOUNT not in log:
            return self.sharers
        is_yes = (log[SHARES] == True).fillna(value=False).astype(bool)  # noqa: E712  # None is no
        says = is_yes.groupby(log[ACCOUNT].astype(str)).all()
        return (self.sharers - set(says.index)) | set(says.index[says])

    def _told(self, arm: Arm, entity: Entity, places: NDArray[np.intp], alike: Floats) -> Recalled:
        rows, account = self.rows, entity.account
        cases = tuple(
            _case(rows, place, likeness, self.tells, account)
            for place, likeness in zip(places.tolist(), alike.tolist(), strict=True)
        )
        owners = set(zip(rows.account[places], rows.entity[places], strict=True))
        lent = sum(case.entity is None for case in cases)
        whose = recall.Whose(EntityType(entity.type), len(owners), lent)
        tell = recall.outcomes if self.tells is Tells.OUTCOMES else recall.verdicts
        return tell(arm, cases, whose)

    def _unknown(self, arm: Arm, entity: Entity) -> str:
        if self.tells is Tells.OUTCOMES:
            return recall.no_outcome(arm, EntityType(entity.type))
        return recall.no_verdict(arm)

    def _why_none(self, shelf: _Shelf, asked: Floats, likeness: Floats, arm: Arm) -> str:
        """Return why no case is alike enough."""
        nearest, needed = int(likeness.argmax()), shelf.measure.needed
        known = int(np.isfinite(asked).sum())
        if known < needed:
            return f"only {known} of {len(asked)} features are known of this one"
        if likeness[nearest] == -np.inf:
            return f"no past case knows {needed} of the features that are known of this one"
        count = int(np.isfinite(likeness).sum())
        what = (
            recall.tried(arm, count) if self.tells is Tells.OUTCOMES else recall.asked(arm, count)
        )
        near = max(float(likeness[nearest]), 0.0)
        return recall.too_far(what, near, ALIKE, self._differs(shelf, asked, nearest))

    def _differs(self, shelf: _Shelf, asked: Floats, at: int) -> str:
        """Return the feature in which a case differs most, as it is spoken of."""
        known, is_told = shelf.known[at], np.isfinite(asked)
        apart = _apart(shelf.weighted[at], asked, shelf.measure)
        apart = np.where(known & is_told, apart, np.where(known | is_told, 1.0, 0.0))
        name = (*self.context.numbers, *self.context.words)[int(apart.argmax())]
        return SPOKEN.get(name, name.replace("_", " "))


class _Remembered(Protocol):
    """What was learned by a policy that remembers."""

    @property
    def cases(self) -> Cases:
        """What it remembers."""


class Recalling:
    """A policy that remembers what it learned from."""

    _fitted: _Remembered | None

    def nearest(self, states: States, row: int, arm: Arm, *, k: int | None = None) -> Recalled:
        """Return the most alike past cases of this arm, and what came of them in a sentence."""
        if self._fitted is None:
            return recall.nothing(arm, recall.NOT_LEARNED)
        return self._fitted.cases.nearest(states, row, arm, k=k)


def empty(context: Context, tells: Tells = Tells.OUTCOMES) -> Cases:
    """Return a memory of nothing."""
    return Cases(context, tells, no_rows(context))


def loaded(
    words: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    context: Context,
    tells: Tells = Tells.OUTCOMES,
) -> Cases:
    """Return what was saved; of a policy saved before there were cases, a memory of nothing."""
    told = words.get("cases")
    if told is None:
        return empty(context, tells)
    return Cases(context, tells, saved_rows(told, arrays), frozenset(told["sharers"]))


def empty_of_log(log: pd.DataFrame, features: Sequence[str]) -> Cases:
    """Return a memory of nothing for a policy without a context.

    States are compared by what policies usually look at; by `features` where a log has none of it.
    """
    usual = [name for name in DEFAULT_FEATURES if PREFIX + name in log]
    return empty(learned(log, usual or [name for name in features if PREFIX + name in log]))


def _runs(sorted_column: NDArray[Any], offset: int) -> list[tuple[Any, int, int]]:
    """Return each value of a sorted column with where it begins and ends."""
    ends = np.flatnonzero(np.append(sorted_column[1:] != sorted_column[:-1], True)) + 1
    starts = [0, *ends[:-1].tolist()]
    found = zip(starts, ends.tolist(), strict=True) if len(sorted_column) else ()
    return [(sorted_column[start], offset + start, offset + end) for start, end in found]


def _measure(values: Floats, *, words: int) -> _Measure:
    """Return how the cases of a shelf are compared."""
    known = np.isfinite(values)
    seen = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / seen
    spread = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / seen)
    plain = spread > _STEADY
    plain[len(plain) - words :] = False
    weight = np.where(plain, 1.0 / (math.sqrt(2.0) * np.where(plain, spread, 1.0)), 1.0 / _STEADY)
    needed = max(1, math.ceil(int(known.any(axis=0).sum()) / 2))
    return _Measure(weight, np.where(plain, np.inf, 1.0), needed)


def _likeness(shelf: _Shelf, asked: Floats) -> tuple[Floats, Floats]:
    """Return how alike each case is, and how many features both know."""
    is_told = np.isfinite(asked)
    both = shelf.known & is_told
    shared = both.sum(axis=1)
    either = shelf.counts + is_told.sum() - shared
    apart = _apart(shelf.weighted, asked, shelf.measure)
    apart *= both
    total = apart.sum(axis=1) + either - shared
    return 1.0 - total / np.maximum(either, 1.0), shared


def _apart(weighted: Floats, asked: Floats, measure: _Measure) -> Floats:
    """Return how far cases are apart in each feature, as if all were known."""
    apart = weighted - np.where(np.isfinite(asked), asked * measure.weight, 0.0)
    apart *= apart
    found: Floats = np.minimum(apart, measure.most, out=apart)
    return found


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * _US)


def _case(rows: Rows, at: int, likeness: float, tells: Tells, account: str) -> Case:
    is_own = rows.account[at] == account
    kind, name = _LEVELS[rows.level[at]], rows.entity[at]
    said = int(rows.verdict[at])
    reward, earned, against = (
        value if math.isfinite(value) else None for value in rows.outcomes[at].tolist()
    )
    return Case(
        likeness=likeness,
        executed=ARMS[rows.executed[at]],
        reward=reward,
        earned=earned,
        against_left_alone=against,
        proposed=ARMS[rows.arm[at]] if tells is Tells.VERDICTS else None,
        verdict=VERDICTS[said] if said >= 0 else None,
        moment=_EPOCH + timedelta(microseconds=int(rows.moment[at])) if is_own else None,
        entity=Entity(AdAccountId(account), kind, EntityId(name)) if is_own else None,
    )
