"""Commands of the model owner: what is registered, what serves, and why."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from intel_ml.data.store.sessions import Store
    from intel_ml.learning.registry import Registry

app = typer.Typer(
    help="The models: list, show, promote, demote, roll back, compare.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The model, e.g. campaign-policy.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List every registered version with its alias and status."""
    registry, store = _open()
    from intel_ml.learning.promotion import overview

    rows = overview(registry, store)
    if as_json:
        print_json(rows)
        return
    print_table(
        "",
        ["model", "version", "aliases", "status", "trained on", "verdict"],
        [
            (r.name, r.version, ", ".join(r.aliases), r.status, r.training_rows, r.verdict)
            for r in rows
        ],
    )


@app.command()
def show(name: Name, version: Annotated[str, typer.Argument()] = "", as_json: Json = False) -> None:
    """Show one version: evidence, gate, and the audited life of it."""
    registry, store = _open()
    from intel_ml.learning.promotion import evidence

    found = evidence(registry, store, name=name, version=version or None)
    if as_json:
        print_json(found)
        return
    say(found.text)


@app.command()
def promote(name: Name, version: Annotated[str, typer.Argument()]) -> None:
    """Make a version the champion, if its gate lets it pass."""
    registry, store = _open()
    from intel_ml.learning.promotion import promote as promote_version

    say(promote_version(registry, store, name=name, version=version, by=getpass.getuser()).text)


@app.command()
def demote(name: Name, version: Annotated[str, typer.Argument()]) -> None:
    """Take a version out of service."""
    registry, store = _open()
    from intel_ml.learning.promotion import demote as demote_version

    say(demote_version(registry, store, name=name, version=version, by=getpass.getuser()).text)


@app.command()
def rollback(name: Name) -> None:
    """Put the champion before this one back into service."""
    registry, store = _open()
    from intel_ml.learning.promotion import rollback as roll_back

    say(roll_back(registry, store, name=name, by=getpass.getuser()).text)


def _open() -> tuple[Registry, Store]:
    from intel_ml.learning.registry import Registry
    from intel_ml.surfaces.platform import open_store, require_enabled
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings()
    require_enabled(settings)
    return Registry(settings.mlflow_url), open_store(settings)
