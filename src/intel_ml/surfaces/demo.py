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
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from intel_ml.core.accounts import Account, Person
from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.core.money import Money
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.operations import switches
from intel_ml.surfaces import logs
from intel_ml.surfaces.demo_summary import print_addresses, print_summary
from intel_ml.surfaces.onboarding import onboard_accounts
from intel_ml.surfaces.people import add_person
from intel_ml.surfaces.plain import plain
from intel_ml.surfaces.platform import embedded_postgres, limits_of, open_reader, open_store
from intel_ml.surfaces.play import Player, PlayReport, SandboxClock
from intel_ml.surfaces.processes import environment, process_spec
from intel_ml.surfaces.settings import Settings, demo_file, load_settings
from intel_ml.surfaces.starting import database, keep_up
from intel_ml.surfaces.supervisor import Supervisor, free_port

DAYS = 30
STEP_HOURS = 4
HOURLY_HOURS = 12
WORLD = "demo"
APPROVER = "Sam (simulated)"
LOGIN = "demo"
NOTEBOOK_JOBS = ("build-features", "train-archetypes", "train-policy", "evaluate-policy")
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
        marker = settings.intel_home / "made.json"
        if marker.exists():
            _take_up(store, settings, supervisor, console)
            made = json.loads(marker.read_text())
        else:
            made = _make(store, settings, supervisor, console, days=days)
            marker.write_text(json.dumps(made))
        supervisor.start(process_spec("scheduler", settings, env_file=file))
        print_summary(console, store, settings, made, seconds=time.monotonic() - began)
        if leave:
            return
        print_addresses(console, settings, login=LOGIN, password=_password(settings))
        keep_up(supervisor)


