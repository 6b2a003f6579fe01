"""`python -m benchmarks [NAME ...]`: the measurements of one run as one table."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from intel_ml.surfaces.processes import QUIET

os.environ.update(QUIET)

from benchmarks import (
    agreement,
    autonomy,
    bakeoff,
    causal,
    decisions,
    doubts,
    gate,
    memory,
    ope,
    overrides,
    policies,
    promises,
    regret,
    rules,
    selection,
    serving,
    sharing,
    states,
    unseen,
    world,
)
from benchmarks.installation import Installation, installed
from benchmarks.measuring import Row

#: Each measures by itself.
ALONE: dict[str, Callable[[], Iterator[Row]]] = {
    "agreement": agreement.measure,
    "autonomy": autonomy.measure,
    "bakeoff": bakeoff.measure,
    "causal": causal.measure,
    "doubts": doubts.measure,
    "gate": gate.measure,
    "memory": memory.measure,
    "ope": ope.measure,
    "overrides": overrides.measure,
    "policies": policies.measure,
    "promises": promises.measure,
    "regret": regret.measure,
    "rules": rules.measure,
    "selection": selection.measure,
    "sharing": sharing.measure,
    "unseen": unseen.measure,
    "world": world.measure,
}
#: Each measures one freshly made installation, shared by all of them.
INSTALLED: dict[str, Callable[[Installation], Iterator[Row]]] = {
    "states": states.measure,
    "decisions": decisions.measure,
    "serving": serving.measure,
}


def main() -> None:
    """Measure what was asked for, everything by default, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*ALONE, *INSTALLED]))
    names = parser.parse_args().names or [*ALONE, *INSTALLED]
    for name in names:
        if name not in ALONE and name not in INSTALLED:
            parser.error(
                f"there is no benchmark '{name}'; there are {', '.join([*ALONE, *INSTALLED])}"
            )
    console, began = Console(), time.monotonic()
    rows = []
    with console.status("Starting") as status:
        for one in _measured(names):
            rows.append(one)
            status.update(one.what)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what", overflow="fold")
    table.add_column("p50", justify="right", no_wrap=True)
    table.add_column("p99", justify="right", no_wrap=True)
    table.add_column("mark", justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for one in rows:
        table.add_row(one.what, one.p50, one.p99, one.mark, one.note)
    console.print(table)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}; "
        f"measured in {time.monotonic() - began:.0f} s."
    )


def _measured(names: Sequence[str]) -> Iterator[Row]:
    for name in names:
        if name in ALONE:
            yield from ALONE[name]()
    chosen = [name for name in names if name in INSTALLED]
    if chosen:
        with installed() as installation:
            for name in chosen:
                yield from INSTALLED[name](installation)


if __name__ == "__main__":
    main()
