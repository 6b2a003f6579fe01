"""The command of a tracking server that does nothing but track.

Reads   where its database and its artifacts are.
Gives   an argument list and an environment.
Never   starts anything; never puts the database's address where every process can read it.
"""

from __future__ import annotations

from pathlib import Path

from intel_ml.learning.registry.client import QUIET

_SERVER = QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "GIT_PYTHON_REFRESH": "quiet"}


def server_command(
    backend_url: str, *, artifacts: Path, host: str, port: int, python: str
) -> tuple[list[str], dict[str, str]]:
    """Return command and extra environment of a tracking server that does nothing but track.

    The address of the database goes into the environment: it may hold a password, and a command
    line can be read by all.
    """
    argv = [python, "-m", "mlflow", "server", "--artifacts-destination", str(artifacts)]
    argv += ["--host", host, "--port", str(port), "--workers", "1"]
    return argv, _SERVER | {"MLFLOW_BACKEND_STORE_URI": backend_url}
