"""The ledger: sums of windows are what a plain table of every hour would give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.sandbox.ledger import Column, Hour, Ledger
from intel_ml.data.sandbox.pages import narrowed

DELAYS = (0, 3, 30)
ADS = 7


def some_hour(source: np.random.Generator, *, ads: int) -> Hour:
    return Hour(
        impressions=source.integers(0, 10 ** source.integers(1, 6), ads),
        clicks=source.integers(0, 40, ads),
        spend=source.integers(0, 90_000, ads),
        reports=source.poisson(0.2, (ads, len(DELAYS))),
        unit_value=source.integers(1, 10**7, ads),
    )


def plain(hours: list[Hour], first: int, end: int, ads: np.ndarray) -> np.ndarray:
    """The same sums by hand, one hour and delay at a time."""
    total = np.zeros((len(Column), len(ads)), dtype=np.int64)
    for at in range(max(first, 0), min(end, len(hours))):
        one = hours[at]
        for place, ad in enumerate(ads):
            if ad >= len(one.clicks):
                continue
            reports, value = one.reports[ad], one.unit_value[ad]
            known = sum(
                int(count)
                for count, delay in zip(reports, DELAYS, strict=True)
                if at + delay < len(hours)
            )
            everything = int(reports.sum())
            total[:, place] += np.array(
                [
                    one.impressions[ad],
                    one.clicks[ad],
                    one.spend[ad],
                    known,
                    known * value,
                    everything,
                    everything * value,
                ]
            )
    return total


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 75),
    later=st.integers(0, 74),
    picked=st.lists(st.integers(0, ADS), min_size=1, unique=True),
    bounds=st.lists(st.tuples(st.integers(-5, 80), st.integers(-5, 80)), min_size=1, max_size=3),
)
def test_windows_are_the_sums_of_their_hours(
    seed: int, length: int, later: int, picked: list[int], bounds: list[tuple[int, int]]
) -> None:
    source = np.random.default_rng(seed)
    ledger, hours = Ledger(ads=ADS, delays=DELAYS), []
    for at in range(length):
        if at == later:
            ledger.add_ad()
        hours.append(some_hour(source, ads=ledger.ads))
        ledger.record(hours[-1])
    ads = np.array([ad for ad in picked if ad < ledger.ads] or [0])
    found = ledger.windows(bounds, ads=ads)
    for n, (first, end) in enumerate(bounds):
        assert (found[:, n] == plain(hours, first, end, ads)).all()
    day, parts = ledger.windows([(0, length)], ads=ads)[:, 0], ledger.counts[:, :, ads].sum(axis=1)
    assert (day == parts).all()


def test_a_late_report_counts_in_its_own_hour_from_the_hour_it_is_due() -> None:
    ledger = Ledger(ads=1, delays=DELAYS)
    nothing = np.zeros((1, 3), dtype=np.int64)
    one = np.ones(1, dtype=np.int64)
    known = []
    for at in range(40):
        reports = np.array([[1, 1, 1]]) if at == 2 else nothing
        ledger.record(Hour(one, one, one, reports, 50 * one))
        known.append(ledger.windows([(2, 3)], ads=np.arange(1))[:, 0, 0])
    conversions = [int(sums[Column.CONVERSIONS]) for sums in known]
    assert conversions == [0] * 2 + [1] * 3 + [2] * 27 + [3] * 8
    assert [int(sums[Column.VALUE]) for sums in known] == [50 * count for count in conversions]
    assert known[-1][Column.TRUE_CONVERSIONS] == 3


def test_forks_share_their_past_and_part_from_there() -> None:
    source = np.random.default_rng(1)
    ledger = Ledger(ads=ADS, delays=DELAYS)
    for _ in range(60):
        ledger.record(some_hour(source, ads=ADS))
    before = ledger.counts
    twin = ledger.fork()
    for _ in range(30):
        twin.record(some_hour(source, ads=ADS))
    assert (ledger.counts == before).all()
    assert ledger.hours == 60
    same = [Column.IMPRESSIONS, Column.CLICKS, Column.SPEND, Column.TRUE_VALUE]
    assert (twin.counts[same, :60] == before[same]).all()


@pytest.mark.parametrize(
    ("largest", "kind"),
    [(0, "uint8"), (255, "uint8"), (256, "uint16"), (70_000, "uint32"), (2**40, "uint64")],
)
def test_counts_are_held_as_narrow_as_they_fit(largest: int, kind: str) -> None:
    held = narrowed(np.array([0, largest]))
    assert held.dtype == kind
    assert int(held[1]) == largest


def test_no_hour_is_forgotten_and_a_quiet_one_costs_a_byte_a_count() -> None:
    ledger = Ledger(ads=1000, delays=DELAYS)
    quiet = np.ones(1000, dtype=np.int64)
    for _ in range(24 * 4):
        ledger.record(Hour(quiet, quiet, quiet, np.zeros((1000, 3), dtype=np.int64), quiet))
    assert ledger.windows([(0, 1)], ads=np.arange(1000))[Column.SPEND].sum() == 1000
    assert ledger.size_bytes < 1000 * 24 * 4 * 3.5


def test_asking_for_nothing_gives_nothing() -> None:
    ledger = Ledger(ads=2, delays=DELAYS)
    assert ledger.windows([(0, 5)], ads=np.arange(2)).sum() == 0
    assert ledger.windows([(0, 5)], ads=np.arange(0)).shape == (len(Column), 1, 0)
