"""How the prediction service is started."""

from __future__ import annotations

from pathlib import Path

from intel_ml.surfaces.api.launch import SERVICE, service_command
from intel_ml.surfaces.settings import Settings


def test_it_binds_loopback_only_and_reports_to_nobody(tmp_path: Path) -> None:
    argv, env = service_command(Settings(intel_home=tmp_path, intel_api_port=5501))
    assert argv[argv.index("--host") + 1] == "127.0.0.1"
    assert argv[argv.index("--port") + 1] == "5501"
    assert SERVICE in argv
    assert env["BENTOML_DO_NOT_TRACK"] == "True"
    assert Path(env["BENTOML_HOME"]).is_relative_to(tmp_path)
