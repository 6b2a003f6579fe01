"""Timing: many repeats, the middle and the tail of them, as rows of one table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    p50: str
    p99: str
    note: str


def seconds_of(call: Callable[[], object], *, repeats: int, warm_up: int = 3) -> np.ndarray:
    """Return how long each of `repeats` calls took, in seconds."""
    for _ in range(warm_up):
        call()
    taken = np.empty(repeats)
    for index in range(repeats):
        began = time.perf_counter()
        call()
        taken[index] = time.perf_counter() - began
    return taken


def row(what: str, taken: np.ndarray, *, note: str = "") -> Row:
    """Return the row of some timings."""
    return Row(what, shown(np.quantile(taken, 0.5)), shown(np.quantile(taken, 0.99)), note)


def ratio(taken: np.ndarray, peer: np.ndarray) -> str:
    """Return how many times as long the middle one took as the peer's, both of this run."""
    return f"{float(np.median(taken) / np.median(peer)):.2g} x"


def shown(seconds: float) -> str:
    """Return a duration as a person reads it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.2f} ms"
