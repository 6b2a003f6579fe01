"""Serve the pages of one database: `python serve.py DATABASE_URL PORT`."""

from __future__ import annotations

import secrets
import sys

import uvicorn
from pydantic import SecretStr

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.ui.app import create_ui

if __name__ == "__main__":
    settings = Settings(
        enable_action_executor=True, intel_session_secret=SecretStr(secrets.token_urlsafe(32))
    )
    app = create_ui(Store(sys.argv[1]), settings)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
