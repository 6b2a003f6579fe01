"""Commands about features: what there is, the history as files, the same features elsewhere."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from intel_ml.core.errors import InvalidValueError, WrongUseError
from intel_ml.surfaces.cli.opening import opened
from intel_ml.surfaces.cli.output import Json, print_json, print_table, say

app = typer.Typer(help="The features: list, export, compute elsewhere.", no_args_is_help=True)


@app.command("list")
def list_features(as_json: Json = False) -> None:
    """List every feature with its unit, formula and uses."""
    from intel_ml.features.catalogue import FEATURES

    if as_json:
        print_json(FEATURES)
        return
    print_table(
        "",
        ["feature", "unit", "formula", "used as"],
        [(f.name, f.unit, f.formula, ", ".join(sorted(f.roles))) for f in FEATURES],
    )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; a new folder, or an older one.")],
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 90,
    account: Annotated[
        list[str] | None, typer.Option(help="Only this account, as often as needed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the history that features are made from as Parquet files."""
    from intel_ml.data.store import accounts as stored
    from intel_ml.data.store.history_files import export_history
    from intel_ml.surfaces.platform import running_store

    with closing(running_store(opened())) as store:
        with store.session() as session:
            known = (
                [stored.account(session, one) for one in account]
                if account
                else stored.accounts(session)
            )
        counted = export_history(
            store,
            folder,
            accounts=[one.id for one in known],
            since=(store.now() - timedelta(days=days + 1)).date(),
            on_table=lambda name, rows: (
                None if as_json else say(f"  {name}.parquet  {rows:,} rows")
            ),
        )
    if as_json:
        print_json({"folder": str(folder), "rows": counted})
    else:
        say(f"{sum(counted.values()):,} rows of {len(known)} accounts are in {folder}.")


@app.command()
def compute(
    folder: Annotated[Path, typer.Argument(help="What `features export` wrote.")],
    out: Annotated[Path, typer.Option(help="The answer: a .parquet or .csv file.")],
    which: Annotated[str, typer.Option(help="state or signature.")] = "state",
    engine: Annotated[str, typer.Option(help="duckdb, or spark.")] = "duckdb",
    as_of: Annotated[
        list[str] | None, typer.Option(help="A UTC moment, ISO 8601, as often as needed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute states or signatures from exported files, as the platform itself would."""
    from intel_ml.learning.engines import features_of_files

    if out.suffix not in {".parquet", ".csv"}:
        raise WrongUseError(f"{out.name} is neither .parquet nor .csv.", hint="Change --out.")
    moments = [_moment(text) for text in as_of or [datetime.now(UTC).isoformat()]]
    found = features_of_files(folder, as_of=moments, which=which, engine=engine)
    if out.suffix == ".csv":
        found.to_csv(out, index=False)
    else:
        found.to_parquet(out, index=False)
    if as_json:
        print_json({"file": str(out), "rows": len(found), "columns": list(found.columns)})
    else:
        say(f"{len(found):,} rows with {len(found.columns)} columns are in {out}.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(
            path="--as-of", problem=f"'{text}' is no moment", hint="Write 2026-11-22T12:00+00:00."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
