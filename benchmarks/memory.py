"""What a running demo of this folder holds: each process's share of memory, added up.

Proportional shares (PSS) count a page that several processes share once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row
from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.surfaces.settings import demo_file, project_home

_PROC = Path("/proc")
_WHAT = "memory of a running demo"


def measure() -> Iterator[Row]:
    """Yield one row, which says why it has no number when it has none."""
    demo = _demo()
    if demo is None:
        yield Row(_WHAT, "", "", "not measured: no demo of this folder runs (`make demo`)")
        return
    postmaster = EmbeddedPostgres(demo_file().parent / "postgres").data / "postmaster.pid"
    roots = [demo]
    if postmaster.exists():
        roots.append(int(postmaster.read_text().split()[0]))
    processes = [pid for root in roots for pid in _family(root)]
    shares = [share for pid in processes if (share := _share(pid)) is not None]
    if len(shares) < len(processes):
        yield Row(_WHAT, "", "", "not measured: this user may not look into every process")
        return
    total = sum(shares) / 1024
    yield Row(f"{_WHAT}: {len(shares)} processes", f"{total:,.0f} MB", "", "sum of PSS")


def _demo() -> int | None:
    """Return the process that supervises the demo of this folder."""
    for process in _PROC.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            works_in = (process / "cwd").readlink()
        except OSError:
            continue
        if "--demo" in words and "up" in words and works_in == project_home():
            return int(process.name)
    return None


def _family(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children = []
    for process in _PROC.glob("[0-9]*"):
        try:
            after = (process / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(after[1]) == root:
            children += _family(int(process.name))
    return [root, *children]


def _share(pid: int) -> int | None:
    """Return a process's proportional share in kB; 0 when it has just ended."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except PermissionError:
        return None
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
