"""What happened, by hour and ad, as known now.

Reads   the counts of one hour at a time.
Gives   sums over windows of hours, restated as late reports come in.
Never   forgets the hour a purchase belongs to: a late report goes into its own bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FIRST_HOURS = 240
_FORK_HOURS = 96


class Column(IntEnum):
    """What is counted; money in minor units. The last two are the truth, late reports included."""

    IMPRESSIONS = 0
    CLICKS = 1
    SPEND = 2
    CONVERSIONS = 3
    VALUE = 4
    TRUE_CONVERSIONS = 5
    TRUE_VALUE = 6


@dataclass(frozen=True, slots=True)
class Hour:
    """The counts of one hour, one row an ad; `reports` has a column for each delay."""

    impressions: Ints
    clicks: Ints
    spend: Ints
    reports: Ints
    unit_value: Ints


class Ledger:
    """Arrays of shape (columns, hours, ads) that grow with time and with copies."""

    def __init__(self, *, ads: int, delays: Sequence[int]) -> None:
        self.delays = tuple(delays)
        self.hours = 0
        self.counts = np.zeros((len(Column), _FIRST_HOURS, ads), dtype=np.int64)
        self.late = np.zeros((len(self.delays), _FIRST_HOURS, ads), dtype=np.int32)
        self.unit_value = np.zeros((_FIRST_HOURS, ads), dtype=np.int64)

    def fork(self) -> Ledger:
        """Return a copy that shares nothing."""
        twin = Ledger.__new__(Ledger)
        twin.delays, twin.hours = self.delays, self.hours
        # Room for a few days ahead; copying the unused hours would cost more than the used ones.
        size = (self.hours + _FORK_HOURS, self.counts.shape[2])
        twin.counts = np.zeros((len(Column), *size), dtype=self.counts.dtype)
        twin.late = np.zeros((len(self.delays), *size), dtype=self.late.dtype)
        twin.unit_value = np.zeros(size, dtype=self.unit_value.dtype)
        twin.counts[:, : self.hours] = self.counts[:, : self.hours]
        twin.late[:, : self.hours] = self.late[:, : self.hours]
        twin.unit_value[: self.hours] = self.unit_value[: self.hours]
        return twin

    def add_ad(self) -> None:
        """Make room for one more ad, with nothing in its past."""
        self.counts = np.pad(self.counts, ((0, 0), (0, 0), (0, 1)))
        self.late = np.pad(self.late, ((0, 0), (0, 0), (0, 1)))
        self.unit_value = np.pad(self.unit_value, ((0, 0), (0, 1)))

    def record(self, hour: Hour) -> None:
        """Write the next hour, and the reports that are due at its end."""
        at = self.hours
        if at == self.counts.shape[1]:
            self._grow()
        everything = hour.reports.sum(axis=1)
        self.counts[Column.IMPRESSIONS, at] = hour.impressions
        self.counts[Column.CLICKS, at] = hour.clicks
        self.counts[Column.SPEND, at] = hour.spend
        self.counts[Column.TRUE_CONVERSIONS, at] = everything
        self.counts[Column.TRUE_VALUE, at] = everything * hour.unit_value
        self.unit_value[at] = hour.unit_value
        self.late[:, at] = hour.reports.T
        for n, delay in enumerate(self.delays):
            past = at - delay
            if past >= 0:
                due = self.late[n, past]
                self.counts[Column.CONVERSIONS, past] += due
                self.counts[Column.VALUE, past] += due * self.unit_value[past]
        self.hours += 1

    def windows(self, bounds: Sequence[tuple[int, int]], *, ads: Ints) -> Ints:
        """Return sums of shape (columns, windows, ads) over half-open hours that have happened."""
        total = np.zeros((len(Column), len(bounds), len(ads)), dtype=np.int64)
        for n, (first, end) in enumerate(bounds):
            low, high = max(first, 0), min(end, self.hours)
            if low < high:
                total[:, n] = self.counts[:, low:high].sum(axis=1)[:, ads]
        return total

    def _grow(self) -> None:
        more = self.counts.shape[1]
        self.counts = np.pad(self.counts, ((0, 0), (0, more), (0, 0)))
        self.late = np.pad(self.late, ((0, 0), (0, more), (0, 0)))
        self.unit_value = np.pad(self.unit_value, ((0, more), (0, 0)))
