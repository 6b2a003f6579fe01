"""All policies by name: make one from its parameters, or load a saved one.

Reads   a name and parameters, or a folder.
Gives   a `Policy`.
Never   loads a kind it doesn't know.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from intel_ml.core.errors import ModelRefusedError, UnknownNameError
from intel_ml.intelligence.policy import imitation, ridge, uniform
from intel_ml.intelligence.policy.files import read
from intel_ml.intelligence.policy.protocol import Policy

_MAKE: dict[str, Callable[..., Policy]] = {
    imitation.NAME: imitation.Policy,
    ridge.NAME: ridge.Policy,
    uniform.NAME: uniform.Policy,
}
_LOAD: dict[str, Callable[[Path], Policy]] = {
    imitation.NAME: imitation.Policy.load,
    ridge.NAME: ridge.Policy.load,
    uniform.NAME: uniform.Policy.load,
}


def make_policy(name: str, **parameters: Any) -> Policy:
    """Return an unlearned policy.

    >>> make_policy("ridge", alpha=0.1, features=["cpa_ratio", "roas"]).name
    'ridge'
    """
    if name not in _MAKE:
        raise UnknownNameError(kind="policy", name=name, known=_MAKE)
    return _MAKE[name](**parameters)


def load_policy(folder: Path) -> Policy:
    """Return the policy saved in a folder, whatever its kind."""
    words, _ = read(folder, "policy")
    kind = str(words.get("kind"))
    if kind not in _LOAD:
        raise ModelRefusedError(f"{Path(folder).name}: unknown kind of policy '{kind}'.")
    return _LOAD[kind](Path(folder))
