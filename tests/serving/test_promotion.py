"""A real server under load while its model is replaced, then killed without a warning."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from intel_ml.data.store.sessions import Store
from intel_ml.data.store.spool import Spool
from intel_ml.data.store.tables import Decision, ModelVersion, TrainingRow
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.registry import Registration, Registry
from intel_ml.operations.decision_rows import APPEND
from intel_ml.surfaces.api.launch import service_command
from intel_ml.surfaces.api.models import POLICY
from intel_ml.surfaces.settings import load_settings
from tests.surfaces.api.tenants import COSTLY, OUR_ADSET, OURS, Tenants
from tests.tracking import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
QUESTIONS = (
    {"account_id": OURS, "entity_type": "adset", "entity_id": OUR_ADSET},
    {"account_id": OURS, "state": COSTLY},
)


@dataclass
class Load:
    """What four clients were answered, one question after the other."""

    url: str
    headers: dict[str, str]
    answers: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        clients = [threading.Thread(target=self._ask, args=(stop, n)) for n in range(4)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            stop.set()
            for client in clients:
                client.join()

    def _ask(self, stop: threading.Event, number: int) -> None:
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=20) as client:
            while not stop.is_set():
                number += 1
                try:
                    answer = client.post("/recommend", json=QUESTIONS[number % 2])
                except httpx.TransportError as error:
                    self.failures.append(repr(error))
                    continue
                if answer.status_code == 200:
                    self.answers.append(answer.json())
                else:
                    self.failures.append(answer.text)

    @property
    def versions(self) -> list[str | None]:
        return [one["policy"] and one["policy"]["version"] for one in self.answers]


def until(holds: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _holds(holds):
        assert process.poll() is None, "the service ended"
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def _holds(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except httpx.TransportError:
        return False


def promoted(store: Store, registry: Registry, version: str, *, alias: str = "champion") -> None:
    """Point the alias at a version and write it down, as `intel-ml models promote` does."""
    registry.set_alias(POLICY, alias, version)
    with store.session() as session:
        session.add(
            ModelVersion(
                name=POLICY, version=version, model_type="reinforcement", status="active",
                changed_by="a test", at=store.now(),
            )
        )  # fmt: skip


@pytest.mark.server
def test_a_model_is_replaced_and_refused_without_losing_a_request_and_a_kill_loses_no_decision(
    env_file: Path, tenants: Tenants, store: Store, registry: Registry, tmp_path: Path
) -> None:
    first, second, broken = (_registered(registry) for _ in range(3))
    promoted(store, registry, first)
    _enough_outcomes(store)
    port, home = free_port(), tmp_path / "home"
    own = tmp_path / "settings.env"
    lines = [line for line in env_file.read_text().splitlines() if "INTEL_HOME" not in line]
    own.write_text(
        "\n".join([
            *lines, f"INTEL_HOME={home}", "ENABLE_ML_PREDICTIONS=true",
            "ACTIVE_MODEL_VERSION=champion", "MIN_TRAINING_SAMPLES=1",
            f"INTEL_MLFLOW_PORT={registry.tracking_url.rpartition(':')[2]}",
        ])
    )  # fmt: skip
    argv, extra = service_command(load_settings(env_file=own), port=port)
    environment = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    environment |= extra | {"INTEL_ENV_FILE": str(own)}
    process = subprocess.Popen(
        argv, env=environment, cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def health() -> dict[str, Any]:
        return dict(httpx.get(f"{url}/readyz", timeout=5).json())

    load = Load(url, tenants.auth("viewer"))
    try:
        until(lambda: health().get("policy") == f"{POLICY}@{first}", process)
        with load.running():
            until(lambda: len(load.answers) > 50, process)
            promoted(store, registry, second)
            until(lambda: second in load.versions, process)
            registry.tag(POLICY, broken, tags={"sha256": "0" * 64})
            promoted(store, registry, broken)
            until(lambda: "was refused" in health()["says"], process)
            seen = len(load.answers)
            until(lambda: len(load.answers) > seen + 50, process)
        assert load.failures == []
        assert set(load.versions) == {first, second}
        assert set(load.versions[seen:]) == {second}
        assert health()["is_ready"]
        assert f"version {broken} hashes to" in health()["says"]
        last = httpx.post(f"{url}/recommend", json=QUESTIONS[0], headers=load.headers).json()
    finally:
        for pid in [*_children(process.pid), process.pid]:
            os.kill(pid, signal.SIGKILL)
        process.wait(timeout=20)
    answered = {last["decision_id"], *(one["decision_id"] for one in load.answers)}
    assert len(answered) == len(load.answers) + 1
    spool = Spool(home / "decisions", store.url, APPEND)
    deadline = time.monotonic() + PATIENCE_S
    while len(list((home / "decisions").glob("*.rows"))) > 1:  # until the killed one is gone
        assert time.monotonic() < deadline
        spool.inherit()
    spool.close()
    with store.session() as session:
        assert session.scalar(
            select(func.count()).where(Decision.decision_id.in_(answered))
        ) == len(answered)


def _children(pid: int) -> list[int]:
    """Return the processes that a process started, its worker among them, the youngest first."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in told.stdout.splitlines()]
    own = [child for child, parent in pairs if parent == pid]
    return [deeper for child in own for deeper in [*_children(child), child]]


def _registered(registry: Registry) -> str:
    with registry.run("serving", "a test") as run:
        return registry.register_policy(
            make_policy("uniform"), registration=Registration(name=POLICY, run_id=run.id)
        )


def _enough_outcomes(store: Store) -> None:
    with store.session() as session:
        session.add(
            TrainingRow(
                ad_account_id=OURS, decision_id="measured", horizon_hours=24, entity_type="adset",
                entity_id="1", state_vector={}, features_hash="", pmf={}, proposed="pause",
                executed="pause", action_source="human", p_executed=1.0, outcome_measured=True,
                state_captured_at=store.now(),
            )
        )  # fmt: skip
