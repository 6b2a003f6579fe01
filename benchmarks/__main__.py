"""`python -m benchmarks`: every measurement of one run as one table."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table

from intel_ml.surfaces.processes import QUIET

os.environ.update(QUIET)

from benchmarks import decisions, memory, rules, serving, states
from benchmarks.installation import installed
from benchmarks.measuring import Row


def main() -> None:
    """Measure everything, then print the table."""
    console, began = Console(), time.monotonic()
    rows = []
    with console.status("Starting") as status:
        for one in _measured():
            rows.append(one)
            status.update(one.what)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what", overflow="fold")
    table.add_column("p50", justify="right", no_wrap=True)
    table.add_column("p99", justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for one in rows:
        table.add_row(one.what, one.p50, one.p99, one.note)
    console.print(table)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}; "
        f"measured in {time.monotonic() - began:.0f} s."
    )


def _measured() -> Iterator[Row]:
    yield from memory.measure()
    yield from rules.measure()
    with installed() as installation:
        yield from states.measure(installation)
        yield from decisions.measure(installation)
        yield from serving.measure(installation)


if __name__ == "__main__":
    main()
