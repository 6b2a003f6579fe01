"""The features' commands: the catalogue, the history as files, the same features elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.features.catalogue import FEATURES
from intel_ml.learning.states import read_states
from intel_ml.surfaces.cli.main import run
from tests.history import ACCOUNTS, NOW, write_history


@pytest.fixture
def at_home(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "settings.env"
    file.write_text(f"ENABLE_INTELLIGENCE=true\nINTEL_DATABASE_URL={store.url}\n")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    monkeypatch.chdir(tmp_path)
    write_history(store)
    return tmp_path


def test_every_feature_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["features", "list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [
        one.name for one in FEATURES
    ]


@pytest.mark.usefixtures("at_home")
def test_what_was_exported_gives_the_states_of_the_database(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["features", "export", "history", "--days", "60"]) == 0
    assert "daily.parquet" in capsys.readouterr().out
    moment = NOW.isoformat()
    asked = ["features", "compute", "history", "--as-of", moment, "--out", "states.parquet"]
    assert run([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = pd.read_parquet("states.parquet")
    with store.connection() as connection:
        states = read_states(connection, accounts=ACCOUNTS, as_of=NOW)
    assert told["rows"] == len(found) == len(states)
    cpa = dict(zip(found["entity_id"], found["cpa"], strict=True))
    assert [cpa[one.id] for one in states.entities] == pytest.approx(
        states.columns["cpa"].tolist(), nan_ok=True
    )


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["compute", "nowhere", "--out", "x.parquet"], 1, "features export"),
        (["compute", "nowhere", "--out", "x.xlsx"], 2, "neither .parquet nor .csv"),
        (["compute", "nowhere", "--out", "x.csv", "--as-of", "soon"], 2, "'soon' is no moment"),
        (["export", "history", "--account", "act_404"], 1, "no account 'act_404'"),
        (["export", "."], 1, "holds other files"),
        (["export", "settings.env"], 1, "settings.env is a file"),
    ],
)
def test_wrong_use_says_the_way_out(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert run(["features", *arguments]) == code
    assert says in capsys.readouterr().err
