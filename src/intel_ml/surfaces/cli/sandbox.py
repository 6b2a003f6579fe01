"""Commands of the simulated ad platform: run one, move its time on, see what was written to it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from intel_ml.core.errors import WrongUseError
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

app = typer.Typer(help="The simulated ad platform.", no_args_is_help=True)


@app.command()
def clock(as_json: Json = False) -> None:
    """Print the simulated moment."""
    answer = _client().clock()
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
def writes(as_json: Json = False) -> None:
    """List every write the sandbox received: what really happened."""
    found: list[dict[str, Any]] = _client().writes()
    if as_json:
        print_json(found)
        return
    print_table(
        "",
        ["when", "path", "what", "status", "applied"],
        [(w["at"], w["path"], w["params"], w["status"], w["is_applied"]) for w in found],
    )


def _settings() -> Any:
    settings = opened()
    if not settings.uses_sandbox:
        raise WrongUseError(
            "These settings use a real ad account.", hint="The sandbox belongs to `make demo`."
        )
    return settings


def _client() -> Any:
    from intel_ml.surfaces.simulated import SandboxClock

    return SandboxClock(_settings().sandbox_url)
