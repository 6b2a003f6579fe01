"""A journal keeps what happened; what isn't one, or no longer, is said and left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intel_ml.core.errors import ConflictError, InvalidValueError
from intel_ml.data.sandbox.graph.platform import Platform
from intel_ml.data.sandbox.journal import Journal
from intel_ml.data.sandbox.world import World

READ, WRITE = "read-token", "write-token"
START = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ['name = "a world file"\nseed = 3', "no newline", "[1]\n[2", '{"a": 1}\n{"b"']
)
def test_a_file_that_is_no_journal_is_refused_and_not_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConflictError, match=r"mine\.toml doesn't begin with a header"):
        Journal(path).header()
    assert path.read_text(encoding="utf-8") == text


def test_a_header_that_was_cut_off_is_written_anew(small_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for half in ("", "{", '{"kind": "header", "wor'):
        path.write_text(half, encoding="utf-8")
        book = Journal(path)
        assert book.header() is None
        book.begin(World.load(small_file, start=START))
        found = Journal(path).header()
        assert found is not None
        assert found.world == "small"


@pytest.mark.parametrize("line", ["nonsense", "[]", "3", "{}"])
def test_a_damaged_line_is_named(small_file: Path, tmp_path: Path, line: str) -> None:
    world = World.load(small_file, start=START)
    book = Journal(tmp_path / "journal.jsonl")
    book.begin(world)
    book.advanced(1)
    with book.path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(ConflictError, match=r"damaged in line 3.*Remove the journal"):
        book.replay(Platform(world, read_token=READ, write_token=WRITE))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"can't be written as a journal"):
        Journal(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidValueError, match=r"can't be written as a journal"):
        Journal(tmp_path / "file" / "journal.jsonl")
