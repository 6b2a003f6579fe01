"""A stored model as files: what they hash to, and whether a number in them is unusable.

Reads   a folder of npz and json files.
Gives   one SHA-256 over names and contents; refusals that say which file is wrong and how.
Never   unpickles: an array file that needs it is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import NoReturn

import numpy as np

from intel_ml.core.errors import ModelRefusedError

_HINT = "The version before keeps serving; register this one again from its run."
_KINDS = {".npz", ".json"}


def folder_sha256(folder: Path) -> str:
    """Return one hash over every file's relative name and content, in order of name."""
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def refuse_unusable(folder: Path, *, sha256: str | None, what: str) -> None:
    """Raise `ModelRefusedError` unless the files are what was registered and hold finite numbers.

    Without `sha256` there is nothing to compare with: it is about to be registered.
    """
    files = _files(folder)
    if not files:
        _refuse(what, "has no files")
    if sha256 is not None and (seen := folder_sha256(folder)) != sha256:
        _refuse(what, f"hashes to {seen[:12]}, but {sha256[:12]} was registered")
    for path in files:
        if path.suffix not in _KINDS:
            _refuse(what, f"holds {path.name}, which is neither npz nor json")
        elif path.suffix == ".npz":
            _check_arrays(path, what)
        else:
            _check_json(path, what)


def _check_arrays(path: Path, what: str) -> None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            broken = [
                n
                for n in arrays.files
                if arrays[n].dtype.kind in "fc" and not np.isfinite(arrays[n]).all()
            ]
    except (ValueError, OSError, KeyError) as error:
        _refuse(what, f"holds {path.name}, which cannot be read as arrays ({error})")
    if broken:
        _refuse(what, f"holds numbers that are not finite: {path.name}: {', '.join(broken)}")


def _check_json(path: Path, what: str) -> None:
    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            _refuse(what, f"holds a number that is not finite: {path.name}: {text}")
        return value

    try:
        json.loads(path.read_text(encoding="utf-8"), parse_constant=number, parse_float=number)
    except ValueError as error:
        _refuse(what, f"holds {path.name}, which is not json ({error})")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _refuse(what: str, problem: str) -> NoReturn:
    raise ModelRefusedError(f"{what} {problem}.", hint=_HINT)
