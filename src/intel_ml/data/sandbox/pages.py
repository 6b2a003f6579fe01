"""Hours of history that never change again, held small: sheets of one hour, pages of a day.

Counts that nearly every ad has (impressions, clicks, spend) are dense columns of the narrowest
unsigned integers that hold them; purchases, which few ads have in an hour, are a sorted list of
(ad, hour, delay of the report, how many, value of one).

Reads   counts of one hour; which ads are asked for, and up to when reports are known.
Gives   sums of some hours of a page, added to a total.
Never   changes a page that is bound: forks share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Narrow = NDArray[Any]

_WIDTHS = (np.uint8, np.uint16, np.uint32)
_DENSE = 3
_KNOWN, _TRUE = _DENSE, _DENSE + 2


@dataclass(frozen=True, slots=True)
class Sales:
    """Purchases, one row for each ad, hour and delay that had any, in the order of the ads."""

    ad: Narrow
    hour: Narrow
    delay: Narrow
    count: Narrow
    value: Narrow

    @property
    def size_bytes(self) -> int:
        """How much memory they take."""
        return sum(one.nbytes for one in (self.ad, self.hour, self.delay, self.count, self.value))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One hour: dense counts by ad, and its purchases."""

    counts: tuple[Narrow, ...]
    sales: Sales

    @classmethod
    def of(
        cls, *, counts: Sequence[Ints], reports: Ints, unit_value: Ints, delays: Sequence[int]
    ) -> Sheet:
        """Return the sheet of an hour; `reports` is of shape (ads, delays)."""
        ad, place = np.nonzero(reports)
        sales = Sales(
            ad=narrowed(ad),
            hour=np.zeros(len(ad), dtype=np.uint8),
            delay=narrowed(np.asarray(delays)[place]),
            count=narrowed(reports[ad, place]),
            value=narrowed(unit_value[ad]),
        )
        return cls(tuple(narrowed(one) for one in counts), sales)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(one.nbytes for one in self.counts) + self.sales.size_bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows of ads in the order of the answer, and the hour up to which reports are known."""

    ads: Ints
    known: int
    first: int
    end: int
    place: Ints

    @classmethod
    def of(cls, ads: Ints, *, known: int) -> Asked:
        """Return a question about these ads, each at most once."""
        first, end = int(ads.min()), int(ads.max()) + 1
        place = np.full(end - first, -1, dtype=np.int64)
        place[ads - first] = np.arange(len(ads))
        return cls(ads, known, first, end, place)

    @property
    def is_run(self) -> bool:
        """Whether the ads follow one another, so that a slice finds them."""
        return len(self.ads) == self.end - self.first and bool((np.diff(self.ads) == 1).all())


@dataclass(frozen=True, slots=True)
class Page:
    """Some hours in a row: dense counts of shape (hours, ads) and their sums, and purchases."""

    counts: tuple[Narrow, ...]
    sums: tuple[Narrow, ...]
    sales: Sales

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(one.nbytes for one in (*self.counts, *self.sums)) + self.sales.size_bytes

    def add(self, total: Ints, asked: Asked, *, start: int, hours: tuple[int, int]) -> None:
        """Add the sums of half-open `hours` of this page, which begins at `start`, to `total`."""
        low, high = hours
        length, width = self.counts[0].shape
        is_whole = (low, high) == (0, length)
        is_run = asked.is_run and asked.end <= width
        for n in range(_DENSE):
            source = self.sums[n][None] if is_whole else self.counts[n][low:high]
            if is_run:
                found = source[:, asked.first : asked.end].sum(axis=0, dtype=np.int64)
                total[n] += found
            else:
                there = asked.ads < width
                total[n, there] += source[:, asked.ads[there]].sum(axis=0, dtype=np.int64)
        self._add_sales(total, asked, start=start, hours=hours)

    def _add_sales(self, total: Ints, asked: Asked, *, start: int, hours: tuple[int, int]) -> None:
        one = self.sales
        first, end = np.searchsorted(one.ad, (asked.first, asked.end))
        if first == end:
            return
        rows = slice(int(first), int(end))
        place = asked.place[one.ad[rows].astype(np.int64) - asked.first]
        hour = one.hour[rows].astype(np.int64)
        wanted = (place >= 0) & (hour >= hours[0]) & (hour < hours[1])
        place = place[wanted]
        count = one.count[rows][wanted].astype(np.int64)
        money = count * one.value[rows][wanted].astype(np.int64)
        true = _by_place(place, (count, money), len(asked.ads))
        total[_TRUE : _TRUE + 2] += true
        is_due = start + hour[wanted] + one.delay[rows][wanted] < asked.known
        if is_due.all():
            total[_KNOWN : _KNOWN + 2] += true
        else:
            due = (count[is_due], money[is_due])
            total[_KNOWN : _KNOWN + 2] += _by_place(place[is_due], due, len(asked.ads))


def bind_page(sheets: Sequence[Sheet], *, ads: int) -> Page:
    """Return the page of consecutive hours; ads that came later have nothing in the first ones."""
    counts = tuple(_stacked([sheet.counts[n] for sheet in sheets], ads=ads) for n in range(_DENSE))
    hour = np.repeat(
        np.arange(len(sheets), dtype=np.uint8), [len(sheet.sales.ad) for sheet in sheets]
    )
    ad = np.concatenate([sheet.sales.ad for sheet in sheets])
    order = np.argsort(ad, kind="stable")
    sales = Sales(
        ad=ad[order],
        hour=hour[order],
        delay=np.concatenate([sheet.sales.delay for sheet in sheets])[order],
        count=np.concatenate([sheet.sales.count for sheet in sheets])[order],
        value=np.concatenate([sheet.sales.value for sheet in sheets])[order],
    )
    sums = tuple(narrowed(one.sum(axis=0, dtype=np.int64)) for one in counts)
    return Page(counts, sums, sales)


def narrowed(values: NDArray[Any]) -> Narrow:
    """Return counts as the narrowest unsigned integers that hold them all.

    >>> narrowed(np.array([3, 300])).dtype
    dtype('uint16')
    """
    largest = int(values.max(initial=0))
    width = next((one for one in _WIDTHS if largest <= np.iinfo(one).max), np.uint64)
    return values.astype(width)


def _stacked(rows: Sequence[Narrow], *, ads: int) -> Narrow:
    page = np.zeros((len(rows), ads), dtype=np.result_type(*rows))
    for n, row in enumerate(rows):
        page[n, : len(row)] = row
    return page


def _by_place(place: Ints, weights: tuple[Ints, Ints], length: int) -> Ints:
    """Return exact sums by ad, one row a weight: below 2**53 a float holds every whole number."""
    return np.array(
        [np.bincount(place, weights=one, minlength=length) for one in weights], dtype=np.int64
    )
