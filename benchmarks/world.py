"""The sandbox's world: how long an hour takes and what a month of it holds in memory.

`agency` (1,000 accounts of 100 ads) plays 30 days in a process of its own, so that its memory is
nobody else's; that takes most of a minute.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, ratio, row, seconds_of, side_by_side
from intel_ml.data.sandbox import World
from intel_ml.data.sandbox.changes import Change

START = datetime(2026, 10, 20, tzinfo=UTC)
DAYS = 30
_DAY_HOURS = 24
_MEGA = 1e6
_FORKS, _WRITES = 50, 200
_AGENCY_FORKS = 5
_PEAK_KB = 1024


def measure() -> Iterator[Row]:
    """Yield the rows of this benchmark."""
    yield from _small()
    yield from _agency()


def _small() -> Iterator[Row]:
    world = World.load("demo", start=START)
    hours = seconds_of(lambda: world.advance(1), repeats=DAYS * _DAY_HOURS)
    ads = len(world.population.ads)
    yield replace(row(f"world: {ads} ads, one hour", hours), mark="≤ 5 ms")
    forks = seconds_of(world.fork, repeats=_FORKS)
    yield row(f"world: fork after {DAYS} days", forks, note="the past is shared, not copied")
    everything = np.arange(ads)
    days = [(_DAY_HOURS * n, _DAY_HOURS * (n + 1)) for n in range(DAYS)]
    plain = world.ledger.counts
    windows, bare = side_by_side(
        lambda: world.ledger.windows(days, ads=everything),
        lambda: [plain[:, first:end].sum(axis=1) for first, end in days],
        repeats=_FORKS,
    )
    note = f"restated as of now; {ratio(windows, bare)} plain numpy. Next: the agency, a minute"
    yield row(f"world: {DAYS} days of {ads} ads, by day", windows, note=note)


def _agency() -> Iterator[Row]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.world"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    found = json.loads(done.stdout)
    hours = np.array(found["hours_s"])
    note = f"made in {found['made_s']:.1f} s; {DAYS} days in {hours.sum():.0f} s"
    yield replace(row(f"agency: {found['ads']:,} ads, one hour", hours, note=note), mark="≤ 2 s")
    yield Row(
        f"agency: peak memory after {DAYS} days",
        f"{found['peak_mb']:,.0f} MB",
        "",
        f"whole process; {found['history_mb']:,.0f} MB of it every hour of every ad",
        "≤ 2 GB",
    )
    yield row("agency: one write", np.array(found["writes_s"]), note="an ad set paused or resumed")
    yield row("agency: fork", np.array(found["forks_s"]), note="nodes are copied, the past is not")
    yield row(
        "agency: 30 days of one account, by day",
        np.array(found["windows_s"]),
        note="100 ads out of all",
    )


def _play_agency() -> dict[str, object]:
    """Play the agency in this process and return what was seen."""
    began = time.perf_counter()
    world = World.load("agency", start=START)
    made = time.perf_counter() - began
    hours = seconds_of(lambda: world.advance(1), repeats=DAYS * _DAY_HOURS, warm_up=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_KB / _MEGA
    sets = iter(range(_WRITES + 1))
    writes = seconds_of(lambda: _toggle(world, next(sets)), repeats=_WRITES, warm_up=1)
    account = np.flatnonzero(
        world.population.adset_traits.account[world.population.ad_traits.adset] == 0
    )
    days = [(_DAY_HOURS * n, _DAY_HOURS * (n + 1)) for n in range(DAYS)]
    windows = seconds_of(lambda: world.ledger.windows(days, ads=account), repeats=_FORKS)
    forks = seconds_of(world.fork, repeats=_AGENCY_FORKS, warm_up=0)
    return {
        "ads": len(world.population.ads),
        "made_s": made,
        "hours_s": hours.tolist(),
        "peak_mb": peak,
        "history_mb": world.ledger.size_bytes / _MEGA,
        "writes_s": writes.tolist(),
        "windows_s": windows.tolist(),
        "forks_s": forks.tolist(),
    }


def _toggle(world: World, place: int) -> None:
    node = world.population.adsets[place * 100]
    if node.status != "ARCHIVED":
        after = "PAUSED" if node.status == "ACTIVE" else "ACTIVE"
        world.change(node.id, Change(status=after))


if __name__ == "__main__":
    print(json.dumps(_play_agency()))
