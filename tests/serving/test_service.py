"""The prediction service: its routes, its REST API beside them, and a real start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.api.launch import service_command
from intel_ml.surfaces.settings import load_settings
from tests.surfaces.api.tenants import COSTLY, OUR_ADSET, OURS, THEIR_ADSET, THEIRS, Tenants

BY_ID = {"account_id": OURS, "entity_type": "adset", "entity_id": OUR_ADSET}
BY_STATE = {"account_id": OURS, "state": COSTLY}
ROUTES = ("/recommend", "/recommend_batch", "/feedback")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def service(env_file: Path) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # BentoML's own imports use names that pathspec and pydantic are about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        patch.setenv("INTEL_ENV_FILE", str(env_file))
        from serving.service import Service  # noqa: PLC0415  # bentoml reads its environment

        with TestClient(Service.to_asgi(), raise_server_exceptions=False) as client:
            yield client


def test_a_question_is_answered_in_the_promised_shape(
    service: TestClient, tenants: Tenants
) -> None:
    answer = service.post("/recommend", json=BY_STATE, headers=tenants.auth("viewer"))
    assert answer.status_code == 200
    assert list(answer.json()) == [
        *("decision_id", "mode", "shown", "as_of"),
        *("rules", "policy", "agreement", "warnings"),
    ]
    assert answer.json()["rules"]["action"] == {"type": "pause"}
    assert answer.json()["policy"] is None
    assert answer.json()["warnings"]


def test_a_decision_can_be_reported_back(service: TestClient, tenants: Tenants) -> None:
    auth = tenants.auth("approver")
    decision = service.post("/recommend", json=BY_ID, headers=auth).json()["decision_id"]
    report = {"decision_id": decision, "action": {"type": "decrease_budget", "percent": -20}}
    answer = service.post("/feedback", json=report, headers=auth).json()
    assert (answer["decision_id"], answer["executed"]) == (decision, "reduce_20")


def test_many_questions_are_answered_in_their_order(service: TestClient, tenants: Tenants) -> None:
    body = {"requests": [BY_STATE, BY_ID | {"entity_id": "9"}]}
    answer = service.post("/recommend_batch", json=body, headers=tenants.auth("viewer")).json()
    assert [next(iter(one)) for one in answer["answers"]] == ["decision_id", "error"]


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b'{"account_id": "act_101", "state": {"spnd": 1}}', 400, "state.spnd"),
        (b'{"account_id": "act_101", "state": {"spend": NaN}}', 400, "body"),
        (b"[]", 400, "body"),
        (b"{", 400, "body"),
        (b"[" * 10_000, 400, "body"),
        (b"", 400, "account_id"),
        (b'"' + b"x" * 1_000_001 + b'"', 413, None),
    ],
)
def test_what_is_wrong_is_refused_in_one_shape(
    service: TestClient, tenants: Tenants, body: bytes, status: int, path: str | None
) -> None:
    auth = tenants.auth("viewer") | {"content-type": "application/json"}
    answer = service.post("/recommend", content=body, headers=auth)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"type", "message", "hint", "path"}
    assert answer.json()["error"]["path"] == path


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_known_token_nothing_is_answered(service: TestClient, route: str) -> None:
    for header in ({}, {"Authorization": "Bearer intel_wrong"}):
        answer = service.post(route, json=BY_ID, headers=header)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "intel_wrong" not in answer.text


def test_another_tenant_is_404(service: TestClient, tenants: Tenants) -> None:
    theirs = {"account_id": THEIRS, "entity_type": "adset", "entity_id": THEIR_ADSET}
    assert service.post("/recommend", json=theirs, headers=tenants.auth("admin")).status_code == 404


@pytest.mark.parametrize(
    "kind", ["application/vnd.bentoml+pickle", "multipart/form-data", "text/plain"]
)
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_but_json_is_read_a_pickle_least_of_all(
    service: TestClient, route: str, kind: str
) -> None:
    answer = service.post(
        route, content=b"cos\nsystem\n(S'true'\ntR.", headers={"content-type": kind}
    )
    assert answer.status_code == 415


def test_it_is_alive_ready_and_measured(service: TestClient, tenants: Tenants) -> None:
    assert tenants
    assert service.get("/livez").status_code == 200
    ready = service.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "is_ready": True,
        "policy": None,
        "challenger": None,
        "says": "No policy decided: ENABLE_ML_PREDICTIONS=false.",
    }
    assert service.get("/metrics").status_code == 200


def test_the_rest_api_is_mounted_at_its_own_paths(service: TestClient, tenants: Tenants) -> None:
    auth = tenants.auth("viewer")
    assert service.get("/api/intelligence/rules", headers=auth).json()["rules"]
    assert service.get("/api/intelligence/dashboard", headers=auth).status_code == 200
    assert service.get("/api/notifications/count", headers=auth).json() == {"unread": 0}
    assert service.get("/api/nothing").json()["error"]["type"] == "not_found"


def test_both_are_described_by_openapi(service: TestClient) -> None:
    described = service.get("/docs.json").json()
    assert set(ROUTES) <= set(described["paths"])
    body = described["paths"]["/recommend"]["post"]["requestBody"]["content"]["application/json"]
    assert {"account_id", "entity_type", "entity_id", "state"} <= set(body["schema"]["properties"])
    assert "/api/intelligence/rules" in service.get("/api/openapi.json").json()["paths"]


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(route=st.sampled_from(ROUTES), data=st.data())
def test_garbage_never_makes_it_fail_on_our_side(
    service: TestClient, tenants: Tenants, route: str, data: st.DataObject
) -> None:
    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["state", "requests", "action", "type", "x"]), inner, max_size=3
            )
        ),
        max_leaves=6,
    )
    keys = ("account_id", "entity_type", "entity_id", "state", "requests", "decision_id", "action")
    body = data.draw(value | st.fixed_dictionaries({}, optional=dict.fromkeys(keys, value)))
    auth = tenants.auth("admin") | {"content-type": "application/json"}
    answer = service.post(route, content=json.dumps(body), headers=auth)
    assert answer.status_code < 500, answer.text


def test_what_is_sent_to_ping_comes_back_and_nothing_is_decided(service: TestClient) -> None:
    assert service.post("/ping", json={"spend": 1.5}).json() == {"echo": {"spend": 1.5}}
    assert service.post("/ping", content=b'{"spend": NaN}').status_code == 400


def test_without_its_database_it_says_so_and_recovers_by_itself(
    service: TestClient, tenants: Tenants, store: Store, postgres: EmbeddedPostgres
) -> None:
    auth, name = tenants.auth("viewer"), store.engine.url.database
    admin = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    assert service.post("/recommend", json=BY_ID, headers=auth).status_code == 200
    try:
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                ),
                {"name": name},
            )
        answer = _first(service, auth, lambda one: one.status_code != 200)
        assert answer.status_code == 503
        assert answer.json()["error"]["message"] == "The database does not answer."
        assert "intel-ml up" in answer.json()["error"]["hint"]
        ready = service.get("/readyz")
        assert (ready.status_code, ready.json()["is_ready"]) == (503, False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        admin.dispose()
    assert _first(service, auth, lambda one: one.status_code == 200).status_code == 200


def _first(
    service: TestClient, auth: dict[str, str], holds: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """Return the first answer for which that holds, or the last one of ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        answer: Any = service.post("/recommend", json=BY_ID, headers=auth)
        if holds(answer) or time.monotonic() > deadline:
            return answer  # type: ignore[no-any-return]  # starlette's is an httpx response
        time.sleep(0.05)


@pytest.mark.server
def test_a_real_start_serves_on_loopback_and_ends_cleanly(env_file: Path, tenants: Tenants) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv, env = service_command(load_settings(env_file=env_file), port=port)
    environment = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    environment |= env | {"INTEL_ENV_FILE": str(env_file)}
    process = subprocess.Popen(
        argv, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            _until_ready(client, process)
            answer = client.post("/recommend", json=BY_ID, headers=tenants.auth("viewer"))
            assert answer.status_code == 200, answer.text
            refused = client.post(
                "/recommend", json=BY_ID, headers={"Authorization": "Bearer intel_bad"}
            )
            assert refused.status_code == 401
            rules = client.get("/api/intelligence/rules", headers=tenants.auth("viewer"))
            assert rules.json()["rules"]
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[0].decode()
    assert "Traceback" not in said
    assert "intel_bad" not in said
    assert tenants.tokens["viewer"] not in said


def _until_ready(client: httpx.Client, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0].decode()
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail("the service was not ready within a minute")
