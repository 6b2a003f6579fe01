"""Timing: many repeats, the middle and the tail of them, as rows of one table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_AT_A_TIME = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; a quality has one number, in the place of the middle time."""

    what: str
    p50: str
    p99: str
    note: str
    mark: str = ""


def seconds_of(call: Callable[[], object], *, repeats: int, warm_up: int = 3) -> np.ndarray:
    """Return how long each of `repeats` calls took, in seconds."""
    (taken,) = side_by_side(call, repeats=repeats, warm_up=warm_up)
    return taken


def side_by_side(
    *calls: Callable[[], object], repeats: int, warm_up: int = 3
) -> tuple[np.ndarray, ...]:
    """Return how long each call took, in seconds, one array a call.

    The calls take turns, a few of each at a time: what else the machine does falls on all of them
    alike, and none pays for what the one before left in the caches.
    """
    for call in calls:
        for _ in range(warm_up):
            call()
    taken = np.empty((len(calls), repeats))
    for first in range(0, repeats, _AT_A_TIME):
        for number, call in enumerate(calls):
            for turn in range(first, min(first + _AT_A_TIME, repeats)):
                began = time.perf_counter()
                call()
                taken[number, turn] = time.perf_counter() - began
    return tuple(taken)


def row(what: str, taken: np.ndarray, *, note: str = "") -> Row:
    """Return the row of some timings."""
    return Row(what, shown(np.quantile(taken, 0.5)), shown(np.quantile(taken, 0.99)), note)


def quality(what: str, measured: float, *, mark: str, note: str = "", digits: int = 3) -> Row:
    """Return the row of a number that is no time, beside the mark it should reach."""
    return Row(what, f"{measured:.{digits}f}", "", note, mark)


def ratio(taken: np.ndarray, peer: np.ndarray) -> str:
    """Return how many times as long the middle one took as the peer's, both of this run."""
    return f"{float(np.median(taken) / np.median(peer)):.2g} x"


def shown(seconds: float) -> str:
    """Return a duration as a person reads it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.2f} ms"
