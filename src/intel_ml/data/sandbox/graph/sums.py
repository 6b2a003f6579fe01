"""Sums of what was delivered, by window, part and ad.

Reads   a world's ledger.
Gives   arrays of shape (counts, cells, ads); a cell is a part of a window, windows first.
Never   rounds: whole units are shared out one by one, so that sums over hours, ads, levels and
        parts agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from intel_ml.data.sandbox.graph.breakdowns import (
    LANDED,
    LIKED,
    LINKED,
    REACTED,
    WHOLE,
    Breakdown,
    click_kinds,
    first_places,
)
from intel_ml.data.sandbox.graph.windows import Piece, Span
from intel_ml.data.sandbox.ledger import Column, Ledger
from intel_ml.data.sandbox.world import World

Ints = NDArray[np.int64]
_PLAIN = (Column.IMPRESSIONS, Column.CLICKS, Column.SPEND, Column.CONVERSIONS, Column.VALUE)
#: By ledger, so that a world nobody plays any more is forgotten with all of it.
_KEPT: WeakKeyDictionary[Ledger, dict[tuple[int, bytes], Ints]] = WeakKeyDictionary()
_MOST_KEPT = 64
_KINDS = (LANDED, LINKED, REACTED, LIKED)


class Count(IntEnum):
    """What is summed; the last four are the clicks by kind, in `breakdowns`' order."""

    IMPRESSIONS = 0
    CLICKS = 1
    SPEND = 2
    CONVERSIONS = 3
    VALUE = 4
    LANDED = 5
    LINKED = 6
    REACTED = 7
    LIKED = 8


def cell_sums(
    world: World, pieces: Sequence[Piece], *, ads: Ints, breakdown: Breakdown = WHOLE
) -> Ints:
    """Return sums of shape (counts, cells, ads) over the hours that have happened."""
    spans = [_happened(world, piece) for piece in pieces]
    parts = len(breakdown.labels)
    total = np.zeros((len(Count), len(pieces), parts, len(ads)), dtype=np.int64)
    if not len(ads) or not any(spans):
        return total.reshape(len(Count), len(pieces) * parts, len(ads))
    flat = [span for own in spans for span in own]
    found = _whole(world, flat, ads) if parts == 1 else _parted(world, flat, ads, breakdown)
    first = 0
    for n, own in enumerate(spans):
        total[:, n] = found[:, first : first + len(own)].sum(axis=1)
        first += len(own)
    return total.reshape(len(Count), len(pieces) * parts, len(ads))


def grouped(sums: Ints, where: Ints, *, groups: int) -> Ints:
    """Return sums by ad as sums by group; `where` is the group of each ad."""
    if groups == sums.shape[-1]:
        return sums
    belongs = np.zeros((sums.shape[-1], groups), dtype=np.int64)
    belongs[np.arange(sums.shape[-1]), where] = 1
    return sums @ belongs


def _clicks_before(ledger: Ledger, hour: int, ads: Ints) -> Ints:
    """Return each ad's clicks up to an hour that is over; they are never restated, so kept."""
    kept = _KEPT.setdefault(ledger, {})
    key = (hour, ads.tobytes())
    if key not in kept:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = ledger.windows([(0, hour)], ads=ads)[Column.CLICKS, 0]
    return kept[key]


def _happened(world: World, piece: Piece) -> list[Span]:
    cut = [(max(low, 0), min(high, world.hour)) for low, high in piece.spans]
    return [(low, high) for low, high in cut if low < high]


def _whole(world: World, spans: Sequence[Span], ads: Ints) -> Ints:
    """Return counts of shape (counts, spans, 1, ads).

    What kind a click is depends on how many clicks its ad had before it, so sums up to the ends
    of the spans are enough: no hour has to be looked at by itself.
    """
    marks = sorted({mark for span in spans for mark in span})
    at = {mark: n for n, mark in enumerate(marks)}
    upto = np.zeros((len(_PLAIN), len(marks), len(ads)), dtype=np.int64)
    gaps = world.ledger.windows(list(pairwise(marks)), ads=ads)
    np.cumsum(gaps[: len(_PLAIN)], axis=1, out=upto[:, 1:])
    low, high = [at[one] for one, _ in spans], [at[one] for _, one in spans]
    found = np.zeros((len(Count), len(spans), 1, len(ads)), dtype=np.int64)
    found[: len(_PLAIN), :, 0] = upto[:, high] - upto[:, low]
    before = _clicks_before(world.ledger, marks[0], ads)
    places = first_places(before + upto[Column.CLICKS, low], ads)
    found[len(_PLAIN) :, :, 0] = click_kinds(found[Count.CLICKS, :, 0], places)[list(_KINDS)]
    return found


def _parted(world: World, spans: Sequence[Span], ads: Ints, breakdown: Breakdown) -> Ints:
    """Return counts of shape (counts, spans, parts, ads), from those of each hour."""
    first, end = min(low for low, _ in spans), max(high for _, high in spans)
    every = [(hour, hour + 1) for hour in range(first, end)]
    block = world.ledger.windows(every, ads=ads)[: len(_PLAIN)]
    clicks = block[Column.CLICKS]
    before = _clicks_before(world.ledger, first, ads) + np.cumsum(clicks, axis=0)
    places = first_places(before - clicks, ads)
    hours = np.zeros((len(Count), end - first, len(breakdown.labels), len(ads)), dtype=np.int64)
    for column in _PLAIN[:-1]:
        hours[column] = breakdown.split(block[column], places)
    each = block[Column.VALUE] // np.maximum(block[Column.CONVERSIONS], 1)
    hours[Column.VALUE] = hours[Column.CONVERSIONS] * each[:, None]
    hours[len(_PLAIN) :] = breakdown.split_clicks(block[Column.CLICKS], places)[list(_KINDS)]
    found = [hours[:, low - first : high - first].sum(axis=1) for low, high in spans]
    return np.stack(found, axis=1)
