"""What Linux says about processes: who descends from whom, and which sockets they hold."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
_LISTENS = "0A"
#: Ended, and not yet asked about by its parent: it holds nothing any more.
_DEAD = "Z"
_ANY = re.compile(r"^0+$")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_V4_NEAR = re.compile(r"^[0-9A-F]{6}7F$")
_V6_NEAR = re.compile(r"^(0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$")


def descendants(root: int) -> dict[int, str]:
    """Return `root` and all that came of it and lives: process id → its start, in ticks."""
    parents: dict[int, list[int]] = {}
    started: dict[int, str] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            after = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if after[0] == _DEAD:
            continue
        started[int(folder.name)] = after[19]
        parents.setdefault(int(after[1]), []).append(int(folder.name))
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in started:
            found[pid] = started[pid]
            waiting += parents.get(pid, [])
    return found


def foreign(pids: set[int]) -> set[str]:
    """Return every socket of these processes that reaches, or is reachable, beyond loopback."""
    inodes: dict[str, int] = {}
    for pid in pids:
        for link in (PROC / str(pid) / "fd").glob("*"):
            try:
                held = _SOCKET.match(str(link.readlink()))
            except OSError:
                continue
            if held:
                inodes[held[1]] = pid
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        path = PROC / "net" / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            parts = line.split()
            local, remote, state, inode = parts[1], parts[2], parts[3], parts[9]
            if inode not in inodes:
                continue
            shown = local if state == _LISTENS else remote
            if not _is_near(shown.partition(":")[0], listens=state == _LISTENS):
                found.add(f"{table} {shown} state {state} of process {inodes[inode]}")
    return found


def _is_near(address: str, *, listens: bool) -> bool:
    if not listens and _ANY.match(address):
        return True
    return bool(_V4_NEAR.match(address) or _V6_NEAR.match(address))


class Watch:
    """Look at the sockets of some processes again and again, until told to stop."""

    def __init__(self, pids: Callable[[], set[int]], *, every_s: float = 0.5) -> None:
        self.looks = 0
        self.seen: set[str] = set()
        self._pids, self._every_s = pids, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(self._every_s):
            self.seen |= foreign(self._pids())
            self.looks += 1
