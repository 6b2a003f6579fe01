from __future__ import annotations

from pathlib import Path

import pytest

from intel_ml.surfaces.demo import forget_demo, forget_unfinished


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which a demo has begun."""
    for name in ("notebooks", "pipelines", "mlruns/demo"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTEL_ENV_FILE", raising=False)
    folder = tmp_path / ".intel" / "demo"
    folder.mkdir(parents=True)
    (folder / "sandbox.jsonl").write_text("{}")
    return folder


def test_what_was_interrupted_is_forgotten_and_what_was_finished_is_kept(home: Path):
    (home / "made.json").write_text("{}")
    forget_unfinished()
    assert (home / "sandbox.jsonl").exists()
    (home / "made.json").unlink()
    forget_unfinished()
    assert not home.exists()
    assert not (home.parents[1] / "mlruns" / "demo").exists()
    assert (home.parents[1] / "notebooks").exists()


def test_where_there_is_no_demo_nothing_is_forgotten(home: Path):
    forget_demo()
    forget_demo()
    assert not home.exists()
