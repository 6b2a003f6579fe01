"""A notebook in a kernel of its own, through Papermill, as one MLflow run.

Reads   a committed notebook and the values of its `parameters` cell.
Gives   the id of the MLflow run that holds the executed copy, the parameters, and what the notebook
        itself logged.
Never   runs a notebook with a parameter it does not have, and never keeps a failure to itself: the
        message shows the cell.

The kernel inherits the environment, so it reads the same settings; `MLFLOW_RUN_ID` tells
`surfaces.lab` which run it is.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from intel_ml.core.errors import IntelError, UnknownNameError
from intel_ml.learning.registry import QUIET, Registry, git_revision
from intel_ml.surfaces.settings import settings_file

_ENGINE = "intel"
_START_TIMEOUT_S = 60
_TRACEBACK_LINES = 6
_SOURCE_LINES = 12
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """Which notebook to run, as what, with which parameters, and how long one cell may take."""

    notebook: Path
    name: str
    slot: str
    parameters: Mapping[str, object]
    timeout_s: int


class NotebookFailedError(IntelError):
    """A cell of a notebook failed; the message shows it."""

    def __init__(self, message: str, *, run_id: str) -> None:
        super().__init__(message)
        self.run_id = run_id


def run_notebook(request: NotebookRun, *, registry: Registry) -> str:
    """Run the notebook; return its MLflow run, which keeps the executed copy even of a failure."""
    registry.require()
    import papermill  # noqa: PLC0415  # two seconds
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415  # with papermill
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415  # with papermill

    _use_engine()
    tags = {"notebook": request.notebook.name, "slot": request.slot, "git_revision": git_revision()}
    run = registry.open_run(request.name, request.slot, tags=tags)
    run.log_params(request.parameters)
    environment = {
        **os.environ,
        **QUIET,
        **({"INTEL_ENV_FILE": str(file)} if (file := settings_file()) else {}),
        "MLFLOW_RUN_ID": run.id,
        "MLFLOW_TRACKING_URI": registry.tracking_url,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    problem: str | None = None
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / request.notebook.name
        try:
            papermill.execute_notebook(
                str(request.notebook),
                str(executed),
                parameters=dict(request.parameters),
                engine_name=_ENGINE,
                kernel_name="python3",
                cwd=str(request.notebook.parent),
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                start_timeout=_START_TIMEOUT_S,
                execution_timeout=request.timeout_s,
                shutdown_kernel="immediate",
                environment=environment,
            )
        except PapermillExecutionError as error:
            problem = _cell_message(request, error)
        except CellTimeoutError:
            problem = f"{request.notebook.name}: a cell took longer than {request.timeout_s} s."
        except DeadKernelError:
            problem = f"{request.notebook.name}: the kernel died; out of memory, or killed."
        if executed.exists():
            run.log_artifact(executed, "notebooks")
    registry.close_run(run.id, status="FAILED" if problem else "FINISHED")
    if problem is not None:
        raise NotebookFailedError(problem, run_id=run.id)
    return run.id


def parameters_of(notebook: Path) -> dict[str, str]:
    """Return the notebook's parameters and their defaults as they are written."""
    import papermill  # noqa: PLC0415  # two seconds

    found: dict[str, Any] = papermill.inspect_notebook(str(notebook))
    return {name: str(one["default"]) for name, one in found.items()}


def refuse_unknown(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse a parameter the notebook's `parameters` cell does not have."""
    known = parameters_of(notebook) if parameters else {}
    for name in parameters:
        if name not in known:
            raise UnknownNameError(kind=f"parameter of {notebook.name}", name=name, known=known)


def _cell_message(request: NotebookRun, error: Any) -> str:
    """Return which cell failed, its first lines, and the end of its traceback."""
    source = str(error.source).strip().splitlines()
    shown = [f"    {line}" for line in source[:_SOURCE_LINES]]
    if len(source) > _SOURCE_LINES:
        shown.append(f"    … {len(source) - _SOURCE_LINES} more lines")
    lines = _ANSI.sub("", "\n".join(error.traceback)).strip().splitlines()
    return "\n".join(
        [
            f"{request.notebook.name}, cell {error.exec_count}: {error.ename}: {error.evalue}",
            *shown,
            *[f"  | {line}" for line in lines[-_TRACEBACK_LINES:] if line.strip()],
        ]
    )


@cache
def _use_engine() -> None:
    """Register an engine whose kernel gets its own environment: two runs must not share one."""
    from papermill.clientwrap import PapermillNotebookClient  # noqa: PLC0415  # with papermill
    from papermill.engines import NBClientEngine, papermill_engines  # noqa: PLC0415  # with papermill
    from papermill.log import logger  # noqa: PLC0415  # with papermill

    class OwnEnvironment(NBClientEngine):  # type: ignore[misc]  # papermill ships no types
        """Papermill's own engine, with the kernel's environment as an argument."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **given: Any) -> Any:
            """Run the cells in a fresh kernel of this very Python."""
            client = PapermillNotebookClient(
                nb_man,
                timeout=given["execution_timeout"],
                startup_timeout=given["start_timeout"],
                kernel_name=kernel_name,
                shutdown_kernel=given["shutdown_kernel"],
                log=logger,
                log_output=False,
            )
            client.create_kernel_manager()
            client.km.transport = "ipc" if os.name == "posix" else "tcp"
            return client.execute(env=given["environment"])

    papermill_engines.register(_ENGINE, OwnEnvironment)
