"""Commands of the simulated ad platform: run one, move its time on, see what was written to it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intel_ml.core.errors import WrongUseError
from intel_ml.surfaces.cli import worlds
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from intel_ml.surfaces.simulated import SandboxClock

app = typer.Typer(help="The simulated ad platform.", no_args_is_help=True)
_REPORTS = (".html", ".png")
Url = Annotated[
    str | None, typer.Option(help="Address of a sandbox; without, that of the settings.")
]


@app.command()
def clock(url: Url = None, as_json: Json = False) -> None:
    """Print the simulated moment."""
    with _client(url) as client:
        answer = client.clock()
    if as_json:
        print_json(answer)
    else:
        say(f"It is {answer['now']} in the sandbox.")


@app.command()
def advance(
    hours: Annotated[int, typer.Option(min=1, help="Simulated hours.")] = 24,
    every: Annotated[int, typer.Option(min=1, help="Hours between two looks of the platform.")] = 4,
) -> None:
    """Let simulated time pass, with the platform collecting, deciding and measuring as it does."""
    from intel_ml.surfaces.play import play_on

    settings = _settings()
    report = play_on(settings, hours=hours, every=every)
    say(
        f"It is {report.now:%Y-%m-%d %H:%M} UTC in the sandbox: {report.decisions:,} decisions, "
        f"{report.proposals} proposals, "
        f"{report.executed} changes, {report.measured} outcomes measured."
    )


@app.command()
def writes(
    entity: Annotated[
        str | None, typer.Option("--object", help="Of this campaign, ad set or ad.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From this simulated moment on, 2026-11-01T00:00.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="After the write with this number.")] = 0,
    made: Annotated[
        bool | None, typer.Option("--made/--not-made", help="Only those that were, or were not.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List every write the sandbox received: what really happened."""
    asked = {"object": entity, "since": since, "after": after, "applied": made}
    with _client(url) as client:
        found = client.writes(**{name: one for name, one in asked.items() if one is not None})
    if as_json:
        print_json(found)
        return
    if not found:
        say("No such write was received.")
        return
    print_table(
        "",
        ["no.", "when", "token", "method", "path", "what", "status", "made", "fault"],
        [
            (
                f"{w['n']}",
                f"{w['at'][:16].replace('T', ' ')}",
                w["token"],
                w["method"],
                w["path"],
                ", ".join(f"{name}={value}" for name, value in w["params"].items()),
                f"{w['status']}",
                "yes" if w["is_applied"] else "no",
                w["fault"],
            )
            for w in found
        ],
    )


worlds.add_to(app)


@app.command()
def evaluate(
    policy: Annotated[
        str, typer.Option(help="A policy's name, a folder it was saved in, or a yardstick.")
    ],
    world: Annotated[str, typer.Option(help="A shipped world's name or a TOML file.")] = "demo",
    days: Annotated[int, typer.Option(min=1, max=365, help="Simulated days.")] = 30,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How many worlds are played.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    approver: Annotated[
        str | None, typer.Option(help="Who answers each proposal; without, all are done.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write a report: .html, or the picture as .png.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a policy beside rules, chance and the oracle, and tell what it is worth.

    Needs no running platform: every world is played in this process and its helpers.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from intel_ml.learning import simulation
    from intel_ml.learning.simulation.pictures import HEADERS, cells, headline, subtitle

    if out is not None and out.suffix not in _REPORTS:
        raise WrongUseError(f"A report is written as {' or '.join(_REPORTS)}, not '{out.suffix}'.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    errors = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as bar:
        task = bar.add_task(f"Play {days} days of {Path(world).stem}", total=None)
        found = simulation.evaluate(
            policy,
            world,
            days=days,
            seeds=range(first_seed, first_seed + seeds),
            conditions=simulation.Conditions(approver=approver),
            on_step=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".png":
            found.figure().savefig(out, dpi=144)
        else:
            out.write_text(found.html(), encoding="utf-8")
    if as_json:
        print_json(found.as_json())
        return
    say(headline(found))
    print_table("", list(HEADERS), [cells(found, line) for line in found.lines])
    say(subtitle(found))
    if out is not None:
        say(f"The report is {out}.")


def _settings() -> Any:
    settings = opened()
    if not settings.uses_sandbox:
        raise WrongUseError(
            "These settings use a real ad account.",
            hint="The sandbox belongs to `make demo`; one served by hand is named with --url.",
        )
    return settings


def _client(url: str | None) -> closing[SandboxClock]:
    from intel_ml.surfaces.simulated import SandboxClock

    return closing(SandboxClock(url or _settings().sandbox_url))
