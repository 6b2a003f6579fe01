"""Whether an account shares what is learned of it: off until somebody says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intel_ml.data.store.accounts import save_account
from intel_ml.data.store.sessions import Store
from intel_ml.learning.training import training_log
from intel_ml.surfaces.cli.main import run
from tests import history


@pytest.fixture
def two(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    file = tmp_path / "settings.env"
    file.write_text(f"ENABLE_INTELLIGENCE=true\nINTEL_DATABASE_URL={store.url}\n")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    history.write_history(store, history.ACCOUNTS)
    history.write_decisions(store, history.ACCOUNTS[0], days=3)
    history.learn_from(store, history.ACCOUNTS[0], days=3)
    return store


def test_sharing_is_off_until_it_is_set_and_the_log_says_so(
    two: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["account", "sharing", "act_102", "--on"]) == 0
    assert "with nobody yet" in capsys.readouterr().out
    assert run(["account", "sharing", "act_101", "--on"]) == 0
    assert "act_101 shares what is learned, with act_102" in capsys.readouterr().out
    with two.connection() as connection:
        assert training_log(connection, now=history.NOW)["share_learning"].all()
    with two.session() as session:
        save_account(session, history.ACCOUNTS[0])
    assert run(["account", "sharing", "act_102", "--off"]) == 0
    assert "learns from itself alone" in capsys.readouterr().out
    assert run(["account", "list", "--json"]) == 0
    told = {one["id"]: one["share_learning"] for one in json.loads(capsys.readouterr().out)}
    assert told == {"act_101": True, "act_102": False}
    assert run(["account", "list"]) == 0
    assert "shares" in capsys.readouterr().out


@pytest.mark.usefixtures("two")
def test_an_account_nobody_has_cannot_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["account", "sharing", "act_999", "--on"]) == 1
    assert "There is no account 'act_999'" in capsys.readouterr().err
