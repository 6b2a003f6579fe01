"""Commands of the model owner: what is registered, what serves, and why."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from intel_ml.data.store.sessions import Store
    from intel_ml.learning.promotion import Dossier, Lives, Step
    from intel_ml.learning.registry import Registry
    from intel_ml.surfaces.settings import Settings

app = typer.Typer(
    help="The models: list, show, promote, demote, roll back, compare.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The model, e.g. campaign-policy.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the model's history.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List every registered version with its alias and status."""
    from intel_ml.learning.promotion import overview

    with _opened() as (registry, store):
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
    from intel_ml.learning.promotion import evidence

    with _opened() as (registry, store):
        found = evidence(registry, store, name=name, version=version or None)
    if as_json:
        print_json(found)
        return
    say(found.text)


@app.command()
def compare(
    name: Name,
    one: Annotated[str, typer.Argument(help="A version or an alias.")],
    other: Annotated[str, typer.Argument(help="What to put beside it.")] = "champion",
    as_json: Json = False,
) -> None:
    """Put the recorded evidence of two versions side by side."""
    from intel_ml.learning.gates import EVIDENCE
    from intel_ml.learning.promotion import evidence

    with _opened() as (registry, store):
        pair = [evidence(registry, store, name=name, version=place) for place in (one, other)]
    numbers = {
        key: [found.numbers.get(key) for found in pair]
        for key in dict.fromkeys(key for found in pair for key in found.numbers)
    }
    facts = {
        words: [found.version.tags.get(tag, "") for found in pair]
        for tag, words in (("data_range", "data"), ("gate_evidence", "gate"))
    }
    if as_json:
        versions = [found.version.version for found in pair]
        print_json({"name": name, "versions": versions, "numbers": numbers, **facts})
        return
    told = {
        EVIDENCE.get(key, key): [
            "not measured" if value is None else f"{value:,.4g}" for value in values
        ]
        for key, values in numbers.items()
    }
    print_table(
        "",
        [name, *(_titled(found) for found in pair)],
        [(key, *values) for key, values in {**told, **facts}.items()],
    )
    if len(set(facts["data"])) > 1:
        say("Measured on different data; `lab.compare` judges two policies on the same decisions.")


@app.command()
def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="A version or an alias.")],
    as_json: Json = False,
) -> None:
    """Make a version, or the challenger, the champion, if its gate lets it pass."""
    from intel_ml.learning.promotion import promote as promote_version
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings()
    least = settings.min_training_samples
    with _lives(name) as (lives, now):
        verdict = promote_version(
            lives, version, by=getpass.getuser(), now=now, min_training_samples=least
        )
    if as_json:
        print_json({"passed": verdict.has_passed, "verdict": verdict.text})
    else:
        say(verdict.text)
        if verdict.has_passed:
            say(_shown(settings))
    if not verdict.has_passed:
        raise typer.Exit(1)


@app.command()
def demote(name: Name, reason: Reason, as_json: Json = False) -> None:
    """Take the champion out of service; rules alone decide until there is another."""
    from intel_ml.learning.promotion import demote as demote_champion

    with _lives(name) as (lives, now):
        step = demote_champion(lives, by=getpass.getuser(), reason=reason, now=now)
    _tell(step, as_json=as_json)


@app.command()
def rollback(name: Name, reason: Reason, as_json: Json = False) -> None:
    """Put the champion before this one back into service."""
    from intel_ml.learning.promotion import rollback as roll_back

    with _lives(name) as (lives, now):
        step = roll_back(lives, by=getpass.getuser(), reason=reason, now=now)
    _tell(step, as_json=as_json)


def _shown(settings: Settings) -> str:
    """Return what a champion comes to, as ENABLE_ML_PREDICTIONS and the model settings stand."""
    if not settings.enable_ml_predictions:
        return "Nothing is asked of it yet: ENABLE_ML_PREDICTIONS=false."
    if settings.ml_shadow_mode:
        return "It is logged, not shown: ML_SHADOW_MODE=true."
    if settings.active_model_version != "champion":
        return (
            f"What is shown stays as it is: ACTIVE_MODEL_VERSION={settings.active_model_version}; "
            "`champion` follows promotions."
        )
    return "It is shown wherever its cell is live; the service takes it up within seconds."


def _titled(found: Dossier) -> str:
    aliases = f" ({', '.join(found.version.aliases)})" if found.version.aliases else ""
    return f"version {found.version.version}{aliases}"


def _tell(step: Step, *, as_json: bool) -> None:
    if as_json:
        print_json(step)
        return
    from intel_ml.learning.gates import EVIDENCE

    say(str(step))
    for name, value in step.evidence.get("numbers", {}).items():
        if name in EVIDENCE and value is not None:
            say(f"  {EVIDENCE[name]}: {value:,.4g}")


@contextmanager
def _lives(name: str) -> Iterator[tuple[Lives, datetime]]:
    from intel_ml.core.errors import UnknownNameError
    from intel_ml.learning.gates import read_model
    from intel_ml.learning.promotion import Lives
    from intel_ml.surfaces.settings import project_home

    folder = project_home() / "models"
    if not (folder / name / "model.toml").is_file():
        known = [path.parent.name for path in folder.glob("*/model.toml")]
        raise UnknownNameError(kind="model", name=name, known=known)
    with _opened() as (registry, store):
        yield Lives(registry, store, read_model(folder / name)), store.now()


@contextmanager
def _opened() -> Iterator[tuple[Registry, Store]]:
    from intel_ml.learning.registry import Registry
    from intel_ml.surfaces.platform import open_store, require_enabled
    from intel_ml.surfaces.settings import load_settings

    settings = load_settings()
    require_enabled(settings)
    store = open_store(settings)
    try:
        yield Registry(settings.mlflow_url), store
    finally:
        store.close()
