"""Which models serve right now.

While no policy has learned from enough outcomes, an imitation of people's approvals stands in.

Reads   the registry, by the alias or version the settings name, every few seconds.
Gives   `Models`: the policy in use, each entity's archetype, and a sentence where one is amiss.
Never   lets a broken model replace one that works; never waits for the registry while someone asks;
        never lets an imitation out of shadow: what people would do says nothing of what it earns.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import structlog
from sqlalchemy import func, select

from intel_ml.core.errors import IntelError, UnavailableError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import IMITATION, Mode
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import ModelVersion, TrainingRow
from intel_ml.surfaces.settings import Settings

if TYPE_CHECKING:
    from intel_ml.learning.registry import LoadedArchetypes, LoadedPolicy, Registry, Version

POLICY = "campaign-policy"
ARCHETYPES = "campaign-archetypes"
RULES_ONLY = "rules_only"
CHECK_EVERY_S = 15.0
_ASK_EVERY_S = 1.0
NAMES_VALID = timedelta(hours=1)

_LOADING = "The models are being loaded: rules alone decided."
_SHADOW, _CHAMPION, _CHALLENGER = "shadow", "champion", "challenger"
_LONGEST = 300

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What serves. `archetypes` names each entity's group, as `named_by` saw it at `named_at`.

    `challenger` is asked beside the policy and logged, never shown. Where `stands_in`, the policy
    is an imitation of people. `warning` says why that is so, why there is no policy at all, or why
    a newer model was refused.
    """

    policy: LoadedPolicy | None = None
    stands_in: bool = False
    challenger: LoadedPolicy | None = None
    archetypes: Mapping[Entity, str] = field(default_factory=dict)
    named_by: LoadedArchetypes | None = None
    named_at: datetime | None = None
    warning: str | None = None

    def mode(self, wanted: Mode) -> Mode:
        """Return how far the policy may go: an imitation is logged, never shown."""
        return Mode.SHADOW if self.stands_in else wanted


class _Loaded(Protocol):
    """What tells one loaded model from another."""

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...


L = TypeVar("L", bound=_Loaded)


class ModelKeeper:
    """Holds the models in use and looks for newer ones in a thread of its own.

    It looks every `every_s`, and at once when `life` changes: that is asked every second.
    """

    def __init__(
        self,
        load: Callable[[Models], Models],
        *,
        every_s: float = CHECK_EVERY_S,
        life: Callable[[], object] = lambda: None,
    ) -> None:
        self._load, self._every_s, self._life = load, every_s, life
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
            found = self._load(before)
        except IntelError as error:
            found = replace(before, warning=_kept(before.policy, error))
        except Exception as error:  # whatever a model does must not end the service
            found = replace(before, warning=_kept(before.policy, error))
            if found.warning != before.warning:
                log.exception("models not loaded")
        self._current = found
        if found.warning != before.warning and found.warning is not None:
            log.warning("models", says=found.warning)
        if found.policy is not before.policy or found.challenger is not before.challenger:
            log.info(
                "models in use", policy=_name(found.policy), challenger=_name(found.challenger)
            )
        return found

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
        while not self._stop.is_set():
            before, life = self._current, self._lives()
            found = self.check()
            if found.policy is not before.policy or found.challenger is not before.challenger:
                gc.collect()
                gc.freeze()  # a model lives as long as the process: no collection need walk it
            until = time.monotonic() + self._every_s
            while time.monotonic() < until and self._lives() == life:
                if self._stop.wait(min(_ASK_EVERY_S, self._every_s)):
                    return

    def _lives(self) -> object:
        try:
            return self._life()
        except IntelError:
            return None


def promotions(store: Store) -> Callable[[], object]:
    """Return what tells that a model's life went on: the last step of any of them."""

    def last() -> object:
        with store.session() as session:
            return session.scalar(select(func.max(ModelVersion.id)))

    return last


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
        decisions = select(TrainingRow.ad_account_id, TrainingRow.decision_id).distinct()
        measured = decisions.where(TrainingRow.outcome_measured).subquery()
        return session.scalar(select(func.count()).select_from(measured)) or 0


