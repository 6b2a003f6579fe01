"""No token is ever written anywhere but where it is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from intel_ml.data.store.embedded import binary
from tests.demo.running import Demo

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("demo")]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _holding(paths: Iterator[Path], secrets: dict[str, str]) -> list[str]:
    found = []
    for path in paths:
        content = path.read_bytes()
        held = [name for name, value in secrets.items() if value.encode() in content]
        found += [f"{name} in {path}" for name in held]
    return found


def test_no_log_holds_a_token(demo: Demo) -> None:
    logs = list(_files(demo.home / "logs"))
    assert {path.stem for path in logs} >= {"api", "executor", "mlflow", "sandbox", "ui"}
    assert _holding(iter(logs), demo.secrets) == []
    assert _holding(iter([demo.output]), demo.secrets) == []


def test_no_artifact_holds_a_token(demo: Demo) -> None:
    artifacts = list(_files(demo.project / "mlruns"))
    assert any(path.suffix == ".ipynb" for path in artifacts)
    assert _holding(iter(artifacts), demo.secrets) == []


@pytest.mark.parametrize("database", ["intel", "mlflow"])
def test_no_table_holds_a_token(demo: Demo, database: str) -> None:
    dump = subprocess.run(
        [
            binary("pg_dump"),
            *("--host", demo.postgres.socket_folder),
            *("--username", "postgres"),
            *("--data-only", database),
        ],
        capture_output=True,
        check=True,
    ).stdout
    assert len(dump) > 10_000
    assert [name for name, value in demo.secrets.items() if value.encode() in dump] == []


def test_only_the_executor_and_the_sandbox_ever_read_the_write_token(demo: Demo) -> None:
    token = demo.settings["META_WRITE_TOKEN"].encode()
    for pid in demo.processes():
        environment = Path(f"/proc/{pid}/environ")
        if environment.exists():
            assert token not in environment.read_bytes(), pid


def test_what_is_secret_is_readable_by_its_owner_alone(demo: Demo) -> None:
    for name in ("settings.env", "password"):
        assert (demo.home / name).stat().st_mode & 0o077 == 0
