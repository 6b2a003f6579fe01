"""The journal: what to replay so that a restarted sandbox is where it was.

One JSON object a line: a header (world, its digest, seed, start), then `advance` and `write` in
the order they happened. The world is deterministic, so replaying them gives the same state.

Reads   a file that may end in a half-written line.
Gives   the header and the entries; appends new ones.
Never   holds a token.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from intel_ml.core.errors import ConflictError, InvalidValueError
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.graph.records import Written
from intel_ml.data.sandbox.world import World

_BEGINNING = b'{"kind": "header"'
_REMOVE = "Remove the journal to begin anew"


@dataclass(frozen=True, slots=True)
class Header:
    """Which world a journal belongs to."""

    world: str
    digest: str
    seed: int
    start: datetime


class Journal:
    """An append-only file of advances, writes and orders of reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("a").close()
        except OSError as error:
            raise InvalidValueError(
                path=str(path), problem=f"can't be written as a journal: {error.strerror}"
            ) from error
        _drop_half_line(path)

    def header(self) -> Header | None:
        """Return the header, None while the journal is empty."""
        if not self.path.stat().st_size:
            return None
        try:
            first = next(self._entries())
            return Header(
                first["world"],
                first["digest"],
                first["seed"],
                datetime.fromisoformat(first["start"]),
            )
        except (KeyError, TypeError, ValueError, StopIteration):
            raise self._refused("doesn't begin with a header", hint=f"{_REMOVE}.") from None

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

    def ordered(self, identifier: str, params: Mapping[str, str], outcome: str) -> None:
        """Keep that a report was ordered; its numbers come back with the world."""
        entry = {"object": identifier, "params": dict(params), "outcome": str(outcome)}
        self._append({"kind": "report", **entry})

    def replay(self, platform: Platform) -> None:
        """Do again everything after the header; the writes received come back too."""
        for entry in self._whole_entries():
            kind = entry.pop("kind")
            if kind == "advance":
                platform.world.advance(entry["hours"])
                continue
            if kind == "report":
                platform.reports.restore(
                    platform.world, entry["object"], entry["params"], outcome=entry["outcome"]
                )
                continue
            try:
                written = Written(**entry)
            except TypeError:
                raise self._refused(
                    "was written by another version of the sandbox", hint=f"{_REMOVE}."
                ) from None
            if written.is_applied:
                platform.make(written.method, written.path, written.params)
            platform.writes.append(written)

    def check(self, world: World) -> None:
        """Refuse to replay the journal of another world, or of this one before it was edited."""
        header = self.header()
        mine = Header(world.name, world.file.digest, world.seed, world.start)
        if header is None or header == mine:
            return
        if header.world != mine.world:
            problem, way = f"belongs to the world '{header.world}'", "start that world"
        elif header.digest != mine.digest:
            problem = f"was made before the world file of '{mine.world}' was changed"
            way = "restore the file"
        else:
            problem = f"has seed {header.seed} and start {header.start.isoformat()}"
            way = "use these"
        raise self._refused(problem, hint=f"{_REMOVE}, or {way}.")

    def _refused(self, problem: str, *, hint: str) -> ConflictError:
        return ConflictError(f"The sandbox journal {self.path.name} {problem}.", hint=hint)

    def _whole_entries(self) -> Iterator[dict[str, Any]]:
        """Yield what comes after the header; say where a line is not what was written."""
        entries = self._entries()
        next(entries, None)
        number = 1
        while True:
            number += 1
            try:
                yield next(entries)
            except StopIteration:
                return
            except ValueError:
                problem = f"is damaged in line {number}"
                raise self._refused(problem, hint=f"{_REMOVE}.") from None

    def _entries(self) -> Iterator[dict[str, Any]]:
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if not isinstance(entry, dict) or "kind" not in entry:
                    raise ValueError(line)
                yield entry

    def _append(self, entry: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _drop_half_line(path: Path) -> None:
    """Cut off what a killed process left unfinished at the end of a journal, of nothing else."""
    data = path.read_bytes()
    if not data.startswith(_BEGINNING[: len(data)]):
        return
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        path.write_bytes(data[:whole])
