"""All policies by name: make one from its parameters, or load a saved one.

Beside its own, the shelf finds what installed packages announce under `intel_ml.policies` in their
metadata: a class with the protocol's methods and a constructor that takes its parameters by name.
So `judgement`, which stands above this room, brings `rules`, and others can bring theirs.

Reads   a name and parameters, or a folder.
Gives   a `Policy`.
Never   loads a kind it doesn't know.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from intel_ml.core.errors import ModelRefusedError, UnknownNameError, WrongUseError
from intel_ml.intelligence.policy import apart, imitation, response, ridge, sharing, uniform, vw
from intel_ml.intelligence.policy.files import read
from intel_ml.intelligence.policy.protocol import Policy

ANNOUNCED = "intel_ml.policies"


class Kind(Protocol):
    """What makes and loads policies of one kind: its class."""

    def __call__(self, **parameters: Any) -> Policy:
        """Return an unlearned policy."""
        ...

    def load(self, folder: Path) -> Policy:
        """Return a saved policy."""
        ...


_KINDS: dict[str, Kind] = {
    imitation.NAME: imitation.Policy,
    response.NAME: response.Policy,
    ridge.NAME: ridge.Policy,
    sharing.NAME: sharing.Policy,
    uniform.NAME: uniform.Policy,
    vw.NAME: vw.Policy,
}


def make_policy(name: str, **parameters: Any) -> Policy:
    """Return an unlearned policy.

    >>> make_policy("ridge", alpha=0.1, features=["cpa_ratio", "roas"]).name
    'ridge'
    """
    kind = _kind(name)
    if kind is None:
        raise UnknownNameError(kind="policy", name=name, known=policy_names())
    return kind(**parameters)


def load_policy(folder: Path) -> Policy:
    """Return the policy saved in a folder, whatever its kind."""
    words, _ = read(folder, "policy")
    load = _loader(str(words.get("kind")))
    if load is None:
        raise ModelRefusedError(
            f"{Path(folder).name}: unknown kind of policy '{words.get('kind')}'."
        )
    try:
        return load(Path(folder))
    except (WrongUseError, KeyError, TypeError, ValueError) as error:
        raise ModelRefusedError(f"{Path(folder).name}: is incomplete ({error}).") from error


def policy_names() -> list[str]:
    """Return every name `make_policy` knows."""
    return sorted({*_KINDS, *entry_points(group=ANNOUNCED).names})


def _loader(name: str) -> Callable[[Path], Policy] | None:
    if name == apart.NAME:
        return functools.partial(apart.Policy.load, each=load_policy)
    kind = _kind(name)
    return None if kind is None else kind.load


def _kind(name: str) -> Kind | None:
    if name in _KINDS:
        return _KINDS[name]
    for announced in entry_points(group=ANNOUNCED, name=name):
        kind: Kind = announced.load()
        return kind
    return None
