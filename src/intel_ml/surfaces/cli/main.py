"""The entry of the command line: commands, errors as one line, exit codes.

Reads   the arguments.
Gives   exit 0 done, 1 failed, 2 wrong use.
Never   imports anything heavy before it is needed: `--help` must be instant.
"""

from __future__ import annotations

import difflib
import os
import sys
from typing import Any

import typer
from click import ClickException, UsageError
from click.exceptions import Abort, Exit

from intel_ml.core.errors import IntelError, WrongUseError
from intel_ml.surfaces.cli import control, data, models, running, sandbox
from intel_ml.surfaces.cli.output import complain

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

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
app.add_typer(models.app, name="models")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; every foreseen failure is one line on standard error."""
    command: Any = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="intel-ml", standalone_mode=False)
    except UsageError as error:
        complain(_usage(error))
        return WRONG_USE
    except ClickException as error:
        complain(error.format_message())
        return WRONG_USE
    except Exit as stop:
        return int(stop.exit_code)
    except (Abort, KeyboardInterrupt):
        complain("Stopped.")
        return INTERRUPTED
    except WrongUseError as error:
        complain(str(error))
        return WRONG_USE
    except IntelError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return int(result) if isinstance(result, int) else 0


def _usage(error: UsageError) -> str:
    """Return what was wrong and the nearest thing that exists."""
    message = error.format_message()
    known = _known_words(error)
    wrong = next(
        (word for word in message.replace("'", " ").replace('"', " ").split() if word in sys.argv),
        "",
    )
    near = difflib.get_close_matches(wrong.rstrip("."), known, n=1) if wrong else []
    hint = "" if not near or near[0] in message else f" Did you mean '{near[0]}'?"
    where = error.ctx.command_path if error.ctx else "intel-ml"
    return f"{message}{hint} See `{where} --help`."


def _known_words(error: UsageError) -> list[str]:
    if error.ctx is None:
        return []
    command: Any = error.ctx.command
    options = [name for parameter in command.params for name in parameter.opts]
    return options + list(getattr(command, "commands", {}))


if __name__ == "__main__":
    main()
