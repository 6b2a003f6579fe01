"""What may go on without a person, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.cli.main import run
from tests.learning.verdicts import ACCOUNT, NOW, an_account, judged


@pytest.fixture
def at_home(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "settings.env"
    file.write_text(f"ENABLE_INTELLIGENCE=true\nINTEL_DATABASE_URL={store.url}\n")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    monkeypatch.chdir(tmp_path)
    an_account(store)
    judged(store, [(0.9 + n / 10_000, "approved") for n in range(150)])
    judged(store, [(0.9, "rejected")] * 120, arm="scale_20", archetype="")
    with store.session() as session:
        from intel_ml.data.store.sessions import set_clock  # noqa: PLC0415  # beside its only use

        set_clock(session, now=NOW)
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    assert run(["autonomy", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("at_home")
def test_it_is_listed_granted_revoked_and_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {(one["archetype"], one["arm"]): one for one in _json(capsys, "list", ACCOUNT)}  # type: ignore[attr-defined]
    assert listed["Winners", "pause"]["evidence"]["threshold"] is not None
    assert listed["", "scale_20"]["evidence"]["threshold"] is None

    where = ["--archetype", "Winners", "--reason", "proven"]
    granted = _json(capsys, "grant", ACCOUNT, "pause", *where)
    assert granted["mode"] == "automatic"  # type: ignore[index]
    revoked = _json(capsys, "revoke", ACCOUNT, "pause", *where)
    assert revoked["mode"] == "live"  # type: ignore[index]
    assert [one["mode"] for one in _json(capsys, "history", ACCOUNT)] == ["automatic", "live"]  # type: ignore[attr-defined]
    for words in (["list", ACCOUNT, "--html", "page.html"], ["history", ACCOUNT]):
        assert run(["autonomy", *words]) == 0
        assert "Winners" in capsys.readouterr().out
    assert "at most 5% is promised" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grant", ACCOUNT, "scale_20", "--reason", "x"], "has not earned it"),
        (["grant", ACCOUNT, "pauze", "--reason", "x"], "pause"),
        (["grant", "act_0", "pause", "--reason", "x"], "no account act_0"),
        (["revoke", ACCOUNT, "pause", "--reason", "x", "--to", "automatic"], "granted"),
        (["revoke", ACCOUNT, "pause", "--reason", "x", "--to", "dead"], "live"),
    ],
)
def test_what_cannot_be_is_said(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["autonomy", *arguments]) in {1, 2}
    assert says in capsys.readouterr().err
