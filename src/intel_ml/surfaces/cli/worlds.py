"""Commands about worlds: which there are, whether a file is one, and serving one by hand.

Reads   world files, shipped ones and your own.
Gives   `worlds`, `check` and `serve` of `intel-ml sandbox`; none needs the platform or a setting.
Never   listens anywhere but on loopback.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intel_ml.core.errors import InvalidValueError
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from intel_ml.data.sandbox.control import Control

_PORT = 5503
_READ_TOKEN, _WRITE_TOKEN = "read-token", "write-token"
_DAYS = 30
_FASTEST = 100_000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(worlds)
    app.command()(check)
    app.command()(serve)


def worlds(as_json: Json = False) -> None:
    """List the shipped worlds: what each is for, how much it holds, what is special."""
    from intel_ml.data.sandbox.summary import summary_of
    from intel_ml.data.sandbox.worldfile import load_world_file, world_names

    found = [summary_of(load_world_file(name)) for name in world_names()]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(
        "",
        ["world", "accounts", "ads", "special", "what it is"],
        [
            (one.name, one.accounts, one.ads, "; ".join(one.special), one.description)
            for one in found
        ],
    )


def check(
    world: Annotated[str, typer.Argument(metavar="FILE", help="A TOML file, or a world's name.")],
    as_json: Json = False,
) -> None:
    """Say what a world file holds, or where it is wrong and how to put it right."""
    from intel_ml.data.sandbox.summary import summary_of
    from intel_ml.data.sandbox.worldfile import load_world_file

    found = summary_of(load_world_file(world))
    if as_json:
        print_json(asdict(found))
        return
    say(f"'{found.name}' is a world: {found.description}")
    held = (
        _count(found.accounts, "account"),
        _count(found.campaigns, "campaign"),
        _count(found.adsets, "ad set"),
        _count(found.ads, "ad"),
    )
    say(f"  holds    {', '.join(held)}")
    say(f"  money    {', '.join(found.currencies)}")
    say(f"  kinds    {', '.join(found.kinds)}")
    say(f"  special  {'; '.join(found.special) or 'nothing: every mechanism as by default'}")


def serve(
    world: Annotated[str, typer.Option(help="A shipped world's name or a TOML file.")] = "demo",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"On loopback; without, {_PORT} or a free one."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another luck than the file's.")] = None,
    start: Annotated[
        str | None, typer.Option(help="First hour, as 2026-11-01T00:00; without, --days ago.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=366, help="Days to play first.")] = _DAYS,
    speed: Annotated[
        float,
        typer.Option(min=0, max=_FASTEST, help="Simulated seconds a second; 1 is real time."),
    ] = 0.0,
    journal: Annotated[
        Path | None, typer.Option(help="File to keep it in, so that a restart goes on there.")
    ] = None,
) -> None:
    """Serve a world over HTTP until Ctrl-C: the Graph API, and controls under /_sandbox/."""
    from intel_ml.data.sandbox import byhand
    from intel_ml.data.sandbox.server import create_app

    begun = byhand.world_to_serve(
        world,
        days=days,
        now=datetime.now(UTC),
        start=None if start is None else _moment(start),
        seed=seed,
        journal=journal,
    )
    bound = byhand.listening(port, preferred=_PORT)
    app = create_app(begun, read_token=_READ_TOKEN, write_token=_WRITE_TOKEN, journal=journal)
    control: Control = app.state.control
    _played(control, days)
    control.set_speed(speed)
    say(_welcome(control, f"http://{byhand.LOOPBACK}:{bound.getsockname()[1]}", journal=journal))
    byhand.serve_until_stopped(app, bound)
    say("The sandbox has ended.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(
            path="start", problem=f"'{text}' is no moment; write one like 2026-11-01T00:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _played(control: Control, days: int) -> None:
    """Play the first days, with a bar for people."""
    from rich.console import Console
    from rich.progress import Progress

    from intel_ml.data.sandbox import byhand

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Play {days} days", total=days)
        byhand.play_days(control, days, on_day=lambda day: bar.update(task, completed=day))


def _welcome(control: Control, address: str, *, journal: Path | None) -> str:
    world, speed = control.platform.world, control.speed
    goes_on = f"it goes on at {speed:g} times real time" if speed else "time stands still"
    listed = f"{address}/v26.0/me/adaccounts?access_token={_READ_TOKEN}"
    lines = [
        f"'{world.name}' is served until Ctrl-C: "
        f"{_count(len(world.population.accounts), 'account')}, "
        f"{_count(len(world.population.ads), 'ad')}.",
        f"  address      {address}    (META_GRAPH_URL)",
        f"  reads with   {_READ_TOKEN}    (META_ACCESS_TOKEN)",
        f"  writes with  {_WRITE_TOKEN}    (META_WRITE_TOKEN)",
        f"  it is        {world.now:%Y-%m-%d %H:%M} UTC there; {goes_on}",
        f"  kept in      {journal or 'nothing: --journal FILE would keep it'}",
        "  told in      docs/sandbox-api.md",
        f'  accounts     curl -s "{listed}"',
        f"  an hour on   curl -s -X POST {address}/_sandbox/advance",
    ]
    return "\n".join(lines)
