"""What is registered, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.intelligence.policy.protocol import Policy

SHADOW, CHALLENGER, CHAMPION = "shadow", "challenger", "champion"
ALIASES = (SHADOW, CHALLENGER, CHAMPION)


@dataclass(frozen=True, slots=True)
class Registration:
    """What is written beside a model: the run it came from, its numbers, its tags, its card."""

    name: str
    run_id: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    card: str = ""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that passed every check, and where it came from."""

    policy: Policy
    name: str
    version: str
    run_id: str
    sha256: str
    features_hash: str


@dataclass(frozen=True, slots=True)
class LoadedArchetypes:
    """Archetypes that passed every check, and where they came from."""

    archetypes: Archetypes
    name: str
    version: str
    run_id: str
    sha256: str
    features_hash: str


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version as a list shows it."""

    name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    card: str
