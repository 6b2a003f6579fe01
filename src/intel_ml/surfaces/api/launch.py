"""How the prediction service is started.

Reads   `Settings`.
Gives   the command and the environment of the process that serves predictions and the REST API.
Never   binds anything but loopback; never lets the vendor report home.
"""

from __future__ import annotations

import sys

from intel_ml.surfaces.settings import LOOPBACK, Settings

SERVICE = "serving.service:Service"


def service_command(
    settings: Settings, *, port: int | None = None
) -> tuple[list[str], dict[str, str]]:
    """Return the command that serves `serving/service.py`, and what it needs in its environment.

    It is to be started in the project's folder.
    """
    home = settings.intel_home / "bentoml"
    home.mkdir(parents=True, exist_ok=True)
    argv = [
        *(sys.executable, "-m", "bentoml", "serve", SERVICE),
        *("--host", LOOPBACK),
        *("--port", str(port or settings.intel_api_port)),
        *("--working-dir", str(settings.project)),
    ]
    # The vendor reads the word True and nothing else as "do not track".
    return argv, {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home)}