def forget_demo() -> None:
    """Delete everything an earlier demo left."""
    home = demo_file().parent
    if not home.exists():
        return
    server = embedded_postgres(load_settings(env_file=_settings_file()))
    server.stop()
    shutil.rmtree(server.data, ignore_errors=True)
    shutil.rmtree(home)


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
    """Play the days, run the notebooks, decide once more; return what it was."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("Start the sandbox and take on accounts", total=1, note="")
        supervisor.wait_ready("sandbox")
        clock = SandboxClock(settings.sandbox_url)
        clock.set_speed(0)
        accounts = _take_on(store, settings, clock)
        progress.update(task, completed=1, note=f"{len(accounts)} accounts")
        report = _play(store, settings, accounts=accounts, progress=progress, days=days)
        clock.set_speed(settings.intel_sandbox_speed)
        task = progress.add_task("Wait for MLflow", total=1, note="")
        supervisor.wait_ready("mlflow")
        progress.update(task, completed=1)
        seconds = _run_notebooks(store, settings, progress)
        task = progress.add_task(
            "Rules and policy decide side by side", total=len(accounts), note=""
        )
        cycle = _last_cycle(store, settings)
        progress.update(task, completed=len(accounts), note=f"{cycle['proposals']} proposals wait")
        task = progress.add_task("Wait for the pages and the API", total=1, note="")
        supervisor.wait_ready("ui", "api")
        progress.update(task, completed=1)
    return {"play": plain(report), "notebooks": seconds, "cycle": cycle}


def _take_on(store: Store, settings: Settings, clock: SandboxClock) -> tuple[Account, ...]:
    with store.session() as session:
        set_clock(session, now=clock.now())
        switches.revive(session, reason="the demo's account is simulated", by="demo")
    targets = {
        a["id"]: (Money(a["target_cpa_minor"], a["currency"]), a["target_roas"])
        for a in clock.world()["accounts"]
    }
    accounts = tuple(onboard_accounts(store, open_reader(settings), targets=targets))
    add_person(store, name=LOGIN, password=_password(settings), role="admin")
    add_person(store, name=APPROVER, password=secrets.token_urlsafe(16), role="approver")
    return accounts


def _play(
    store: Store,
    settings: Settings,
    *,
    accounts: tuple[Account, ...],
    progress: Progress,
    days: int,
) -> PlayReport:
    from intel_ml.data.sandbox.approvers import Approver  # noqa: PLC0415  # the demo alone needs it

    total = days * 24
    task = progress.add_task(f"Play {days} days of the loop", total=total, note="")
    limits = replace(limits_of(settings), exploration_share=0.08, stale_after_hours=2 * STEP_HOURS)
    player = Player(
        store=store,
        reader=open_reader(settings),
        clock=SandboxClock(settings.sandbox_url),
        accounts=accounts,
        limits=limits,
        acts=True,
        person=_person(store),
        approver=Approver("careful", seed=7),
    )
    early = player.play(
        hours=total - HOURLY_HOURS,
        every=STEP_HOURS,
        on_step=lambda done: progress.update(task, completed=done, note=f"day {int(done // 24)}"),
    )
    # The last hours are left unanswered: what is proposed then waits for whoever logs in.
    late = replace(player, approver=None).play(
        hours=HOURLY_HOURS,
        every=1,
        on_step=lambda done: progress.update(task, completed=total - HOURLY_HOURS + done),
    )
    whole = _sum(early, late)
    progress.update(task, note=f"{whole.decisions:,} decisions, {whole.executed} changes")
    return whole


def _run_notebooks(store: Store, settings: Settings, progress: Progress) -> dict[str, float]:
    from intel_ml.surfaces.jobs import run_job  # noqa: PLC0415  # Papermill is heavy
    from intel_ml.surfaces.work import job_context  # noqa: PLC0415

    seconds = {}
    context = job_context(settings, store=store)
    for name in NOTEBOOK_JOBS:
        task = progress.add_task(f"Notebook {name}", total=1, note="")
        began = time.monotonic()
        # In the slot of now, so that the scheduler doesn't run it again at once.
        result = run_job(name, context=context, slot=_slot(name, settings, store))
        if result.status != "done":
            raise IntelError(f"The notebook {name} failed.", hint=result.message)
        seconds[name] = round(time.monotonic() - began, 1)
        progress.update(task, completed=1, note=f"{seconds[name]:.0f} s")
    return seconds


def _slot(name: str, settings: Settings, store: Store) -> datetime:
    from intel_ml.surfaces.jobs.schedules import discover, slot_of  # noqa: PLC0415  # as above

    return slot_of(discover(settings.project)[name], store.now())


def _last_cycle(store: Store, settings: Settings) -> dict[str, int]:
    from intel_ml.surfaces.work import decide_all, job_context, score_accounts  # noqa: PLC0415

    context = job_context(settings, store=store)
    score_accounts(context)
    return decide_all(context)


def _take_up(store: Store, settings: Settings, supervisor: Supervisor, console: Console) -> None:
    """Bring the platform's clock to the sandbox's and wait until everything answers."""
    with console.status("Taking up the demo that is already there"):
        supervisor.wait_ready("sandbox")
        with store.session() as session:
            set_clock(session, now=SandboxClock(settings.sandbox_url).now())
        supervisor.wait_ready("mlflow", "ui", "api")


def _person(store: Store) -> Person:
    with store.session() as session:
        found = stored.person_named(session, APPROVER)
    if found is None:
        raise UnavailableError(service="The simulated approver", check="Run `make demo` afresh.")
    return found[0]


def _password(settings: Settings) -> str:
    file = settings.intel_home / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(4))
    return file.read_text()


def _sum(early: PlayReport, late: PlayReport) -> PlayReport:
    counts = (
        "looks",
        "rows",
        "decisions",
        "proposals",
        "held_out",
        "approved",
        "rejected",
        "modified",
        "measured",
    )
    merged = {name: getattr(early, name) + getattr(late, name) for name in counts}
    names = {*early.seconds, *late.seconds}
    seconds = {n: early.seconds.get(n, 0.0) + late.seconds.get(n, 0.0) for n in names}
    return replace(late, **merged, seconds=seconds)
