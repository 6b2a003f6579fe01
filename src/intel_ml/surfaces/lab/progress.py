"""What a long call says while it works, in a notebook; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show `what` while the block runs, and how long it took afterwards; silent outside a notebook."""
    handle = _display(f"{what} …")
    started = time.monotonic()
    yield
    if handle is not None:
        handle.update(_text(f"{what}: {time.monotonic() - started:.1f} s"), raw=True)


def _display(text: str):  # type: ignore[no-untyped-def]  # IPython's handle has no public type
    if "ipykernel" not in sys.modules:
        return None
    from IPython.display import display  # noqa: PLC0415  # loaded in a kernel anyway

    return display(_text(text), raw=True, display_id=True)


def _text(text: str) -> dict[str, str]:
    return {"text/plain": text}
