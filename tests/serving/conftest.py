"""The prediction service on a small tenant world, started once: its start takes the time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store
from tests.databases import fresh_store
from tests.surfaces.api.tenants import Tenants, make_tenants

# BentoML reads both at import, and its metrics need a folder that exists.
_HOME = tempfile.mkdtemp(prefix="bentoml-")
os.environ.setdefault("BENTOML_HOME", _HOME)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", _HOME)


@pytest.fixture(scope="module")
def store(postgres: EmbeddedPostgres) -> Iterator[Store]:
    """A store that the tests of a module share: what one adds, no other one looks for."""
    with fresh_store(postgres) as value:
        yield value


@pytest.fixture(scope="module")
def tenants(store: Store) -> Tenants:
    return make_tenants(store)


@pytest.fixture(scope="module")
def env_file(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of an installation whose database is the test's."""
    folder = tmp_path_factory.mktemp("installation")
    file = folder / "settings.env"
    file.write_text(
        f"ENABLE_INTELLIGENCE=true\nINTEL_DATABASE_URL={store.url}\nINTEL_HOME={folder / 'home'}\n"
    )
    return file
