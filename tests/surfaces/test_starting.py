"""The database of an installation: started, kept up, stopped; one platform a home."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from intel_ml.core.errors import ConflictError, UnavailableError
from intel_ml.surfaces import starting
from intel_ml.surfaces.doctor import examine
from intel_ml.surfaces.platform import embedded_postgres, open_store, running_store
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.starting import database, sole


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(enable_intelligence=True, intel_home=tmp_path / "home")


@pytest.fixture(autouse=True)
def own_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_database_that_is_killed_comes_back_and_is_stopped_at_the_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(starting, "_WATCH_EVERY_S", 0.1)
    server = embedded_postgres(settings)
    with database(settings):
        pid_file = server.data / "postmaster.pid"
        killed = pid_file.read_text().split()[0]
        os.kill(int(killed), signal.SIGKILL)
        while not pid_file.exists() or pid_file.read_text().split()[:1] in ([killed], []):
            time.sleep(0.1)
        while not server.is_running:
            time.sleep(0.1)
        store = open_store(settings)
        assert store.now() is not None
        store.close()
    assert not server.is_running
    with pytest.raises(UnavailableError, match="intel-ml up"):
        running_store(settings)


def test_a_database_left_by_somebody_is_reused_and_stays_while_somebody_uses_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(starting, "_GONE_WITHIN_S", 0.1)
    server = embedded_postgres(settings)
    other = open_store(settings)
    with other.connection():
        with database(settings):
            assert server.is_running
        assert server.is_running
    other.close()
    with database(settings):
        pass
    assert not server.is_running


def test_one_home_has_one_platform(tmp_path: Path):
    with (
        sole(tmp_path / "up.lock"),
        pytest.raises(ConflictError, match=str(os.getpid())),
        sole(tmp_path / "up.lock"),
    ):
        pass
    with sole(tmp_path / "up.lock"):
        pass


def test_the_doctor_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "settings.env"
    home = tmp_path / "home"
    file.write_text(f"ENABLE_INTELLIGENCE=true\nINTEL_HOME={home}\nENABLE_ACTION_EXECUTOR=true\n")
    monkeypatch.setenv("INTEL_ENV_FILE", str(file))
    found = {check.name: check for check in examine()}
    assert "`intel-ml up` starts it" in found["database"].finding
    assert "META_WRITE_TOKEN" in found["write token"].finding
    assert not home.exists()
