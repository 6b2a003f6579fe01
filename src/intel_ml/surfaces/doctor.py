"""Is this installation well: each check is ok, or says what to do.

Reads   settings, database, token, clock, disk, versions.
Gives   `examine`: the list of checks.
Never   changes anything, and never prints a token.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from intel_ml.core.errors import IntelError
from intel_ml.data.store import schema
from intel_ml.data.store.sessions import clock_offset
from intel_ml.surfaces.platform import embedded_postgres, graph_url, open_reader, running_store
from intel_ml.surfaces.settings import Settings, load_settings, settings_file

_LEAST_FREE_GB = 2.0
_MOST_SKEW_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `finding` is what was seen, or what to do."""

    name: str
    is_ok: bool
    finding: str


def examine() -> list[Check]:
    """Return every check, in the order in which they depend on each other."""
    try:
        settings = load_settings()
    except IntelError as error:
        return [Check("settings", is_ok=False, finding=str(error))]
    file = settings_file()
    checks = [
        Check(
            "settings",
            is_ok=True,
            finding=f"read from {file}" if file else "defaults and environment; no .env",
        ),
        _switch(settings),
        _versions(),
        _disk(settings),
    ]
    checks.append(_guarded("database", lambda: _database(settings)))
    if checks[-1].is_ok:
        checks.append(_guarded("clock", lambda: _clock(settings)))
    checks.append(_guarded("token", lambda: _token(settings)))
    if settings.enable_action_executor:
        checks.append(_guarded("write token", _write_token))
    return checks


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except IntelError as error:
        return Check(name, is_ok=False, finding=str(error))


def _switch(settings: Settings) -> Check:
    if settings.enable_intelligence:
        acting = "on" if settings.enable_action_executor else "off"
        return Check(
            "switches", is_ok=True, finding=f"intelligence is on, the executor is {acting}"
        )
    return Check(
        "switches", is_ok=False, finding="Set ENABLE_INTELLIGENCE=true in .env, or run `make demo`."
    )


def _versions() -> Check:
    names = ["intel-ml", "mlflow", "bentoml", "gradio", "sqlalchemy", "facebook-business"]
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Check(
        "versions",
        is_ok=True,
        finding=f"Python {python}, " + ", ".join(f"{n} {version(n)}" for n in names),
    )


def _disk(settings: Settings) -> Check:
    folder = next(f for f in (settings.intel_home, *settings.intel_home.parents) if f.exists())
    free = shutil.disk_usage(folder).free / 1e9
    is_ok = free >= _LEAST_FREE_GB
    advice = "" if is_ok else f" Free at least {_LEAST_FREE_GB:.0f} GB."
    return Check("disk", is_ok=is_ok, finding=f"{free:.0f} GB free.{advice}")


def _database(settings: Settings) -> Check:
    if settings.intel_database_url is None and not embedded_postgres(settings).is_running:
        return Check(
            "database",
            is_ok=False,
            finding="It is embedded and does not run: `intel-ml up` starts it, `make demo` too.",
        )
    store = running_store(settings)
    try:
        current, newest = schema.current_revision(store), schema.newest_revision()
    finally:
        store.close()
    if current != newest:
        return Check(
            "database",
            is_ok=False,
            finding=f"It is at {current or 'nothing'}; run `intel-ml db upgrade`.",
        )
    where = "a server of your own" if settings.intel_database_url else "embedded"
    return Check("database", is_ok=True, finding=f"{where}, schema {current}")


def _clock(settings: Settings) -> Check:
    store = running_store(settings)
    try:
        with store.session() as session:
            offset = clock_offset(session)
        skew = abs((store.now() - offset - datetime.now(UTC)).total_seconds())
    finally:
        store.close()
    if skew > _MOST_SKEW_S:
        return Check(
            "clock",
            is_ok=False,
            finding=f"Database and machine differ by {skew:.0f} s: set both by NTP.",
        )
    if offset and not settings.uses_sandbox:
        return Check(
            "clock",
            is_ok=False,
            finding="Platform time is simulated but the account is real: use a new database.",
        )
    lead = (
        f", simulated time is {offset.total_seconds() / 3600:+.1f} h from it"
        if settings.uses_sandbox
        else ""
    )
    return Check("clock", is_ok=True, finding=f"within {skew:.1f} s of the database{lead}")


def _token(settings: Settings) -> Check:
    found = open_reader(settings).accounts()
    where = "the sandbox" if settings.uses_sandbox else settings.meta_graph_url
    advice = "" if found else ": give it ads_read on an ad account"
    finding = f"reads {len(found)} accounts of {where}{advice}"
    return Check("token", is_ok=bool(found), finding=finding)


def _write_token() -> Check:
    """Look whether the executor has a token and where it would go, without keeping it."""
    settings = load_settings(with_write_token=True)
    graph_url(settings)
    if settings.meta_write_token is None:
        return Check(
            "write token", is_ok=False, finding="Set META_WRITE_TOKEN: the executor is on."
        )
    return Check("write token", is_ok=True, finding="is set, for the executor only")
