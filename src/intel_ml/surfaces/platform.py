"""The running platform as every door sees it: its database, its ad platform, its clock, its limits.

Reads   `Settings`.
Gives   an open `Store`, a `MetaReader`, the executor's `Limits`, and refusals in words where a
switch is off.
Never   hands the write token to anything but the executor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from intel_ml.core.errors import InvalidValueError, UnavailableError, WrongUseError
from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.settings import Settings

if TYPE_CHECKING:
    from intel_ml.data.meta.reader import MetaReader
    from intel_ml.operations.limits import Limits

DATABASE = "intel"
MLFLOW_DATABASE = "mlflow"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    """Return this installation's own PostgreSQL, whether or not it runs."""
    return EmbeddedPostgres(settings.intel_home / "postgres")


def database_url(settings: Settings) -> str:
    """Return where the platform's tables are."""
    if settings.intel_database_url is not None:
        return _with_driver(settings.intel_database_url.get_secret_value())
    return embedded_postgres(settings).url(DATABASE)


def mlflow_database_url(settings: Settings) -> str:
    """Return where MLflow's tables are: the same server, a database of its own."""
    if settings.intel_database_url is not None:
        base, _, _ = _with_driver(settings.intel_database_url.get_secret_value()).rpartition("/")
        return f"{base}/{MLFLOW_DATABASE}"
    return embedded_postgres(settings).url(MLFLOW_DATABASE)


def open_store(settings: Settings) -> Store:
    """Return the open store; an embedded server that does not run is started first."""
    if settings.intel_database_url is None:
        embedded_postgres(settings).start(DATABASE, MLFLOW_DATABASE)
    return Store(database_url(settings))


def running_store(settings: Settings) -> Store:
    """Return the open store of a platform that runs; an embedded server is not started for it."""
    if settings.intel_database_url is None and not embedded_postgres(settings).is_running:
        raise UnavailableError(
            service="The platform's database",
            check="It is not running: start it with `intel-ml up`, or the demo with `make demo`.",
        )
    return Store(database_url(settings))


def require_enabled(settings: Settings) -> None:
    """Refuse politely while the master switch is off."""
    if not settings.enable_intelligence:
        raise WrongUseError(
            "The intelligence module is off (ENABLE_INTELLIGENCE=false).",
            hint="Set ENABLE_INTELLIGENCE=true in .env, or try `make demo` first.",
        )


def graph_url(settings: Settings) -> str:
    """Return where the ad platform is; what must not receive a token is refused.

    A demo never leaves the machine, and no token travels unencrypted.
    """
    url = settings.meta_graph_url
    parts = urlsplit(url)
    if parts.hostname in _HERE:
        return url
    if settings.uses_sandbox:
        raise InvalidValueError(
            path="META_GRAPH_URL",
            problem=f"{parts.hostname or url} is not this machine, but the ad account is simulated",
            hint="Remove META_GRAPH_URL, or INTEL_SANDBOX_WORLD for a real account.",
        )
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidValueError(
            path="META_GRAPH_URL",
            problem="must begin with https://",
            hint="A token would travel unencrypted.",
        )
    return url


def open_reader(settings: Settings) -> MetaReader:
    """Return the reading half of the Marketing API."""
    from intel_ml.data.meta.reader import MetaReader  # noqa: PLC0415  # the SDK is heavy

    if settings.meta_access_token is None:
        raise InvalidValueError(
            path="META_ACCESS_TOKEN",
            problem="is not set",
            hint="Give a token with ads_read, or run `make demo` on a simulated account.",
        )
    secret = settings.meta_app_secret
    return MetaReader(
        graph_url(settings),
        settings.meta_access_token.get_secret_value(),
        app_id=settings.meta_app_id,
        app_secret=secret.get_secret_value() if secret else None,
    )


def limits_of(settings: Settings) -> Limits:
    """Return the limits within which proposals are made and changes executed."""
    from intel_ml.operations.limits import Limits  # noqa: PLC0415  # only some commands need it

    return Limits(
        max_actions_per_hour=settings.max_auto_actions_per_hour,
        require_approval_days=settings.require_approval_for_days,
        min_confidence_for_auto=settings.min_confidence_for_auto,
        max_budget_change_percent=settings.max_budget_change_percent,
        cooldown_hours=settings.action_cooldown_hours,
        approval_valid_hours=settings.approval_valid_hours,
        holdout_share=settings.holdout_share,
        exploration_share=settings.exploration_share,
        explorations_per_day=settings.exploration_per_day,
        exploration_spend_share=settings.exploration_spend_share,
        stale_after_hours=2 * settings.insights_collection_interval / 60,
        acts_alone=settings.enable_action_executor,
    )


def _with_driver(url: str) -> str:
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    if not url.startswith("postgresql+psycopg://"):
        raise InvalidValueError(
            path="INTEL_DATABASE_URL",
            problem="is not the URL of a PostgreSQL database",
            hint="Write postgresql://user:password@host/database.",
        )
    return url