def _loaded(registry: Registry, store: Store, *, settings: Settings, before: Models) -> Models:
    named, unnamed = _named(registry, store, before=before)
    wanted, samples = wanted_version(settings), measured_outcomes(store)
    if wanted is None:
        return replace(named, warning=f"No policy decided: ACTIVE_MODEL_VERSION={RULES_ONLY}.")
    progress = f"{samples:,} of {settings.min_training_samples:,} outcomes so far"
    stand_in = _StandIn(registry, named, before, unnamed)
    if samples < settings.min_training_samples:
        why = (
            f"No policy decided: {samples:,} measured outcomes, "
            f"MIN_TRAINING_SAMPLES={settings.min_training_samples:,} are needed."
        )
        return stand_in.models(f"{progress}.", otherwise=why)

    def policy_of(version_or_alias: str, kept: LoadedPolicy | None) -> _Checked[LoadedPolicy]:
        return _checked(
            kept,
            f"{POLICY}@{version_or_alias}",
            find=lambda: registry.find(POLICY, version_or_alias),
            load=lambda version: registry.load_policy(POLICY, version),
        )

    kept = None if before.stands_in else before.policy
    policy, challenger = policy_of(wanted, kept), policy_of(_CHALLENGER, before.challenger)
    refused = policy.refused
    if policy.model is None:
        why = refused or f"No policy decided: there is no {POLICY}@{wanted} yet."
        because = refused or f"There is no {POLICY}@{wanted} yet."
        found = stand_in.models(f"{progress}. {because}", otherwise=why)
        said = [one for one in (found.warning, challenger.refused) if one is not None]
        return replace(found, challenger=challenger.model, warning=" ".join(said))
    said = [one for one in (refused, challenger.refused, unnamed) if one is not None]
    rival = challenger.model
    if rival is not None and rival.version == policy.model.version:
        rival = None
    return replace(
        named, policy=policy.model, challenger=rival, warning=" ".join(said) if said else None
    )


@dataclass(frozen=True, slots=True)
class _StandIn:
    """Who speaks where no policy does: an imitation of people, where one is registered."""

    registry: Registry
    named: Models
    before: Models
    unnamed: str | None

    def models(self, because: str, *, otherwise: str) -> Models:
        """Return the models with the imitation in the policy's place, and why it is there.

        Without one nobody speaks, and the reason is `otherwise`.
        """
        checked = _checked(
            self.before.policy if self.before.stands_in else None,
            IMITATION,
            find=self._find,
            load=lambda version: self.registry.load_policy(IMITATION, version),
        )
        why = otherwise
        if checked.model is not None:
            why = f"{IMITATION} speaks, an imitation of your approvals: {because}"
        said = " ".join(one for one in (why, checked.refused, self.unnamed) if one is not None)
        is_there = checked.model is not None
        return replace(self.named, policy=checked.model, stands_in=is_there, warning=said)

    def _find(self) -> Version | None:
        found = self.registry.find(IMITATION, _CHAMPION)
        return found or self.registry.find(IMITATION, _SHADOW)


def _named(registry: Registry, store: Store, *, before: Models) -> tuple[Models, str | None]:
    """Return each entity's archetype, brought up to date, and why newer archetypes were refused."""
    checked = _checked(
        before.named_by,
        ARCHETYPES,
        find=lambda: registry.find(ARCHETYPES, _CHAMPION) or registry.find(ARCHETYPES, _SHADOW),
        load=lambda version: registry.load_archetypes(ARCHETYPES, version),
    )
    archetypes = checked.model
    if archetypes is None:
        return Models(), checked.refused
    with store.session() as session:
        now = platform_now(session)
    is_fresh = before.named_at is not None and now - before.named_at < NAMES_VALID
    if archetypes is before.named_by and is_fresh:
        return replace(before, policy=None, challenger=None, stands_in=False), checked.refused
    names = _names(store, archetypes, now=now)
    return Models(archetypes=names, named_by=archetypes, named_at=now), checked.refused


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


@dataclass(frozen=True, slots=True)
class _Checked(Generic[L]):
    """What is to be used of a model, and why a newer version of it is not."""

    model: L | None
    refused: str | None = None


def _checked(
    before: L | None,
    what: str,
    *,
    find: Callable[[], Version | None],
    load: Callable[[str], L | None],
) -> _Checked[L]:
    """Return what is registered now, loading it only where it is not in memory already.

    Where that is broken it is the one before; where the registry is away, that is raised.
    """
    found = find()
    if found is None:
        return _Checked(None)
    registered = (found.version, found.tags.get("sha256"))
    if before is not None and (before.version, before.sha256) == registered:
        return _Checked(before)
    try:
        return _Checked(load(found.version))
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a model does must not end the service
        return _Checked(before, f"{what} was refused: {_kept(before, error)}")


def _kept(before: object, error: Exception) -> str:
    said = error.message if isinstance(error, IntelError) else _told(error)
    keeps = "the one before keeps serving" if before else "rules alone decide"
    return f"{said} Until that is mended, {keeps}."


def _told(error: Exception) -> str:
    return f"A model could not be loaded ({type(error).__name__}: {error})."[:_LONGEST]


def _name(policy: LoadedPolicy | None) -> str:
    return f"{policy.name} version {policy.version}" if policy else "none"
