"""The model owner's commands, on a real store and a real tracking server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.intelligence.policy import uniform
from intel_ml.learning import promotion
from intel_ml.learning.gates import read_model
from intel_ml.learning.registry import Registration, Registry
from intel_ml.surfaces.cli.main import run

PROJECT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def versions(
    store: Store,
    registry: Registry,
    tracking_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """Two versions with different evidence, and the settings by which commands find them."""
    file = tmp_path / "settings.env"
    port = tracking_url.rpartition(":")[2]
    lines = ["ENABLE_INTELLIGENCE=true", f"INTEL_DATABASE_URL={store.url}"]
    file.write_text("\n".join([*lines, f"INTEL_MLFLOW_PORT={port}", ""]))
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    monkeypatch.chdir(PROJECT)
    lives = promotion.Lives(registry, store, read_model(PROJECT / "models" / "campaign-policy"))
    found = []
    for samples, support in ((819.0, 0.68), (1200.0, None)):
        with registry.run("tests", "cli") as opened:
            registration = Registration(name="campaign-policy", run_id=opened.id)
            found.append(registry.register_policy(uniform.Policy(), registration=registration))
        evidence = promotion.Evidence(numbers={"samples": samples, "support_share": support})
        promotion.admit(lives, found[-1], evidence=evidence, by="ada", now=NOW)
    return found


@pytest.mark.server
def test_two_versions_stand_side_by_side(
    versions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "compare", "campaign-policy", *versions, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["versions"] == versions
    assert told["numbers"] == {"samples": [819, 1200], "support_share": [0.68, None]}
    assert run(["models", "compare", "campaign-policy", *versions]) == 0
    assert "not measured" in capsys.readouterr().out


@pytest.mark.server
def test_what_does_not_exist_is_one_line(
    versions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "compare", "campaign-policy", versions[0], "champion"]) == 1
    assert "campaign-policy has no champion yet." in capsys.readouterr().err
    assert run(["models", "show", "campaign-polcy"]) == 2
    assert "Did you mean 'campaign-policy'?" in capsys.readouterr().err


@pytest.mark.server
def test_a_refused_promotion_names_the_missing_number(
    versions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "promote", "campaign-policy", versions[1]]) == 1
    told = capsys.readouterr().out
    assert "share of decisions the log supports: need 0.9, none was measured" in told
