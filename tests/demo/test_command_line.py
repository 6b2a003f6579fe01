"""What an operator types while the platform runs."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.demo.running import ROOT, Demo

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]

KAG = ROOT.parent / "shared" / "data" / "kag" / "KAG_conversion_data.csv"
#: The executor looks every second; a kill promises five.
_LONG_ENOUGH_S = 3


def test_status_shows_every_process_up_on_one_screen(demo: Demo) -> None:
    found = demo.json("status")
    states = {p["name"]: p["state"] for p in found["processes"]}
    assert {"sandbox", "mlflow", "executor", "api", "ui", "scheduler"} <= set(states)
    assert all(states[name] == "up" for name in ("sandbox", "mlflow", "api", "ui"))
    assert [a["account"] for a in found["accounts"]][:3] == ["act_101", "act_102", "act_103"]
    text = demo.cli("status")
    assert text.returncode == 0
    assert "act_103" in text.stdout


def test_doctor_finds_nothing_to_fix(demo: Demo) -> None:
    checks = demo.json("doctor")
    assert {c["name"] for c in checks} >= {"settings", "database", "clock", "token", "disk"}
    assert [c for c in checks if not c["is_ok"]] == []


def test_the_accounts_have_three_currencies_and_three_zones(demo: Demo) -> None:
    found = [a for a in demo.json("account", "list") if a["source"] == "api"]
    assert {a["currency"] for a in found} == {"USD", "EUR", "JPY"}
    assert len({a["time_zone"] for a in found}) == 3


def test_a_registered_model_shows_its_evidence(demo: Demo) -> None:
    listed = demo.json("models", "list")
    assert {one["name"] for one in listed} <= {"campaign-archetypes", "campaign-policy"}
    for model in listed[:1]:
        shown = demo.cli("models", "show", model["name"], str(model["version"]))
        assert shown.returncode == 0, shown.stderr
        assert f"{model['name']} version {model['version']}" in shown.stdout
        assert "MLflow run" in shown.stdout


def test_after_a_kill_nothing_is_written_though_it_is_approved(demo: Demo) -> None:
    proposal = demo.actions("pending_approval")[-1]
    assert demo.json("kill", "--reason", "prices are wrong")["acting"] is False
    try:
        before = len(demo.writes())
        answer = demo.ask("POST", f"/api/intelligence/actions/{proposal['id']}/approve")
        assert answer.status_code == 200, answer.text
        time.sleep(_LONG_ENOUGH_S)
        assert len(demo.writes()) == before
        assert demo.action(proposal["id"])["executed_at"] is None
        status = demo.json("status")
        assert status["acting"] is False
        assert "prices are wrong" in status["acting_reason"]
    finally:
        revived = demo.json("revive", "--reason", "prices are right again")
    assert revived["acting"] is True


def test_what_is_not_there_is_one_line_and_a_failure(demo: Demo) -> None:
    done = demo.cli("audit", "999999999")
    assert done.returncode == 1
    assert done.stderr.strip() == "There is no action 999999999."


def test_a_misspelt_command_names_the_near_one_and_leaves_with_2(demo: Demo) -> None:
    done = demo.cli("statu")
    assert done.returncode == 2
    assert "status" in done.stderr


def test_a_backup_is_written_once_and_never_over_another(demo: Demo) -> None:
    done = demo.cli("db", "backup", "intel.dump")
    assert done.returncode == 0, done.stderr
    file = demo.project / "intel.dump"
    assert file.read_bytes()[:5] == b"PGDMP"
    size = file.stat().st_size
    assert demo.cli("db", "backup", "intel.dump").returncode == 2
    assert file.stat().st_size == size


@pytest.mark.skipif(not KAG.exists(), reason="the public ads of ../shared/data/kag are not here")
def test_a_file_of_real_ads_becomes_archetypes_and_the_notebook_is_kept(demo: Demo) -> None:
    loaded = demo.json("import", "csv", str(KAG), "--account", "act_kag")
    assert loaded["rows"] == 1143
    assert "conversion_value" in loaded["unavailable"]
    ran = demo.json("run", "train-archetypes", "--set", "account=act_kag")
    assert ran["status"] == "done", ran["message"]
    assert "20_train_archetypes.ipynb" in artifacts(demo, ran["run_id"], "notebooks")
    again = demo.json("import", "csv", str(KAG), "--account", "act_kag")
    assert again["remembered"]


def artifacts(demo: Demo, run_id: str, folder: str) -> list[str]:
    """Return the files of one folder of an MLflow run, asked of the tracking server."""
    answer = httpx.get(
        f"http://127.0.0.1:{demo.settings['INTEL_MLFLOW_PORT']}/api/2.0/mlflow/artifacts/list",
        params={"run_id": run_id, "path": folder},
    )
    found: dict[str, Any] = json.loads(answer.text)
    return [one["path"].rsplit("/", 1)[-1] for one in found.get("files", [])]
