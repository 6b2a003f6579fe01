"""A model on disk: one json of words and settings, one npz of arrays.

Reads   and writes a folder with `<stem>.json` and `<stem>.npz`.
Gives   the same bits back.
Never   pickles, and never returns an array that isn't finite.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intel_ml.core.errors import ModelRefusedError

FORMAT = 1
Arrays = dict[str, NDArray[Any]]


def write(
    folder: Path, stem: str, *, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write both files; `words` must be plain JSON."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, **words}, indent=1, allow_nan=False)
    (folder / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    with (folder / f"{stem}.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(arrays))


def read(folder: Path, stem: str, *, kind: str | None = None) -> tuple[dict[str, Any], Arrays]:
    """Return what `write` wrote; refuse anything else, another kind, numbers not finite."""
    folder = Path(folder)
    try:
        words = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{stem}.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelRefusedError(f"{folder.name}: not a saved {stem} ({error}).") from error
    if not isinstance(words, dict) or words.get("format") != FORMAT:
        raise ModelRefusedError(f"{folder.name}: {stem}.json has no known format.")
    if kind is not None and words.get("kind") != kind:
        raise ModelRefusedError(f"{folder.name}: holds '{words.get('kind')}', not '{kind}'.")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise ModelRefusedError(f"{folder.name}: '{name}' holds values that are not finite.")
    return words, arrays
