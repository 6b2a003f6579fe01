"""Which models serve right now.

Reads   the registry, by the alias or version the settings name, every few seconds.
Gives   `Models`: the policy and the archetypes in use, and a sentence where there is no policy.
Never   lets a broken model replace one that works; never waits for the registry while someone asks.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func, select

from intel_ml.core.errors import IntelError
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import TrainingRow
from intel_ml.surfaces.settings import Settings

if TYPE_CHECKING:
    from intel_ml.learning.registry import LoadedArchetypes, LoadedPolicy, Registry

POLICY = "campaign-policy"
ARCHETYPES = "campaign-archetypes"
RULES_ONLY = "rules_only"
CHECK_EVERY_S = 15.0

_LOADING = "The models are being loaded: rules alone decided."
_SHADOW, _CHAMPION = "shadow", "champion"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What serves; `warning` says why there is no policy, or why a newer one was refused."""

    policy: LoadedPolicy | None = None
    archetypes: LoadedArchetypes | None = None
    warning: str | None = None


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
            self._current = replace(before, warning=_refused(before, error))
        except Exception as error:  # whatever a model does must not end the service
            log.exception("models not loaded")
            self._current = replace(before, warning=_refused(before, error))
        if self._current.policy is not before.policy:
            gc.collect()
            gc.freeze()  # the model lives as long as the process: collections need not walk it
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
        self.check()
        while not self._stop.wait(self._every_s):
            self.check()


def loader(store: Store, settings: Settings) -> Callable[[Models], Models]:
    """Return what brings the models up to date, by this installation's settings."""
    wanted = wanted_version(settings)
    if wanted is None:
        return lambda _: Models(warning=_no_policy(settings))
    from intel_ml.learning.registry import Registry  # noqa: PLC0415  # only where a policy is wanted

    registry = Registry(settings.mlflow_url)

    def load(before: Models) -> Models:
        return _load(registry, store, settings=settings, wanted=wanted, before=before)

    return load


def wanted_version(settings: Settings) -> str | None:
    """Return the alias or version of the policy the settings ask for; None for rules alone.

    In shadow mode a policy is only logged: `shadow` is read even where `rules_only` is shown.
    """
    if not settings.enable_ml_predictions:
        return None
    if settings.active_model_version != RULES_ONLY:
        return settings.active_model_version
    return _SHADOW if settings.ml_shadow_mode else None


def _load(
    registry: Registry, store: Store, *, settings: Settings, wanted: str, before: Models
) -> Models:
    archetypes = _newer(
        before.archetypes,
        find=lambda: registry.find(ARCHETYPES, _CHAMPION) or registry.find(ARCHETYPES, _SHADOW),
        load=lambda version: registry.load_archetypes(ARCHETYPES, version),
    )
    samples = measured_outcomes(store)
    if samples < settings.min_training_samples:
        return Models(
            archetypes=archetypes,
            warning=(
                f"No policy decided: {samples:,} measured outcomes, "
                f"MIN_TRAINING_SAMPLES={settings.min_training_samples:,} are needed."
            ),
        )
    policy = _newer(
        before.policy,
        find=lambda: registry.find(POLICY, wanted),
        load=lambda version: registry.load_policy(POLICY, version),
    )
    if policy is None:
        return Models(
            archetypes=archetypes, warning=f"No policy decided: there is no {POLICY}@{wanted} yet."
        )
    return Models(policy=policy, archetypes=archetypes)


def _newer(before: Any, *, find: Callable[[], Any], load: Callable[[str], Any]) -> Any:
    """Return what is registered now, loading it only where it is not the one already in memory."""
    found = find()
    if found is None:
        return None
    if before is not None and (before.version, before.sha256) == (
        found.version,
        found.tags.get("sha256"),
    ):
        return before
    return load(found.version)


def measured_outcomes(store: Store) -> int:
    """Return how many decisions have an outcome a policy can learn from."""
    with store.session() as session:
        return session.scalar(select(func.count()).where(TrainingRow.outcome_measured)) or 0


def _no_policy(settings: Settings) -> str:
    if not settings.enable_ml_predictions:
        return "No policy decided: ENABLE_ML_PREDICTIONS=false."
    return f"No policy decided: ACTIVE_MODEL_VERSION={RULES_ONLY}."


def _refused(before: Models, error: Exception) -> str:
    said = error.message if isinstance(error, IntelError) else "The model could not be loaded."
    keeps = "the one before keeps serving" if before.policy else "rules alone decided"
    return f"{said} Until that is mended {keeps}."


def _name(policy: LoadedPolicy | None) -> str:
    return f"{policy.name} version {policy.version}" if policy else "none"
