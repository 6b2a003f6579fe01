"""The watch as a job: a demotion is a result, a notification and a step in the model's life."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import Notification
from intel_ml.learning.registry import Registry
from intel_ml.surfaces.jobs import discover, run_job
from intel_ml.surfaces.jobs.running import JobContext
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.work import watch_champion
from tests.learning.champions import GOOD, PROJECT, Champion, lived, promoted


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without schedules."""
    for name in ("models", "notebooks", "pipelines"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _context(champion: Champion, folder: Path) -> JobContext:
    """Put the champion's model into the project; return what a run of it may use."""
    name, lives = champion.lives.model.name, champion.lives
    shutil.copytree(PROJECT / "models" / "campaign-policy", folder / "models" / name)
    described = folder / "models" / name / "model.toml"
    text = described.read_text().replace('name = "campaign-policy"', f'name = "{name}"')
    described.write_text(text)
    return JobContext(
        settings=Settings(),
        store=lives.store,
        registry=lives.registry,
        jobs={"watch-champion": watch_champion},
    )


def _notes(store: Store) -> list[Notification]:
    with store.session() as session:
        return list(session.scalars(select(Notification)))


@pytest.mark.server
def test_the_watch_demotes_who_became_worse_and_tells_the_owner_once(
    store: Store, registry: Registry, project: Path
) -> None:
    champion = promoted(store, registry, GOOD)
    lived(store, is_worse=True)
    context, name = _context(champion, project), champion.lives.model.name
    done = run_job("watch-champion", context=context, parameters={"model": name})
    assert done.is_done, done.message
    assert done.result is not None
    assert done.result["demoted"] is True
    assert done.result["numbers"]["reverse_e_value"] > 20
    [note] = _notes(store)
    assert note.title == f"{name} version {champion.version} was taken out of service"
    assert f"intel-ml models show {name} {champion.version}" in note.message
    again = run_job("watch-champion", context=context, parameters={"model": name})
    assert again.result is not None
    assert (again.result["version"], again.result["why"]) == (None, "no champion")
    assert len(_notes(store)) == 1


@pytest.mark.server
def test_the_watch_leaves_who_is_as_good_where_it_is(
    store: Store, registry: Registry, project: Path
) -> None:
    champion = promoted(store, registry, GOOD)
    lived(store, is_worse=False)
    done = run_job(
        "watch-champion",
        context=_context(champion, project),
        parameters={"model": champion.lives.model.name},
    )
    assert done.result is not None
    assert done.result["demoted"] is False
    assert champion.alias("champion") == champion.version
    assert _notes(store) == []


def test_the_watch_is_scheduled_daily_once_outcomes_are_in() -> None:
    schedule = discover(PROJECT)["watch-champion"]
    assert schedule.after == ("measure-outcomes",)
    assert schedule.parameters == {"model": "campaign-policy"}
