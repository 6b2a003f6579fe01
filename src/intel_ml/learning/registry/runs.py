"""One MLflow run that is open for logging."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Run:
    """One MLflow run that is open for logging."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client = client
        self.id = run_id

    def log_metrics(self, values: Mapping[str, float | None]) -> None:
        """Log numbers; an unknown one is left out, not logged as zero."""
        for name, value in values.items():
            if value is not None:
                self._client.log_metric(self.id, name, float(value))

    def log_params(self, values: Mapping[str, object]) -> None:
        """Log what the run was given."""
        for name, value in values.items():
            self._client.log_param(self.id, name, value)

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a matplotlib figure as pictures/NAME.png."""
        self._client.log_figure(self.id, figure, f"pictures/{name}.png")

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file."""
        self._client.log_artifact(self.id, str(path), folder)

    def log_text(self, text: str, file: str) -> None:
        """Keep a text as a file."""
        self._client.log_text(self.id, text, file)
