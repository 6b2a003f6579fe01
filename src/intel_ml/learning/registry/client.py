"""MLflow's client with its telemetry off, and its errors in one line.

Reads   nothing.
Gives   a client, imported on first use: it costs a second and a hundred megabytes.
Never   lets a dead server cost minutes of retries.
"""

from __future__ import annotations

import functools
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intel_ml.core.errors import IntelError, UnavailableError

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: What MLflow reads once, when it is imported; no telemetry, no bars, no minutes of retries.
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
CHECK = "Start it with `intel-ml up`, or see `intel-ml doctor`."


def quieten() -> None:
    """Say what must be said before MLflow is imported for the first time."""
    os.environ.update(QUIET)
    # MLflow's progress bars look for widgets that no notebook of ours needs.
    warnings.filterwarnings("ignore", message="IProgress not found")


def mlflow_client(tracking_url: str) -> MlflowClient:
    """Return MLflow's client, imported with its telemetry off."""
    quieten()
    from mlflow import MlflowClient  # noqa: PLC0415  # heavy

    return MlflowClient(tracking_uri=tracking_url)


def mlflow_error() -> type[Any]:
    """Return the class of MLflow's errors."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  # heavy

    return MlflowException


@functools.cache
def git_revision() -> str:
    """Return the revision of the code that runs, `unknown` outside a checkout."""
    here = str(Path(__file__).parent)
    try:
        done = subprocess.run(  # noqa: S603  # no shell, fixed arguments
            ["git", "-C", here, "rev-parse", "--short=12", "HEAD"],  # noqa: S607  # any git there is
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Turn what MLflow and its transport raise into one line of ours."""
    import requests  # noqa: PLC0415  # MLflow's transport, loaded with it

    try:
        yield
    except IntelError:
        raise
    except requests.exceptions.ConnectionError as error:
        raise UnavailableError(service=f"MLflow at {url}", check=CHECK) from error
    except mlflow_error() as error:
        if "API request to" in str(error) or "Max retries" in str(error):
            raise UnavailableError(service=f"MLflow at {url}", check=CHECK) from None
        raise
