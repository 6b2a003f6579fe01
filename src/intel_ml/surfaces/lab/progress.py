"""What a long call says while it works, and what a kernel does last; nothing elsewhere."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intel_ml.learning.registry import Registry


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show `what` while the block runs, then how long it took; silent outside a notebook."""
    handle = _display(f"{what} …")
    started = time.monotonic()
    yield
    if handle is not None:
        handle.update(_text(f"{what}: {time.monotonic() - started:.1f} s"), raw=True)


def when_kernel_ends(do: Callable[[], None]) -> None:
    """Call `do` when the notebook's kernel ends; never outside one."""
    if "ipykernel" in sys.modules:
        atexit.register(do)


def finish(registry: Registry, run_id: str) -> None:
    """End a study's run; a kernel whose server has gone before it ends at once, in silence."""
    if registry.is_up():
        registry.close_run(run_id, status="FINISHED")


def _display(text: str) -> Any:
    if "ipykernel" not in sys.modules:
        return None
    from IPython.display import display  # noqa: PLC0415  # loaded in a kernel anyway

    show: Any = display
    return show(_text(text), raw=True, display_id=True)


def _text(text: str) -> dict[str, str]:
    return {"text/plain": text}
