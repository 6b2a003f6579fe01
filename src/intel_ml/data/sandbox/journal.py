"""The journal: what to replay so that a restarted sandbox is where it was.

One JSON object a line: a header (world, its digest, seed, start), then `advance` and `write` in
the order they happened. The world is deterministic, so replaying them gives the same state.

Reads   a file that may end in a half-written line.
Gives   the header and the entries; appends new ones.
Never   holds a token.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from intel_ml.core.errors import ConflictError
from intel_ml.data.sandbox.graph.platform import Platform, Written
from intel_ml.data.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Header:
    """Which world a journal belongs to."""

    world: str
    digest: str
    seed: int
    start: datetime


class Journal:
    """An append-only file of advances and writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_half_line(path)

    def header(self) -> Header | None:
        """Return the header, None while the journal is empty."""
        first = next(self._entries(), None)
        if first is None:
            return None
        return Header(
            first["world"], first["digest"], first["seed"], datetime.fromisoformat(first["start"])
        )

    def begin(self, world: World) -> None:
        """Write the header of a new journal."""
        self._append(
            {
                "kind": "header",
                "world": world.name,
                "digest": world.file.digest,
                "seed": world.seed,
                "start": world.start.isoformat(),
            }
        )

    def advanced(self, hours: int) -> None:
        """Keep that time went on."""
        self._append({"kind": "advance", "hours": hours})

    def wrote(self, entry: Written) -> None:
        """Keep one write."""
        self._append({"kind": "write", **asdict(entry)})

    def replay(self, platform: Platform) -> None:
        """Do again everything after the header; the writes received come back too."""
        entries = self._entries()
        next(entries, None)
        for entry in entries:
            if entry.pop("kind") == "advance":
                platform.world.advance(entry["hours"])
                continue
            written = Written(**entry)
            if written.is_applied:
                platform.make(written.path, written.params)
            platform.writes.append(written)

    def check(self, world: World) -> None:
        """Refuse to replay the journal of another world."""
        header = self.header()
        mine = Header(world.name, world.file.digest, world.seed, world.start)
        if header != mine:
            raise ConflictError(
                f"The sandbox journal {self.path.name} belongs to another world or start.",
                hint="Remove it to begin anew, or start the world it was made with.",
            )

    def _entries(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def _append(self, entry: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _drop_half_line(path: Path) -> None:
    """Cut off what a killed process left unfinished at the end."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        path.write_bytes(data[:whole])
