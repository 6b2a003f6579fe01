"""The processes of the platform: what each is, and which of them the settings ask for.

Reads   `Settings`.
Gives   a `ProcessSpec` for each process, with the environment it may see.
Never   gives the write token to any process but the executor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.supervisor import ProcessSpec

#: The executor writes; the sandbox is the platform that is written to.
HOLD_WRITE_TOKEN = frozenset({"executor", "sandbox"})
_WRITE_TOKEN = "META_WRITE_TOKEN"  # noqa: S105  # a name, not a token

#: Every vendor's telemetry, off; each name and spelling is the one that vendor reads.
QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MPLBACKEND": "Agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def process_names(settings: Settings) -> list[str]:
    """Return the processes the settings ask for, in the order in which they start."""
    names = ["sandbox"] if settings.uses_sandbox else []
    names.append("mlflow")
    if settings.enable_action_executor:
        names.append("executor")
    names += ["api", "ui"]
    if settings.enable_insights_collection or settings.enable_rules_engine:
        names.append("scheduler")
    return names


def process_spec(name: str, settings: Settings, *, env_file: Path | None) -> ProcessSpec:
    """Return how to start one process and how to tell that it is ready."""
    ready = {
        "sandbox": f"{settings.sandbox_url}/_sandbox/clock",
        "mlflow": f"{settings.mlflow_url}/health",
        "api": f"{settings.api_url}/livez",
        "ui": f"{settings.ui_url}/login",
    }.get(name)
    argv = [sys.executable, "-m", "intel_ml.surfaces.cli.main", "process", name]
    return ProcessSpec(
        name=name, argv=argv, env=environment(env_file=env_file, name=name), ready_url=ready
    )


def drop_write_token() -> None:
    """Take the write token out of this process, so that none of its children can have it."""
    for name in _write_token_names(os.environ):
        del os.environ[name]


def environment(*, env_file: Path | None, name: str = "") -> dict[str, str]:
    """Return the environment of a child: ours, quiet, and with the settings file named.

    Settings that come from a file are read from it again by the child; a demo's child sees none of
    the settings of the environment it was started in, so that a simulated account can never be
    mixed with a real one.
    """
    values = dict(os.environ)
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    if name not in HOLD_WRITE_TOKEN:
        for token in _write_token_names(values):
            values.pop(token)
    if env_file is not None:
        for setting in [n for n in values if n.lower() in Settings.model_fields]:
            values.pop(setting)
        values["INTEL_ENV_FILE"] = str(env_file)
    return values | QUIET


def _write_token_names(values: Iterable[str]) -> list[str]:
    """Return how the write token is spelt here: settings are read in any case."""
    return [name for name in values if name.upper() == _WRITE_TOKEN]
