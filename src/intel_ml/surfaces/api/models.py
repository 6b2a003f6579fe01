"""Which models serve right now.

Reads   the registry, by the alias or version the settings name, every few seconds.
Gives   `Models`: the policy in use, each entity's archetype, and a sentence where one is amiss.
Never   lets a broken model replace one that works; never waits for the registry while someone asks.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog
from sqlalchemy import func, select

from intel_ml.core.errors import IntelError, ModelRefusedError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import TrainingRow
from intel_ml.surfaces.settings import Settings

if TYPE_CHECKING:
    from intel_ml.learning.registry import LoadedArchetypes, LoadedPolicy, Registry, Version

POLICY = "campaign-policy"
ARCHETYPES = "campaign-archetypes"
RULES_ONLY = "rules_only"
CHECK_EVERY_S = 15.0
NAMES_VALID = timedelta(hours=1)

_LOADING = "The models are being loaded: rules alone decided."
_SHADOW, _CHAMPION = "shadow", "champion"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What serves. `archetypes` names each entity's group, as `named_by` saw it at `named_at`.

    `warning` says why there is no policy, or why a newer model was refused.
    """

    policy: LoadedPolicy | None = None
    archetypes: Mapping[Entity, str] = field(default_factory=dict)
    named_by: LoadedArchetypes | None = None
    named_at: datetime | None = None
    warning: str | None = None


class _Loaded(Protocol):
    """What tells one loaded model from another."""

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...


L = TypeVar("L", bound=_Loaded)


class ModelKeeper:
    """Holds the models in use and looks for newer ones in a thread of its own."""

    def __init__(self, load: Callable[[Models], Models], *, every_s: float = CHECK_EVERY_S) -> None:
        self._load, self._every_s = load, every_s
        self._current = Models(warning=_LOADING)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def current(self) -> Models:
        """The models in use."""
        return self._current

    def check(self) -> Models:
        """Look once for newer models; what works keeps serving when they are broken or away."""
        before = self._current
        try:
            self._current = self._load(before)
        except IntelError as error:
            self._current = replace(before, warning=_kept(before.policy, error))
        except Exception as error:  # whatever a model does must not end the service
            log.exception("models not loaded")
            self._current = replace(before, warning=_kept(before.policy, error))
        if self._current.policy is not before.policy:
            log.info("models in use", policy=_name(self._current.policy))
        return self._current

    def start(self) -> None:
        """Begin looking in the background."""
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while True:
            before = self._current
            if self.check().policy is not before.policy:
                gc.collect()
                gc.freeze()  # a model lives as long as the process: no collection need walk it
            if self._stop.wait(self._every_s):
                return


def loader(store: Store, settings: Settings) -> Callable[[Models], Models]:
    """Return what brings the models up to date, by this installation's settings."""
    if not settings.enable_ml_predictions:
        return lambda _: Models(warning="No policy decided: ENABLE_ML_PREDICTIONS=false.")
    from intel_ml.learning.registry import Registry  # noqa: PLC0415  # only where models are wanted

    registry = Registry(settings.mlflow_url)
    return lambda before: _loaded(registry, store, settings=settings, before=before)


def wanted_version(settings: Settings) -> str | None:
    """Return the alias or version of the policy the settings ask for; None for rules alone.

    In shadow mode a policy is only logged: `shadow` is read even where `rules_only` is shown.
    """
    if settings.active_model_version != RULES_ONLY:
        return settings.active_model_version
    return _SHADOW if settings.ml_shadow_mode else None


def measured_outcomes(store: Store) -> int:
    """Return how many decisions have an outcome a policy can learn from."""
    with store.session() as session:
        return session.scalar(select(func.count()).where(TrainingRow.outcome_measured)) or 0


def _loaded(registry: Registry, store: Store, *, settings: Settings, before: Models) -> Models:
    named = _named(registry, store, before=before)
    wanted, samples = wanted_version(settings), measured_outcomes(store)
    if wanted is None:
        return replace(
            named, policy=None, warning=f"No policy decided: ACTIVE_MODEL_VERSION={RULES_ONLY}."
        )
    if samples < settings.min_training_samples:
        why = (
            f"No policy decided: {samples:,} measured outcomes, "
            f"MIN_TRAINING_SAMPLES={settings.min_training_samples:,} are needed."
        )
        return replace(named, policy=None, warning=why)
    try:
        policy = _newer(
            before.policy,
            registry.find(POLICY, wanted),
            load=lambda version: registry.load_policy(POLICY, version),
        )
    except ModelRefusedError as error:
        log.warning("model refused", model=POLICY, why=error.message)
        return replace(named, policy=before.policy, warning=_kept(before.policy, error))
    if policy is None:
        missing = f"No policy decided: there is no {POLICY}@{wanted} yet."
        return replace(named, policy=None, warning=missing)
    return replace(named, policy=policy, warning=None)


def _named(registry: Registry, store: Store, *, before: Models) -> Models:
    """Return the models with each entity's archetype brought up to date."""
    found = registry.find(ARCHETYPES, _CHAMPION) or registry.find(ARCHETYPES, _SHADOW)
    try:
        archetypes = _newer(
            before.named_by,
            found,
            load=lambda version: registry.load_archetypes(ARCHETYPES, version),
        )
    except ModelRefusedError as error:
        log.warning("model refused", model=ARCHETYPES, why=error.message)
        return before
    if archetypes is None:
        return Models()
    with store.session() as session:
        now = platform_now(session)
    is_fresh = before.named_at is not None and now - before.named_at < NAMES_VALID
    if archetypes is before.named_by and is_fresh:
        return before
    return Models(archetypes=_names(store, archetypes, now=now), named_by=archetypes, named_at=now)


def _names(store: Store, loaded: LoadedArchetypes, *, now: datetime) -> dict[Entity, str]:
    from intel_ml.learning.states import read_signatures  # noqa: PLC0415  # loads pandas

    with store.session() as session:
        accounts = stored.accounts(session)
    with store.connection() as connection:
        signatures = read_signatures(connection, accounts=accounts, as_of=now)
    frame = loaded.archetypes.assign(signatures)
    columns = (frame[name] for name in ("ad_account_id", "entity_type", "entity_id", "archetype"))
    return {
        Entity(AdAccountId(account), EntityType(kind), EntityId(key)): str(name)
        for account, kind, key, name in zip(*columns, strict=True)
        if isinstance(name, str)
    }


def _newer(before: L | None, found: Version | None, *, load: Callable[[str], L | None]) -> L | None:
    """Return what is registered now, loading it only where it is not in memory already."""
    if found is None:
        return None
    registered = (found.version, found.tags.get("sha256"))
    if before is not None and (before.version, before.sha256) == registered:
        return before
    return load(found.version)


def _kept(policy: LoadedPolicy | None, error: Exception) -> str:
    said = error.message if isinstance(error, IntelError) else "A model could not be loaded."
    keeps = "the one before keeps serving" if policy else "rules alone decide"
    return f"{said} Until that is mended, {keeps}."


def _name(policy: LoadedPolicy | None) -> str:
    return f"{policy.name} version {policy.version}" if policy else "none"
