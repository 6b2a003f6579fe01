"""A file as a header and rows, whatever its encoding and delimiter.

Reads   a CSV, TSV or Ads Manager export: UTF-8 with or without a mark, or UTF-16 with one.
Gives   a `Table` whose rows know their line.
Never   guesses an encoding: text that is not what it says is refused. Never computes a formula: it
        is text.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from intel_ml.core.errors import InvalidValueError

_DELIMITERS = (",", ";", "\t", "|")
_SPREADSHEET_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LARGEST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file and where it stands."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows; every row has a cell for each column."""

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    delimiter: str

    @property
    def header_sha256(self) -> str:
        """What a file with the same columns has in common."""
        return hashlib.sha256(json.dumps(self.header).encode()).hexdigest()


def read_table(path: Path) -> Table:
    """Return the file's table, or say what is wrong with it and where."""
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidValueError(
            path=f"line {reader.line_num}", problem=f"the file is not a table: {error}"
        ) from None
    if not rows:
        raise InvalidValueError(path=path.name, problem="the file is empty")
    if len(rows) == 1:
        raise InvalidValueError(
            path=path.name, problem="has a header and no rows", hint="Nothing was loaded."
        )
    header = tuple(name.strip() for name in rows[0][1])
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InvalidValueError(path="header", problem=f"{', '.join(twice)} stands there twice")
    return Table(header, tuple(_line(number, row, header) for number, row in rows[1:]), delimiter)


def _line(number: int, row: list[str], header: tuple[str, ...]) -> Line:
    if len(row) != len(header):
        raise InvalidValueError(
            path=f"line {number}", problem=f"{len(row)} cells under {len(header)} columns"
        )
    return Line(number, tuple(cell.replace("\x00", "").strip() for cell in row))


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InvalidValueError(path=path.name, problem="the file is larger than 512 MB")
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidValueError(
            path=str(path), problem=f"cannot be read: {error.strerror or 'unknown reason'}"
        ) from None
    if raw.startswith(_SPREADSHEET_STARTS):
        raise InvalidValueError(path=path.name, problem="is a spreadsheet", hint="Save it as CSV.")
    is_wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidValueError(
            path=f"line {line}", problem="is not UTF-8 text", hint="Save the file as CSV UTF-8."
        ) from None
