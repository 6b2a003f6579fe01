"""The one list of features: rule fields, state, context, drop-downs and documents are made from it.

Reads   the features of a state and of a signature.
Gives   `FEATURES`, `feature(name)`, `names(role=…)`, and a hash that changes with any definition.
Never   computes a feature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from intel_ml.core.errors import UnknownNameError
from intel_ml.features.feature import Feature, Kind, Role
from intel_ml.features.signature_features import SIGNATURE_FEATURES
from intel_ml.features.state_features import STATE_FEATURES

__all__ = [
    "FEATURES",
    "SIGNATURE_FEATURES",
    "STATE_FEATURES",
    "Feature",
    "Kind",
    "Role",
    "feature",
    "features_hash",
    "names",
]

FEATURES: tuple[Feature, ...] = (*STATE_FEATURES, *SIGNATURE_FEATURES)

_HASH_LENGTH = 16


def feature(name: str, *, role: Role = Role.STATE) -> Feature:
    """Return the feature called `name` in `role`, or say which is nearest.

    `ctr` and `cpc` exist in a state (three days) and in a signature (thirty): `role` tells which.

    >>> feature("cpa").formula
    'spend / conversions'
    """
    known = _by_role()[role]
    if name in known:
        return known[name]
    everywhere = [other for other in FEATURES if other.name == name]
    if everywhere and role is Role.STATE:
        return everywhere[0]
    raise UnknownNameError(kind="field", name=name, known=known)


def names(*, role: Role) -> tuple[str, ...]:
    """Return the names usable in `role`, in the catalogue's order.

    >>> names(role=Role.CONTEXT)[:3]
    ('roas', 'frequency', 'cpa_ratio')
    """
    return tuple(_by_role()[role])


@cache
def features_hash() -> str:
    """Return 16 hex digits that change when any name, kind, formula or code does."""
    definitions = [
        [one.name, one.kind, one.formula, dict(one.codes), sorted(one.roles)] for one in FEATURES
    ]
    text = json.dumps(definitions, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


@cache
def _by_role() -> Mapping[Role, Mapping[str, Feature]]:
    return MappingProxyType(
        {role: {one.name: one for one in FEATURES if role in one.roles} for role in Role}
    )
