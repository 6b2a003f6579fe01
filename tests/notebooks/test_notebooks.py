"""Every committed notebook: its shape, a fast run of its cells, one run by the scheduler."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intel_ml.data.files.importer import import_csv
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.jobs import JobContext, discover, run_job
from intel_ml.surfaces.settings import load_settings
from tests import history

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
MOST_CELLS = 12
ALLOWED = (
    "intel_ml.surfaces.lab",
    "intel_ml.core",
    "intel_ml.features",
    "intel_ml.intelligence",
    "intel_ml.judgement",
)


def _cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return found


def _sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_committed_un_run_with_one_cell_of_annotated_parameters(path: Path) -> None:
    code = [cell for cell in _cells(path) if cell["cell_type"] == "code"]
    assert len(code) <= MOST_CELLS
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    lines = ast.parse("".join(tagged[0]["source"])).body
    assert lines
    assert all(isinstance(line, ast.AnnAssign) and line.value is not None for line in lines)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_calls_looks_and_asserts_and_defines_nothing(path: Path) -> None:
    tree = ast.parse("\n".join(_sources(path)))
    banned = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Try, ast.With)
    assert not [node for node in ast.walk(tree) if isinstance(node, banned)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).startswith(ALLOWED), node.module
        assert not isinstance(node, ast.Import)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.upper().startswith(("SELECT ", "INSERT ", "UPDATE ", "WITH "))
            assert "://" not in node.value
    assert isinstance(tree.body[-1], ast.Assert), "a silent run is a failed run"
    assert "lab.show(" in "\n".join(_sources(path)), "a picture for every conclusion"


@pytest.fixture
def platform(
    store: Store, tracking_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Store:
    """The settings a notebook reads, as an environment: this store, this tracking server."""
    monkeypatch.chdir(PROJECT)
    empty = tmp_path / "settings.env"
    empty.write_text("")
    monkeypatch.setenv("INTEL_ENV_FILE", str(empty))
    monkeypatch.setenv("INTEL_DATABASE_URL", store.url)
    monkeypatch.setenv("INTEL_MLFLOW_PORT", tracking_url.rpartition(":")[2])
    return store


def _run(stem: str, **parameters: object) -> dict[str, Any]:
    """Run the cells in this process, with parameters injected where Papermill would."""
    names: dict[str, Any] = {}
    path = PROJECT / "notebooks" / f"{stem}.ipynb"
    try:
        for cell in _cells(path):
            if cell["cell_type"] != "code":
                continue
            exec(compile("".join(cell["source"]), f"{stem}:{cell['id']}", "exec"), names)  # noqa: S102  # ours
            if "parameters" in cell["metadata"].get("tags", []):
                names.update(parameters)
    finally:
        names["lab"].close()
    return names


@pytest.mark.server
def test_the_four_scheduled_notebooks_turn_a_month_into_a_policy_in_shadow(
    platform: Store,
    registry: Registry,
) -> None:
    history.write_history(platform)
    for one in history.ACCOUNTS:
        history.write_decisions(platform, one)
        history.learn_from(platform, one)
    built = _run("10_build_features", account="act_101")
    assert set(built["states"]["ad_account_id"]) == {"act_101"}
    archetypes = _run("20_train_archetypes")
    assert archetypes["registered"].alias in {"champion", "shadow"}
    trained = _run("30_train_policy", days=60)
    assert len(trained["choice"].table()) == len(trained["model"].training.considered)
    judged = _run("40_evaluate_and_register", days=60)
    kept = set(judged["unseen"]["decision_id"])
    assert kept == set(trained["choice"].unseen["decision_id"]), "what chose does not judge"
    assert judged["candidate"].told[0] == trained["choice"].why
    assert judged["registered"].alias == "shadow", str(judged["registered"])
    loaded = registry.load_policy("campaign-policy", "shadow")
    assert loaded is not None
    assert loaded.version == judged["registered"].version
    [found] = [v for v in registry.versions("campaign-policy") if v.version == loaded.version]
    assert found.card.startswith("# campaign-policy")
    assert {"gate", "data_range", "sha256", "features_hash", "git_revision"} <= set(found.tags)
    mine = _run("50_compare_your_policy", days=60)
    assert mine["registered"].alias == "challenger"
    people = _run("35_train_imitation", days=60)
    assert people["registered"].name == "campaign-imitation"
    assert people["registered"].verdict is not None, "a gate was asked"
    alone = _run("60_study_autonomy", days=60)
    assert alone["study"].found.n > 0
    worth = _run("61_what_it_would_have_earned", days=60)
    assert worth["report"].n == len(worth["unseen"])
    assert worth["unseen"]["as_of"].min() > worth["candidate"].trained_until
    better = _run("62_is_it_better", days=60)
    assert better["watched"] is None
    assert set(better["gate"]["enough"]) <= {"yes", "no"}
    assert _run("63_does_it_agree_with_us", days=60)["beside"].differ(10)
    assert len(_run("64_what_if_people_knew_more", days=60)["bounds"]) > 1
    helped = _run("65_did_the_actions_help", days=60)
    assert not helped["found"].known.empty
    simulated = _run("66_worth_in_simulated_worlds", world="thin", days=1, seeds=1)
    assert simulated["played"].days == 1


@pytest.mark.server
def test_a_file_without_dates_becomes_archetypes_and_says_what_it_cannot_tell(
    platform: Store, tmp_path: Path
) -> None:
    account = replace(history.account(301), source="file", target_cpa=None, target_roas=None)
    lines = ["ad_id,campaign_id,Impressions,Clicks,Spent,Approved_Conversion"]
    lines += [
        f"{7000 + i},9{i % 3},{2000 + 137 * i},{5 + i % 17},{10 + 1.7 * i:.2f},{i % 5}"
        for i in range(60)
    ]
    file = tmp_path / "export.csv"
    file.write_text("\n".join(lines))
    mapping = {
        "ad_id": "ad_id",
        "campaign_id": "campaign_id",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "spend": "Spent",
        "conversions": "Approved_Conversion",
    }
    import_csv(platform, file, account=account, mapping=mapping, as_of=history.NOW)
    with platform.connection() as connection:
        set_clock(connection, now=history.NOW + timedelta(minutes=1))
    built = _run("10_build_features", account="act_301")
    assert {"ctr_trend_7d", "frequency"} <= set(built["unavailable"].index)
    found = _run("20_train_archetypes", account="act_301")
    assert {"fatigue_rate", "best_hour_concentration"} <= set(found["archetypes"].unavailable)
    assert "conversion_rate" in found["archetypes"].features
    assert found["registered"].alias is not None, str(found["registered"])


@pytest.mark.kernel
@pytest.mark.server
def test_a_schedule_runs_its_notebook_in_a_kernel_and_keeps_pictures_and_copy(
    platform: Store,
    registry: Registry,
) -> None:
    history.write_history(platform, history.ACCOUNTS[:1])
    context = JobContext(load_settings(), platform, registry, jobs={})
    result = run_job("build-features", context=context, parameters={"account": "act_101"})
    assert result.is_done, result.message
    client = registry._client
    kept = {a.path for a in client.list_artifacts(str(result.run_id), "pictures")}
    assert kept == {"pictures/known_features.png", "pictures/known_signatures.png"}
    assert client.list_artifacts(str(result.run_id), "notebooks")
    assert client.get_run(str(result.run_id)).data.metrics["entities"] == 17
    failed = run_job("build-features", context=context, parameters={"account": "act_999"})
    assert failed.status == "failed"
    assert "There is no account 'act_999'" in str(failed.message)


def test_every_notebook_of_a_schedule_takes_the_parameters_it_is_given() -> None:
    for schedule in discover(PROJECT).values():
        if schedule.notebook is None:
            continue
        path = PROJECT / "notebooks" / schedule.notebook
        [cell] = [c for c in _cells(path) if "parameters" in c["metadata"].get("tags", [])]
        known = {line.target.id for line in ast.parse("".join(cell["source"])).body}  # type: ignore[attr-defined]
        assert set(schedule.parameters) <= known, schedule.name
