"""What happened, by hour and ad, as known now.

    known at hour n:   a purchase of hour h reported after d hours counts once h + d < n

so nothing that was written is ever written again: an hour is closed when it is over, a late report
restates it by coming due, and forks share every hour they have in common. Whole days are kept as
the narrowest integers that hold them, purchases as a list of the few ads that had any: no hour is
ever thrown away (about 5 bytes an ad and hour: 100,000 ads over 30 days are some 400 MB).

Reads   the counts of one hour at a time.
Gives   sums over windows of hours, restated as late reports come due.
Never   forgets the hour a purchase belongs to: a late report counts in its own hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.pages import Asked, Page, Sheet, bind_page

Ints = NDArray[np.int64]

_PAGE_HOURS = 24


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
    """Pages of whole days, and the sheets of the hours since the last whole one."""

    def __init__(self, *, ads: int, delays: Sequence[int]) -> None:
        self.delays = tuple(delays)
        self.ads = ads
        self.hours = 0
        self._pages: list[Page] = []
        self._sheets: list[Sheet] = []
        self._open: Page | None = None

    @property
    def counts(self) -> Ints:
        """Every hour of every ad, of shape (columns, hours, ads): for studies of small worlds."""
        hours = [(hour, hour + 1) for hour in range(self.hours)]
        return self.windows(hours, ads=np.arange(self.ads))

    @property
    def size_bytes(self) -> int:
        """How much memory the history takes."""
        whole = sum(page.size_bytes for page in self._pages)
        return whole + sum(sheet.size_bytes for sheet in self._sheets)

    def fork(self) -> Ledger:
        """Return a copy that shares the past, which never changes, and has a future of its own."""
        twin = Ledger(ads=self.ads, delays=self.delays)
        twin.hours = self.hours
        twin._pages, twin._sheets = list(self._pages), list(self._sheets)
        twin._open = self._open
        return twin

    def add_ad(self) -> None:
        """Make room for one more ad, with nothing in its past."""
        self.ads += 1

    def record(self, hour: Hour) -> None:
        """Write the next hour; reports with a delay become known when they are due."""
        self._sheets.append(
            Sheet.of(
                counts=(hour.impressions, hour.clicks, hour.spend),
                reports=hour.reports,
                unit_value=hour.unit_value,
                delays=self.delays,
            )
        )
        self.hours += 1
        self._open = None
        if len(self._sheets) == _PAGE_HOURS:
            self._pages.append(bind_page(self._sheets, ads=self.ads))
            self._sheets = []

    def windows(self, bounds: Sequence[tuple[int, int]], *, ads: Ints) -> Ints:
        """Return sums of shape (columns, windows, ads) over half-open hours that have happened."""
        total = np.zeros((len(Column), len(bounds), len(ads)), dtype=np.int64)
        if not len(ads):
            return total
        asked = Asked.of(ads, known=self.hours)
        for n, (first, end) in enumerate(bounds):
            low, high = max(first, 0), min(end, self.hours)
            while low < high:
                number = low // _PAGE_HOURS
                start = number * _PAGE_HOURS
                stop = min(high, start + _PAGE_HOURS)
                self._page(number).add(
                    total[:, n], asked, start=start, hours=(low - start, stop - start)
                )
                low = stop
        return total

    def _page(self, number: int) -> Page:
        """Return a whole day, or what there is of the last one."""
        if number < len(self._pages):
            return self._pages[number]
        if self._open is None:
            self._open = bind_page(self._sheets, ads=self.ads)
        return self._open
