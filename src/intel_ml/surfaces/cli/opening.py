"""What every command does first: settings read, the master switch asked, logs without secrets.

Reads   the environment and the settings file.
Gives   `opened`: the settings of a platform that is switched on.
Never   keeps the write token: no command and no notebook it starts may change an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intel_ml.surfaces.settings import Settings

#: A person reads what a command prints; the log's ordinary lines are for processes.
_QUIETER = {"info": "warning"}


def opened() -> Settings:
    """Return the settings, or refuse politely while the master switch is off."""
    from intel_ml.surfaces import logs
    from intel_ml.surfaces.platform import require_enabled
    from intel_ml.surfaces.processes import drop_write_token
    from intel_ml.surfaces.settings import load_settings

    drop_write_token()
    settings = load_settings()
    require_enabled(settings)
    level = settings.intel_log_level
    logs.configure(level=_QUIETER.get(level, level), secrets=logs.secrets_of(settings))
    return settings
