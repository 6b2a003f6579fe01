"""Commands about data and people: import, accounts, users, tokens, the database."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from intel_ml.core.errors import IntelError, InvalidValueError, UnavailableError, WrongUseError
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say
from intel_ml.surfaces.plain import plain

_LONGEST_ERROR = 300

imports = typer.Typer(help="Load performance that did not come from the API.", no_args_is_help=True)
accounts = typer.Typer(help="The ad accounts and what they are judged by.", no_args_is_help=True)
users = typer.Typer(help="People who can log in.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
database = typer.Typer(help="The database: upgrade, back up, restore.", no_args_is_help=True)


@imports.command("csv")
def import_csv(
    file: Annotated[
        Path, typer.Argument(help="The file, as exported from Ads Manager or anywhere else.")
    ],
    account: Annotated[
        str, typer.Option(help="The account to load into, act_…; it is created when new.")
    ],
    mapping: Annotated[
        list[str] | None,
        typer.Option(help="field=Column, as often as needed, like spend=Spent. Else recognised."),
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency of a new account.")] = "USD",
    time_zone: Annotated[str, typer.Option(help="Time zone of a new account.")] = "UTC",
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of rows that carry none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Load ad performance from a CSV file, whole or not at all."""
    from intel_ml.data.files.importer import import_csv as load
    from intel_ml.surfaces.onboarding import file_account
    from intel_ml.surfaces.platform import open_store

    if not file.is_file():
        raise WrongUseError(f"There is no file '{file}'.")
    store = open_store(opened())
    now = store.now()
    target = file_account(
        store, account_id=account, currency=currency, time_zone=time_zone, now=now
    )
    report = load(
        store,
        file,
        account=target,
        mapping=_mapping(mapping),
        as_of=now,
        day=day.date() if day else None,
    )
    if as_json:
        print_json(report)
        return
    say(f"Loaded {report.rows:,} rows about {report.entities:,} entities into {target.id}.")
    say(
        f"Read as{' before' if report.remembered else ''}: "
        + ", ".join(f"{k}={v}" for k, v in report.mapping.items())
    )
    if report.unavailable:
        say(f"The file has no {', '.join(report.unavailable)}: what needs them is left unknown.")
    say(f"Next: `intel-ml run train-archetypes --set account={target.id}`.")


def _mapping(pairs: list[str] | None) -> dict[str, str] | None:
    if not pairs:
        return None
    result = {}
    for pair in (part for text in pairs for part in text.split(",")):
        field, separator, column = pair.partition("=")
        if not separator:
            raise InvalidValueError(path="--mapping", problem=f"'{pair}' is not field=Column")
        result[field.strip()] = column.strip()
    return result


@accounts.command("list")
def list_accounts(as_json: Json = False) -> None:
    """List the accounts."""
    from intel_ml.data.store import accounts as stored
    from intel_ml.surfaces.platform import open_store

    with closing(open_store(opened())) as store, store.session() as session:
        found, sharing = stored.accounts(session), stored.sharing(session)
    if as_json:
        print_json([{**plain(one), "share_learning": one.id in sharing} for one in found])
        return
    print_table(
        "",
        [
            *("account", "name", "currency", "zone", "target CPA", "target ROAS", "mode"),
            *("shares", "source"),
        ],
        [
            (
                a.id,
                a.name,
                a.currency,
                a.time_zone,
                str(a.target_cpa or "not set"),
                a.target_roas or "not set",
                a.mode,
                "yes" if a.id in sharing else "no",
                a.source,
            )
            for a in found
        ],
    )


@accounts.command("add")
def add_account(
    cpa: Annotated[
        str | None, typer.Option(help="Target cost per purchase, in the account's currency.")
    ] = None,
    roas: Annotated[float | None, typer.Option(help="Target return on ad spend.")] = None,
    only: Annotated[
        str | None, typer.Option(help="Only this account, act_…; default: all the token can see.")
    ] = None,
) -> None:
    """Take on the accounts the token can see, with the default rules."""
    from intel_ml.surfaces.onboarding import onboard_accounts, same_targets
    from intel_ml.surfaces.platform import open_reader, open_store

    settings = opened()
    reader = open_reader(settings)
    targets = same_targets(reader, cpa=cpa, roas=roas, only=only)
    found = onboard_accounts(open_store(settings), reader, targets=targets, only=only)
    for account in found:
        say(
            f"{account.id} {account.name}: target CPA {account.target_cpa or 'not set'}, "
            "default rules in place."
        )


