"""What a command prints: a table for people, or one JSON document for scripts.

Reads   plain values.
Gives   `Output`, chosen once by `--json`.
Never   prints a secret or a traceback.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from intel_ml.surfaces.plain import plain

_PIPE_WIDTH = 200

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def print_json(value: Any) -> None:
    """Print one JSON document; moments are ISO 8601, unknown objects their text."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; numbers stand on the right."""
    from rich import box  # only when something is printed
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    kept = [[("" if cell is None else cell) for cell in row] for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(kept) and all(
            isinstance(row[index], int | float) or row[index] == "" for row in kept
        )
        table.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=index == 0,
        )
    for row in kept:
        table.add_row(
            *[
                f"{c:,}" if isinstance(c, int) else f"{c:,.3g}" if isinstance(c, float) else str(c)
                for c in row
            ]
        )
    # A pipe has no width: what reads it is not to meet folded cells.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(text + "\n")
