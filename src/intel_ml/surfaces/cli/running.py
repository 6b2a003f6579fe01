"""Commands that run things: the platform, a process, a job, the notebooks; its status."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from intel_ml.core.errors import InvalidValueError, UnknownNameError
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

PROCESSES = ("sandbox", "mlflow", "executor", "api", "ui", "scheduler")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(up)
    app.command(hidden=True)(process)
    app.command()(status)
    app.command()(doctor)
    app.command("run")(run_job)
    app.command()(lab)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="On a simulated account, with a month of history.")
    ] = False,
    leave: Annotated[bool, typer.Option("--exit", help="Leave after the demo's main job.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier demo first.")] = False,
    days: Annotated[int, typer.Option(hidden=True, min=1, help="Days the demo plays.")] = 30,
) -> None:
    """Start the platform as the settings say, and supervise it until Ctrl-C."""
    if demo:
        from intel_ml.surfaces.demo import run_demo
        from intel_ml.surfaces.settings import demo_file
        from intel_ml.surfaces.starting import sole

        with sole(demo_file().parent.with_suffix(".lock")):
            run_demo(leave=leave, fresh=fresh, days=days)
        return
    from intel_ml.surfaces.platform import require_enabled
    from intel_ml.surfaces.settings import load_settings, settings_file
    from intel_ml.surfaces.starting import run_platform

    settings = load_settings()
    require_enabled(settings)
    run_platform(settings, env_file=settings_file())


def process(name: Annotated[str, typer.Argument(help=", ".join(PROCESSES))]) -> None:
    """Run one process of the platform in the foreground: what a cluster's orchestrator calls."""
    if name not in PROCESSES:
        raise UnknownNameError(kind="process", name=name, known=PROCESSES)
    from intel_ml.surfaces.entry import run_process
    from intel_ml.surfaces.platform import require_enabled
    from intel_ml.surfaces.processes import HOLD_WRITE_TOKEN
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings(with_write_token=name in HOLD_WRITE_TOKEN)
    require_enabled(settings)
    run_process(name, settings)


def status(as_json: Json = False) -> None:
    """Show processes, last runs, queue, limits used, switches and models on one screen."""
    from intel_ml.surfaces.status import read_status

    found = read_status(opened())
    if as_json:
        print_json(found)
        return
    say(
        f"Platform time {found.now:%Y-%m-%d %H:%M} UTC. "
        f"Acting is {'allowed' if found.acting else 'OFF'}: {found.acting_reason}."
    )
    print_table(
        "Processes",
        ["process", "state", "address"],
        [(p.name, p.state, p.address) for p in found.processes],
    )
    print_table(
        "Accounts",
        ["account", "mode", "last look", "pending", "changes in the last hour", "limit"],
        [
            (a.account, a.mode, a.last_look, a.pending, a.changes_last_hour, a.limit)
            for a in found.accounts
        ],
    )
    print_table(
        "Last runs",
        ["job", "when", "state", "took", "message"],
        [(r.name, r.when, r.state, r.took, r.message) for r in found.runs],
    )
    print_table(
        "Models",
        ["model", "version", "aliases", "status"],
        [(m.name, m.version, m.aliases, m.status) for m in found.models],
    )


def doctor(as_json: Json = False) -> None:
    """Check settings, database, token, clock, disk and versions: each line is ok, or what to do."""
    from intel_ml.surfaces.doctor import examine

    checks = examine()
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            say(f"{'ok  ' if check.is_ok else 'FIX '} {check.name}: {check.finding}")
    if not all(check.is_ok for check in checks):
        raise typer.Exit(1)


def run_job(
    name: Annotated[str, typer.Argument(help="A file of pipelines/, without .py.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="parameter=value, as often as needed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run one job now: what cron, Airflow, Dagster or Kubernetes calls."""
    from intel_ml.surfaces.jobs import run_job as run_now
    from intel_ml.surfaces.work import job_context

    settings, parameters = opened(), _parameters(set_)
    result = run_now(name, context=job_context(settings), parameters=parameters)
    if as_json:
        print_json(result)
    else:
        took = f"{result.took_ms / 1000:.1f} s"
        say(f"{result.name}: {result.status} in {took}. {result.message}")
    if result.status != "done":
        raise typer.Exit(1)


def lab() -> None:
    """Open the notebooks in JupyterLab, connected to this installation."""
    from intel_ml.surfaces.platform import open_store
    from intel_ml.surfaces.processes import QUIET
    from intel_ml.surfaces.settings import settings_file

    settings = opened()
    open_store(settings).close()
    file = settings_file()
    os.environ.update(QUIET | ({"INTEL_ENV_FILE": str(file)} if file else {}))
    os.environ.pop("MPLBACKEND", None)
    options = [
        "--notebook-dir=notebooks",
        "--ip=127.0.0.1",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    from jupyterlab.labapp import LabApp

    os.chdir(settings.project)
    LabApp.launch_instance(options)


def _parameters(pairs: list[str] | None) -> dict[str, Any]:
    import json

    values: dict[str, Any] = {}
    for pair in pairs or []:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise InvalidValueError(path="--set", problem=f"'{pair}' is not parameter=value")
        try:
            values[name] = json.loads(text, parse_constant=_no_constant)
        except ValueError:
            values[name] = text
    return values


def _no_constant(name: str) -> Any:
    raise InvalidValueError(path="--set", problem=f"{name} is not a finite number")