@accounts.command("targets")
def set_targets(
    account: Annotated[str, typer.Argument(help="The account, act_…")],
    cpa: Annotated[
        str | None, typer.Option(help="Target cost per purchase, in the account's currency.")
    ] = None,
    roas: Annotated[float | None, typer.Option(help="Target return on ad spend.")] = None,
) -> None:
    """Set what an account is judged by."""
    from intel_ml.data.store import accounts as stored
    from intel_ml.surfaces.onboarding import target_cpa, target_roas
    from intel_ml.surfaces.platform import open_store

    with open_store(opened()).session() as session:
        known = stored.account(session, account)
        cost = known.target_cpa if cpa is None else target_cpa(cpa, known.currency)
        earned = known.target_roas if roas is None else target_roas(roas)
        stored.set_targets(session, account, cpa=cost, roas=earned)
    say(f"{account}: target CPA {cost or 'not set'}, target ROAS {earned or 'not set'}.")


@accounts.command("sharing")
def set_sharing(
    account: Annotated[str, typer.Argument(help="The account, act_…")],
    on: Annotated[
        bool, typer.Option("--on/--off", help="On: lend and borrow. Off, the default: neither.")
    ],
) -> None:
    """Let an account lend what was learned of it to others that do, and borrow from them."""
    from intel_ml.data.store import accounts as stored
    from intel_ml.surfaces.platform import open_store

    with closing(open_store(opened())) as store, store.session() as session:
        known = stored.account(session, account)
        stored.set_sharing(session, known.id, shares=on)
        others = [one for one in stored.sharing(session) if one != known.id]
    if on:
        with_whom = f"with {', '.join(others)}" if others else "with nobody yet: no other does"
        say(f"{known.id} shares what is learned, {with_whom}, from the next training on.")
    else:
        say(f"{known.id} learns from itself alone from the next training on, and lends nothing.")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[str, typer.Option(help="viewer, approver, operator or admin.")] = "approver",
    account: Annotated[list[str] | None, typer.Option(help="Account; default: all.")] = None,
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given."
        ),
    ] = "",
) -> None:
    """Let a person log in, or give one a new password or role."""
    from intel_ml.surfaces.people import add_person
    from intel_ml.surfaces.platform import open_store

    granted = add_person(
        open_store(opened()), name=name, password=password, role=role, accounts=account
    )
    say(f"{name} is {role} of {', '.join(granted) or 'no account yet'}.")


@tokens.command("create")
def create_token(
    user: Annotated[str, typer.Option(help="Whom the token speaks for.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "api",
    as_json: Json = False,
) -> None:
    """Create a bearer token for the API. It is shown once."""
    from intel_ml.surfaces.people import new_token
    from intel_ml.surfaces.platform import open_store

    token = new_token(open_store(opened()), user=user, name=name)
    if as_json:
        print_json({"token": token})
    else:
        say(token)


@database.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the database to the newest schema."""
    from intel_ml.data.store import schema
    from intel_ml.surfaces.platform import open_store
    from intel_ml.surfaces.settings import load_settings

    store = open_store(load_settings())
    before = schema.current_revision(store)
    schema.upgrade(store)
    after = schema.current_revision(store)
    if as_json:
        print_json({"before": before, "after": after})
    else:
        say(f"The database was at {before or 'nothing'} and is at {after}.")


@database.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the dump.")],
) -> None:
    """Write everything to one file, in PostgreSQL's own format."""
    if file.exists():
        raise WrongUseError(f"{file} exists.", hint="Give another name.")
    _postgres_tool("pg_dump", "--format=custom", f"--file={file.resolve()}")
    say(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB).")


@database.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by `intel-ml db backup`.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Replace what is there without asking.")
    ] = False,
) -> None:
    """Replace the database's content by a backup's."""
    if not file.is_file():
        raise WrongUseError(f"There is no file '{file}'.")
    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True)
    _postgres_tool(
        "pg_restore", "--clean", "--if-exists", "--single-transaction", str(file.resolve())
    )
    say(f"Restored from {file}.")


def _postgres_tool(program: str, *arguments: str) -> None:
    from intel_ml.data.store.embedded import binary
    from intel_ml.surfaces.platform import database_url, open_store
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings()
    open_store(settings).close()
    path = shutil.which(program) if settings.intel_database_url else str(binary(program))
    if path is None:
        raise UnavailableError(service=program, check="Install PostgreSQL's client programs.")
    known = _connection(database_url(settings))
    # The URL may hold a password: it goes through the environment, not through the list of
    # processes.
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own program
        [path, *arguments, *(["--dbname", known["PGDATABASE"]] if program == "pg_restore" else [])],
        env=known,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-_LONGEST_ERROR:]
        raise IntelError(f"{program} failed.", hint=said.removeprefix(f"{program}: "))


def _connection(url: str) -> dict[str, str]:
    """Return libpq's variables for a URL."""
    from sqlalchemy import make_url

    parts = make_url(url)
    values = {
        "PGHOST": str(parts.query.get("host") or parts.host or ""),
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": parts.database or "",
    }
    return {name: value for name, value in values.items() if value}
