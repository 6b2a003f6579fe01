"""No vendor calls home when it is imported and set to work: each is listened to in a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.processes import QUIET
from tests.demo.running import LISTENING, ROOT, quiet_shell

_WORK = {
    "gradio": """
from pydantic import SecretStr
from starlette.testclient import TestClient
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.ui.app import create_ui
import sys, gradio
settings = Settings(intel_session_secret=SecretStr("x" * 32))
with TestClient(create_ui(Store(sys.argv[1]), settings)) as client:
    assert client.get("/login").status_code == 200
""",
    "mlflow": """
import time
from intel_ml.learning.registry.client import mlflow_client
client = mlflow_client("sqlite:///runs.db")
run = client.create_run(client.create_experiment("e"))
client.log_metric(run.info.run_id, "m", 1.0)
client.set_terminated(run.info.run_id)
time.sleep(1)
""",
    "bentoml": """
import bentoml
import serving.service
assert serving.service.Service.to_asgi()
""",
    "papermill": """
import sys
from pathlib import Path
import papermill
from intel_ml.surfaces.jobs.notebooks import parameters_of
assert parameters_of(Path(sys.argv[2]) / "notebooks" / "20_train_archetypes.ipynb")
""",
    "facebook_business": """
from intel_ml.data.meta.reader import MetaReader
from intel_ml.core.errors import IntelError
try:
    MetaReader("http://127.0.0.1:9", "token").accounts()
except IntelError:
    pass
""",
}


@pytest.mark.parametrize("vendor", _WORK)
def test_a_vendor_at_work_asks_for_nothing_beyond_loopback(
    vendor: str, store: Store, tmp_path: Path
) -> None:
    heard = _listened(_WORK[vendor], tmp_path, store.url, str(ROOT))
    assert heard == ""


def test_who_listens_hears_a_call(tmp_path: Path) -> None:
    # A datagram socket that is connected sends nothing.
    call = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    assert "192.0.2.1" in _listened(call, tmp_path)


def _listened(code: str, folder: Path, *arguments: str) -> str:
    heard = folder / "heard.txt"
    heard.touch()
    environment = quiet_shell() | {
        "PYTHONPATH": f"{LISTENING}:{ROOT}",
        "INTEL_TEST_HEARD": str(heard),
        "BENTOML_HOME": str(folder),
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | QUIET,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return heard.read_text()
