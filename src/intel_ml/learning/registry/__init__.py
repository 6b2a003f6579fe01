"""The one door to MLflow: runs, and models that are exactly what was registered.

client   MLflow's client with its telemetry off, and its errors in one line
runs     one run that is open for logging
values   what is registered, and what comes back
models   `Registry`: runs, versions, aliases, checked loading
server   the command of a tracking server that does nothing but track
"""

from intel_ml.learning.registry.client import QUIET, git_revision
from intel_ml.learning.registry.models import Registry
from intel_ml.learning.registry.runs import Run
from intel_ml.learning.registry.server import server_command
from intel_ml.learning.registry.values import (
    ALIASES,
    CHALLENGER,
    CHAMPION,
    SHADOW,
    LoadedArchetypes,
    LoadedPolicy,
    Registration,
    Version,
)

__all__ = [
    "ALIASES",
    "CHALLENGER",
    "CHAMPION",
    "QUIET",
    "SHADOW",
    "LoadedArchetypes",
    "LoadedPolicy",
    "Registration",
    "Registry",
    "Run",
    "Version",
    "git_revision",
    "server_command",
]
