"""The same features from files, on each engine, as the database itself gives them."""

from __future__ import annotations

import math
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from intel_ml.core.errors import ConflictError, NotFoundError, UnknownNameError
from intel_ml.data.store.history_files import FILES, export_history
from intel_ml.data.store.sessions import Store
from intel_ml.learning.engines import ENGINES, features_of_files
from intel_ml.learning.states import read_signatures, read_states
from tests.history import ACCOUNTS, DAYS, NOW, write_history

MOMENTS = [NOW, NOW - timedelta(days=6, hours=5)]
SINCE = date(2026, 1, 1)


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    write_history(store)
    export_history(store, tmp_path / "history", accounts=[a.id for a in ACCOUNTS], since=SINCE)
    return tmp_path / "history"


def from_files(folder: Path, which: str, engine: str) -> dict[Any, dict[str, Any]]:
    found = features_of_files(folder, as_of=MOMENTS, which=which, engine=engine)
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    return {(r["entity_id"], r["as_of"].to_pydatetime().astimezone(UTC)): r for r in rows}


def check(store: Store, folder: Path, engine: str) -> None:
    with store.connection() as connection:
        states = read_states(connection, accounts=ACCOUNTS, as_of=MOMENTS)
        signatures = read_signatures(connection, accounts=ACCOUNTS, as_of=MOMENTS)
    here = from_files(folder, "state", engine)
    assert len(here) == len(states)
    for row, entity in enumerate(states.entities):
        mine = here[entity.id, states.moments[row]]
        for name, value in states.state(row).items():
            assert alike(mine[name], value), (entity.id, name)
    told = from_files(folder, "signature", engine)
    assert len(told) == len(signatures)
    for one in signatures.to_dict("records"):
        mine = told[one["entity_id"], one["as_of"].astimezone(UTC)]
        assert all(alike(mine[name], value) for name, value in one.items() if name != "as_of")


def alike(one: Any, other: Any) -> bool:
    unknown = [value is None or value != value for value in (one, other)]  # noqa: PLR0124  # NaN
    if any(unknown):
        return all(unknown)
    if isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def test_files_give_what_the_database_gives(store: Store, folder: Path) -> None:
    check(store, folder, "duckdb")


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore")
def test_spark_gives_what_the_database_gives(store: Store, folder: Path) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed: `make spark` does")
    check(store, folder, "spark")


def test_an_export_holds_every_row_and_replaces_an_older_one(store: Store, folder: Path) -> None:
    ids = [a.id for a in ACCOUNTS]
    counted = export_history(store, folder, accounts=ids, since=SINCE)
    with store.connection() as connection:
        rows = connection.execute(text("SELECT count(*) FROM intel_performance_daily")).scalar_one()
    assert counted["daily"] == rows > len(ACCOUNTS) * DAYS
    assert counted["accounts"] == len(ACCOUNTS)
    assert sorted(one.name for one in folder.iterdir()) == sorted(f"{n}.parquet" for n in FILES)
    assert [one.name for one in folder.parent.iterdir()] == ["history"]


def test_other_files_are_not_overwritten(store: Store, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ConflictError, match="other files"):
        export_history(store, tmp_path, accounts=[], since=SINCE)
    assert (tmp_path / "thesis.txt").exists()


def test_what_cannot_be_computed_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"accounts\.parquet"):
        features_of_files(tmp_path, as_of=[NOW])
    with pytest.raises(UnknownNameError, match="duckdb"):
        features_of_files(tmp_path, as_of=[NOW], engine="duckbd")
    assert ENGINES == ("duckdb", "spark")
