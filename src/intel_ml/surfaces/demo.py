"""The demo: a simulated account with a month of history that the platform made by running itself.

Reads   nothing of a real account: its settings, database and tokens are its own.
Gives   the main job with progress, a summary of what it found, the addresses and a login; then it
        stays up.
Never   touches the settings or the data of another installation.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces import logs
from intel_ml.surfaces.demo_month import LOGIN, Month
from intel_ml.surfaces.demo_summary import print_addresses, print_summary
from intel_ml.surfaces.plain import plain
from intel_ml.surfaces.platform import embedded_postgres, open_store
from intel_ml.surfaces.processes import environment, process_spec
from intel_ml.surfaces.settings import Settings, demo_file, load_settings
from intel_ml.surfaces.simulated import SandboxClock, catch_up
from intel_ml.surfaces.starting import database, keep_up
from intel_ml.surfaces.supervisor import Supervisor, free_port

DAYS = 30
WORLD = "demo"
_PORTS = {
    "intel_mlflow_port": 5500,
    "intel_api_port": 5501,
    "intel_ui_port": 5502,
    "intel_sandbox_port": 5503,
}


def run_demo(*, leave: bool, fresh: bool, days: int = DAYS) -> None:
    """Run the demo's main job, or take up an earlier one; stay up unless told to leave.

    `days` is how much history is played where there is none yet.
    """
    logs.configure(level="error")
    console = Console()
    began = time.monotonic()
    if fresh:
        forget_demo()
    forget_unfinished()
    file = _settings_file()
    for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
        del os.environ[name]
    os.environ.update(environment(env_file=file))
    settings = load_settings()
    with ExitStack() as stack:
        stack.enter_context(database(settings))
        supervisor = stack.enter_context(
            Supervisor(logs=settings.intel_home / "logs", cwd=settings.project)
        )
        for name in ("sandbox", "mlflow", "executor", "ui", "api"):
            supervisor.start(process_spec(name, settings, env_file=file))
        store = open_store(settings)
        stack.callback(store.close)
        if _marker().exists():
            _take_up(store, settings, supervisor, console)
            made = json.loads(_marker().read_text())
        else:
            made = _make(store, settings, supervisor, console, days=days)
            _marker().write_text(json.dumps(made))
        supervisor.start(process_spec("scheduler", settings, env_file=file))
        print_summary(console, store, settings, made, seconds=time.monotonic() - began)
        if leave:
            return
        print_addresses(console, settings, login=LOGIN, password=_password(settings))
        keep_up(supervisor)


def forget_unfinished() -> None:
    """Delete what an interrupted demo left: half a month cannot be taken up."""
    if not _marker().exists():
        forget_demo()


def forget_demo() -> None:
    """Delete everything an earlier demo left."""
    home = demo_file().parent
    if not home.exists():
        return
    settings = load_settings(env_file=_settings_file())
    embedded_postgres(settings).forget()
    shutil.rmtree(settings.artifacts, ignore_errors=True)
    shutil.rmtree(home)


def _marker() -> Path:
    """Return the file that is there once the main job has been done."""
    return demo_file().parent / "made.json"


def _settings_file() -> Path:
    """Return the demo's own settings, written once; taken ports are replaced at each start."""
    file = demo_file()
    values = (
        dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    )
    values = _defaults() | values
    for name, preferred in _PORTS.items():
        values[name.upper()] = str(free_port(int(values.get(name.upper(), preferred))))
    values["META_GRAPH_URL"] = f"http://127.0.0.1:{values['INTEL_SANDBOX_PORT']}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return file


def _defaults() -> dict[str, str]:
    return {
        "ENABLE_INTELLIGENCE": "true",
        "ENABLE_ML_PREDICTIONS": "true",
        "ENABLE_ACTION_EXECUTOR": "true",
        "ACTIVE_MODEL_VERSION": "shadow",
        "MIN_TRAINING_SAMPLES": "200",
        "MAX_BUDGET_CHANGE_PERCENT": "50",
        "ACTION_COOLDOWN_HOURS": "20",
        "HOLDOUT_SHARE": "0.15",
        "INTEL_HOME": str(demo_file().parent),
        "INTEL_SANDBOX_WORLD": WORLD,
        "META_ACCESS_TOKEN": f"sandbox-read-{secrets.token_urlsafe(16)}",
        "META_WRITE_TOKEN": f"sandbox-write-{secrets.token_urlsafe(16)}",
        "INTEL_SESSION_SECRET": secrets.token_urlsafe(32),
    }


def _make(
    store: Store, settings: Settings, supervisor: Supervisor, console: Console, *, days: int
) -> dict[str, Any]:
    """Play the days, run the notebooks, decide with what was learned; return what it was."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<30}"),
        BarColumn(bar_width=8),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    ) as progress:
        task = progress.add_task("Start the sandbox", total=1, note="")
        supervisor.wait_ready("sandbox")
        progress.update(task, completed=1)
        month = Month(store, settings, SandboxClock(settings.sandbox_url), progress, days)
        month.clock.set_speed(0)
        accounts = month.take_on(_password(settings))
        answered = month.play_answered(accounts)
        task = progress.add_task("Wait for MLflow", total=1, note="")
        supervisor.wait_ready("mlflow")
        progress.update(task, completed=1)
        seconds = month.run_notebooks()
        unanswered, cycle = month.play_unanswered(accounts)
        month.clock.set_speed(settings.intel_sandbox_speed)
        task = progress.add_task("Wait for the pages and the API", total=1, note="")
        supervisor.wait_ready("ui", "api")
        progress.update(task, completed=1)
    played = answered.plus(unanswered)
    return {"days": days, "play": plain(played), "notebooks": seconds, "cycle": cycle}


def _take_up(store: Store, settings: Settings, supervisor: Supervisor, console: Console) -> None:
    """Let the time pass in the sandbox that passed without it; wait until everything answers."""
    with console.status("Taking up the demo that is already there"):
        supervisor.wait_ready("sandbox")
        catch_up(store, SandboxClock(settings.sandbox_url))
        supervisor.wait_ready("mlflow", "ui", "api")


def _password(settings: Settings) -> str:
    file = settings.intel_home / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(4))
    return file.read_text()
