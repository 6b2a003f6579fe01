"""What each process of the platform does once it runs.

Reads   `Settings`.
Gives   `run_process`: the body of `intel-ml process NAME`.
Never   lets two bodies share an address space: each is a process of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from intel_ml.core.errors import InvalidValueError
from intel_ml.surfaces import logs
from intel_ml.surfaces.platform import graph_url, limits_of, mlflow_database_url, open_store
from intel_ml.surfaces.processes import HOLD_WRITE_TOKEN, QUIET, drop_write_token
from intel_ml.surfaces.settings import LOOPBACK, Settings


def run_process(name: str, settings: Settings) -> None:
    """Run one process until it is asked to end."""
    os.environ.update(QUIET)
    if name not in HOLD_WRITE_TOKEN:
        drop_write_token()
    logs.configure(level=settings.intel_log_level, secrets=logs.secrets_of(settings))
    _BODIES[name](settings)


def _sandbox(settings: Settings) -> None:
    from intel_ml.data.sandbox.server import serve  # noqa: PLC0415  # only this process needs it
    from intel_ml.surfaces.simulated import sandbox_options  # noqa: PLC0415

    serve(**sandbox_options(settings))


def _mlflow(settings: Settings) -> None:
    from intel_ml.learning.registry import server_command  # noqa: PLC0415  # imports MLflow

    argv, env = server_command(
        mlflow_database_url(settings),
        artifacts=settings.artifacts,
        host=LOOPBACK,
        port=settings.intel_mlflow_port,
        python=sys.executable,
    )
    os.execvpe(argv[0], argv, {**os.environ, **env})  # noqa: S606  # MLflow's own server, in our place


def _executor(settings: Settings) -> None:
    from intel_ml.operations.dispatcher import WriteAccess, run  # noqa: PLC0415  # the only caller

    if not settings.enable_action_executor:
        raise InvalidValueError(
            path="ENABLE_ACTION_EXECUTOR",
            problem="is false",
            hint="The executor is off by default.",
        )
    if settings.meta_write_token is None:
        raise InvalidValueError(
            path="META_WRITE_TOKEN", problem="is not set", hint="The executor needs it."
        )
    secret = settings.meta_app_secret
    access = WriteAccess(
        graph_url=graph_url(settings),
        token=settings.meta_write_token.get_secret_value(),
        app_id=settings.meta_app_id,
        app_secret=secret.get_secret_value() if secret else None,
    )
    run(
        open_store(settings),
        write=access,
        limits=limits_of(settings),
        enabled=True,
        stop=_stop_event(),
    )


def _api(settings: Settings) -> None:
    from intel_ml.surfaces.api.launch import service_command  # noqa: PLC0415

    argv, env = service_command(settings)
    os.chdir(settings.project)
    os.execvpe(argv[0], argv, {**os.environ, **env})  # noqa: S606  # BentoML's own server, in our place


def _ui(settings: Settings) -> None:
    import uvicorn  # noqa: PLC0415  # only this process needs them

    from intel_ml.surfaces.ui.app import create_ui  # noqa: PLC0415

    app = create_ui(open_store(settings), settings)
    uvicorn.run(
        app, host=LOOPBACK, port=settings.intel_ui_port, log_level="warning", access_log=False
    )


def _scheduler(settings: Settings) -> None:
    from intel_ml.surfaces.jobs import run_scheduler  # noqa: PLC0415
    from intel_ml.surfaces.work import job_context  # noqa: PLC0415

    run_scheduler(job_context(settings), stop=_stop_event())


def _stop_event() -> threading.Event:
    stop = threading.Event()

    def ask(_number: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


_BODIES: dict[str, Callable[[Settings], None]] = {
    "sandbox": _sandbox,
    "mlflow": _mlflow,
    "executor": _executor,
    "api": _api,
    "ui": _ui,
    "scheduler": _scheduler,
}
