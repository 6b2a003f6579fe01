"""The entry of the command line: commands, errors as one line, exit codes.

Reads   the arguments.
Gives   exit 0 done, 1 failed, 2 wrong use.
Never   imports anything heavy before it is needed: `--help` must be instant.
"""

from __future__ import annotations

import os
import sys

import typer

from intel_ml.core.errors import IntelError, WrongUseError
from intel_ml.surfaces.cli import autonomy, control, data, features, models, running, sandbox
from intel_ml.surfaces.cli.output import complain

FAILED, WRONG_USE = 1, 2
_LONGEST = 300

app = typer.Typer(
    name="intel-ml",
    help="Watch ad accounts, let rules and a learned policy propose, act once and safely.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
running.add_to(app)
control.add_to(app)
app.add_typer(data.accounts, name="account")
app.add_typer(data.users, name="user")
app.add_typer(data.tokens, name="token")
app.add_typer(data.imports, name="import")
app.add_typer(data.database, name="db")
app.add_typer(features.app, name="features")
app.add_typer(models.app, name="models")
app.add_typer(autonomy.app, name="autonomy")
app.add_typer(sandbox.app, name="sandbox")


@app.callback()
def prepare() -> None:
    """Watch ad accounts, let rules and a learned policy propose, act once and safely."""
    from intel_ml.surfaces import logs

    # A command's own words are for people; the long-running processes log by their settings.
    logs.configure(level="warning")


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; every foreseen failure is one line on standard error."""
    command = typer.main.get_command(app)
    try:
        command.main(args=arguments, prog_name="intel-ml")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except WrongUseError as error:
        complain(str(error))
        return WRONG_USE
    except IntelError as error:
        complain(str(error))
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("INTEL_LOG_LEVEL", "").lower() == "debug":
            raise
        complain(unforeseen(error))
    return FAILED


def unforeseen(error: Exception) -> str:
    """Return one line about an error nobody expected: its kind, its words, where to see more."""
    from intel_ml.surfaces.logs import without_secrets

    words = str(error).strip().splitlines()
    said = without_secrets(words[0])[:_LONGEST] if words else ""
    return (
        f"{type(error).__name__}: {said} "
        "This was not foreseen: INTEL_LOG_LEVEL=debug shows where, `intel-ml doctor` looks for why."
    )


if __name__ == "__main__":
    main()
