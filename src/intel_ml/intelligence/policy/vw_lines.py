"""How decisions are written for VowpalWabbit, and how it is taught and asked.

    shared |s 0:0.41 3:-1.2          the context, by position
    0:-0.53:1 |a is_pause            the arm that was executed, with its cost
    |a is_scale_10 scale change:0.1  every other arm

Reads   vectors, arms, costs, how often each row is told.
Gives   text, a model as its own bytes, a workspace that answers.
Never   writes a number that is not finite, or keeps an example.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.actions import ARM_PERCENT, ARMS, Arm
from intel_ml.core.errors import InvalidValueError, ModelRefusedError

_LEAST = 1e-6
_MOST_TIMES = 2.0


def _action(arm: Arm) -> str:
    percent = ARM_PERCENT[arm]
    words = [f"is_{arm.value}"]
    if percent is not None:
        words += ["scale" if percent > 0 else "reduce", f"change:{percent / 100:g}"]
    return "|a " + " ".join(words)


ACTIONS = tuple(_action(arm) for arm in ARMS)


def shared_lines(vectors: NDArray[np.float64]) -> Iterator[str]:
    """Yield each context as a line; zeros say nothing and are left out."""
    if not np.isfinite(vectors).all():
        raise InvalidValueError(path="context", problem="holds numbers that are not finite")
    for vector in vectors.tolist():
        told = [f"{at}:{value:.6g}" for at, value in enumerate(vector) if value]
        yield "shared |s " + " ".join(told)


def lessons(
    vectors: NDArray[np.float64],
    arms: NDArray[np.intp],
    costs: NDArray[np.float64],
    times: NDArray[np.intp],
) -> Iterator[str]:
    """Yield each decision as the lines VowpalWabbit reads, as often as it is to be told."""
    tails = [
        [("\n".join(ACTIONS[:arm]) + "\n") if arm else "", "\n".join(ACTIONS[arm:]) + "\n\n"]
        for arm in range(len(ARMS))
    ]
    rows = zip(shared_lines(vectors), arms.tolist(), costs.tolist(), times.tolist(), strict=True)
    for shared, arm, cost, count in rows:
        before, after = tails[arm]
        yield f"{shared}\n{before}0:{cost:.6g}:1 {after}" * count


def times_told(weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return how often each row is told: in proportion to its weight, twice in the mean at most.

    >>> times_told(np.array([1.0, 2.5, 2.5, 1.0])).tolist()
    [1, 2, 3, 1]
    """
    shares = weights / weights.mean()
    shares = shares * min(1.0 / shares.min(), _MOST_TIMES)
    told = np.floor(np.cumsum(shares) + _LEAST)
    return np.asarray(np.diff(told, prepend=0.0), dtype=np.intp)


def taught(
    lessons: Iterator[str], model: NDArray[np.uint8] | None, flags: str
) -> NDArray[np.uint8]:
    """Return the model after these lessons; VowpalWabbit reads them itself, from a file."""
    from vowpalwabbit import Workspace  # noqa: PLC0415  # native, and only where it is asked for

    with tempfile.TemporaryDirectory() as folder:
        data, before, after = (Path(folder) / name for name in ("log", "before", "after"))
        with data.open("w", encoding="ascii") as file:
            file.writelines(lessons)
        start = flags
        if model is not None:
            before.write_bytes(model.tobytes())
            start = f"-i {before}"
        workspace = Workspace(f"--quiet {start} -d {data} -f {after}")
        workspace.finish()
        return np.frombuffer(after.read_bytes(), dtype=np.uint8)


def workspace(flags: str, model: NDArray[np.uint8]) -> Any:
    """Return a workspace on a model that was taught.

    Raises
    ------
    ModelRefusedError
        VowpalWabbit does not read these bytes.
    """
    from vowpalwabbit import Workspace  # noqa: PLC0415  # native, and only where it is asked for

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(model.tobytes())
        try:
            return Workspace(f"--quiet {flags} -i {path}")
        except RuntimeError as error:
            raise ModelRefusedError(f"VowpalWabbit cannot read its model ({error}).") from error
