"""Expected shapes of answers, as TOML writes them.

A text like `<id>` stands for any value of that look; any other value stands for itself. A key
ending in `?` may be absent; a key that no shape names is an error. `[shape]` is a list of at least
one such item, `[]` any list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LOOKS = {
    "<id>": r"(act_)?\d+",
    "<whole text>": r"\d+",
    "<decimal text>": r"\d+(\.\d+)?",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}",
    "<day>": r"\d{4}-\d\d-\d\d",
    "<text>": r"(?s).+",
}


def misfit(seen: Any, shape: Any, where: str = "answer") -> str | None:
    """Return what doesn't fit, with its place; None if all fits."""
    if isinstance(shape, str) and shape.startswith("<"):
        return None if _looks_like(seen, shape) else f"{where}: {seen!r} is no {shape}"
    if isinstance(shape, Mapping):
        return _misfit_of_object(seen, shape, where)
    if isinstance(shape, list):
        if not isinstance(seen, list) or (shape and not seen):
            return f"{where}: {seen!r} is no list with items"
        found = (misfit(one, shape[0], f"{where}[{n}]") for n, one in enumerate(seen) if shape)
        return next((one for one in found if one), None)
    return None if seen == shape else f"{where}: {seen!r} is not {shape!r}"


def _misfit_of_object(seen: Any, shape: Mapping[str, Any], where: str) -> str | None:
    if not isinstance(seen, Mapping):
        return f"{where}: {seen!r} is no object"
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name in seen:
            problem = misfit(seen[name], inner, f"{where}.{name}")
            if problem:
                return problem
        elif name == key:
            return f"{where}.{name} is missing"
    extra = set(seen) - {key.removesuffix("?") for key in shape}
    return f"{where} has {sorted(extra)}, which no shape names" if extra else None


def _looks_like(seen: Any, shape: str) -> bool:
    if shape == "<int>":
        return isinstance(seen, int) and not isinstance(seen, bool)
    if shape == "<number>":
        return isinstance(seen, int | float) and not isinstance(seen, bool)
    if shape == "<bool>":
        return isinstance(seen, bool)
    return isinstance(seen, str) and re.fullmatch(_LOOKS[shape], seen) is not None
