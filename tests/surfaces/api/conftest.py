"""The REST API on a small tenant world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.api.app import create_api
from intel_ml.surfaces.settings import Settings
from tests.surfaces.api.tenants import Tenants, make_tenants


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        enable_intelligence=True,
        intel_home=tmp_path,
        intel_session_secret=SecretStr("a phrase of these tests, and long enough"),
    )


@pytest.fixture
def tenants(store: Store) -> Tenants:
    return make_tenants(store)


@pytest.fixture
def api(store: Store, settings: Settings) -> Iterator[httpx.Client]:
    with TestClient(create_api(store, settings), raise_server_exceptions=False) as client:
        yield client  # type: ignore[misc]  # starlette's client is an httpx client
