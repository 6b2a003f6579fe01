"""A platform of its own for the measurements: embedded PostgreSQL and a simulated month.

The month is collected as the platform collects it: one look a day through the official SDK, one an
hour on the last day; nothing is inserted by hand.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from intel_ml.core.accounts import Account
from intel_ml.core.money import Money
from intel_ml.data.collection.collect import collect_all
from intel_ml.data.store.sessions import Store, set_clock
from intel_ml.data.store.tables import PerformanceDaily, PerformanceSnapshot
from intel_ml.surfaces import logs
from intel_ml.surfaces.onboarding import onboard_accounts
from intel_ml.surfaces.platform import embedded_postgres, open_reader, open_store
from intel_ml.surfaces.processes import process_spec
from intel_ml.surfaces.settings import Settings, load_settings
from intel_ml.surfaces.simulated import SandboxClock
from intel_ml.surfaces.starting import database
from intel_ml.surfaces.supervisor import Supervisor, free_port

DAYS = 30
_LAST_HOURS = 24
_WORLD = "demo"


@dataclass(frozen=True, slots=True)
class Installation:
    """The running platform, and how much history it has."""

    settings: Settings
    env_file: Path
    store: Store
    supervisor: Supervisor
    accounts: tuple[Account, ...]
    now: datetime
    rows: int


@contextmanager
def installed() -> Iterator[Installation]:
    """Start it, let the month pass, and leave nothing behind."""
    logs.configure(level="error")
    for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="intel-bench-"))
    # As root the database's server runs as `nobody`, who must be able to reach its data.
    home.chmod(0o755)
    env_file = _settings_file(home)
    settings = load_settings(env_file=env_file)
    with ExitStack() as stack:
        stack.callback(_forget, settings)
        stack.enter_context(database(settings))
        supervisor = stack.enter_context(Supervisor(logs=home / "logs", cwd=settings.project))
        supervisor.start(process_spec("sandbox", settings, env_file=env_file))
        store = open_store(settings)
        stack.callback(store.close)
        supervisor.wait_ready("sandbox")
        accounts, now = _live(store, settings)
        yield Installation(
            settings, env_file, store, supervisor, accounts, now=now, rows=_rows(store)
        )


def _live(store: Store, settings: Settings) -> tuple[tuple[Account, ...], datetime]:
    """Take the accounts on and look at them for a month; return them and the last moment."""
    clock, reader = SandboxClock(settings.sandbox_url), open_reader(settings)
    targets = {
        one["id"]: (Money(one["target_cpa_minor"], one["currency"]), one["target_roas"])
        for one in clock.world()["accounts"]
    }
    now = _follow(store, clock.now())
    accounts = tuple(onboard_accounts(store, reader, targets=targets))
    for hours in [24] * (DAYS - 1) + [1] * _LAST_HOURS:
        now = _follow(store, clock.advance(hours))
        collect_all(store, reader, accounts, now=now)
    return accounts, now


def _follow(store: Store, now: datetime) -> datetime:
    with store.session() as session:
        set_clock(session, now=now)
    return now


def _rows(store: Store) -> int:
    with store.session() as session:
        return sum(
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (PerformanceDaily, PerformanceSnapshot)
        )


def _settings_file(home: Path) -> Path:
    values = {
        "ENABLE_INTELLIGENCE": "true",
        "INTEL_HOME": home,
        "INTEL_LOG_LEVEL": "error",
        "INTEL_SANDBOX_WORLD": _WORLD,
        "INTEL_SANDBOX_SPEED": "0",
        "META_ACCESS_TOKEN": secrets.token_urlsafe(16),
        "INTEL_SESSION_SECRET": secrets.token_urlsafe(16),
        "INTEL_SANDBOX_PORT": free_port(0),
        "INTEL_API_PORT": free_port(0),
    }
    values["META_GRAPH_URL"] = f"http://127.0.0.1:{values['INTEL_SANDBOX_PORT']}"
    file = home / "settings.env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return file


def _forget(settings: Settings) -> None:
    server = embedded_postgres(settings)
    for folder in (server.data, server.socket_folder, settings.intel_home):
        shutil.rmtree(folder, ignore_errors=True)
