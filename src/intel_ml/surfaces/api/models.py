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
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select

from intel_ml.core.errors import IntelError
from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.core.recommendations import IMITATION, Mode
from intel_ml.data.store import accounts as stored
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import ModelVersion, TrainingRow
from intel_ml.surfaces.api.refused_models import Asked, Checked, Refused, reason_of, usable
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
_RULES_ALONE = "rules alone decide"
_NOBODY_BESIDE = "no challenger is asked beside the policy"
_UNNAMED = "no archetype is named"
_SHADOW, _CHAMPION, _CHALLENGER = "shadow", "champion", "challenger"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What serves. `archetypes` names each entity's group, as `named_by` saw it at `named_at`.

    `challenger` is asked beside the policy and logged, never shown. Where `stands_in`, the policy
    is an imitation of people. `warning` says why that is so, why there is no policy at all, and why
    newer models were `refused`.
    """

    policy: LoadedPolicy | None = None
    stands_in: bool = False
    challenger: LoadedPolicy | None = None
    archetypes: Mapping[Entity, str] = field(default_factory=dict)
    named_by: LoadedArchetypes | None = None
    named_at: datetime | None = None
    warning: str | None = None
    refused: tuple[Refused, ...] = ()

    def mode(self, wanted: Mode) -> Mode:
        """Return how far the policy may go: an imitation is logged, never shown."""
        return Mode.SHADOW if self.stands_in else wanted


class ModelKeeper:
    """Holds the models in use and looks for newer ones in a thread of its own.

    It looks every `every_s`, and at once when `life` changes: that is asked every second. Of a
    version it refuses it tells once.
    """

    def __init__(
        self,
        load: Callable[[Models], Models],
        *,
        every_s: float = CHECK_EVERY_S,
        life: Callable[[], object] = lambda: None,
        tell: Callable[[Refused], None] = lambda _: None,
    ) -> None:
        self._load, self._every_s, self._life, self._tell = load, every_s, life, tell
        self._told: set[Refused] = set()
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
        self._tell_of(found.refused)
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

    def _tell_of(self, refused: tuple[Refused, ...]) -> None:
        for one in refused:
            if one in self._told:
                continue
            try:
                self._tell(one)
            except IntelError as error:
                log.warning("nobody was told yet", of=one.title, why=error.message)
            else:
                self._told.add(one)

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
        return _saying(named, f"No policy decided: ACTIVE_MODEL_VERSION={RULES_ONLY}.", unnamed)
    progress = f"{samples:,} of {settings.min_training_samples:,} outcomes so far"
    stand_in = _StandIn(registry, named, before, unnamed)
    if samples < settings.min_training_samples:
        why = (
            f"No policy decided: {samples:,} measured outcomes, "
            f"MIN_TRAINING_SAMPLES={settings.min_training_samples:,} are needed."
        )
        return stand_in.models(f"{progress}.", otherwise=why)

    def policy_of(version_or_alias: str, kept: LoadedPolicy | None) -> Checked[LoadedPolicy]:
        otherwise = _NOBODY_BESIDE if version_or_alias == _CHALLENGER else _RULES_ALONE
        return usable(
            kept,
            Asked(POLICY, otherwise=otherwise, alias=version_or_alias),
            find=lambda: registry.find(POLICY, version_or_alias),
            load=lambda version: registry.load_policy(POLICY, version),
        )

    kept = None if before.stands_in else before.policy
    policy, challenger = policy_of(wanted, kept), policy_of(_CHALLENGER, before.challenger)
    if policy.model is None:
        none = str(policy.refused or f"There is no {POLICY}@{wanted} yet.")
        otherwise = (
            none if policy.refused else f"No policy decided: there is no {POLICY}@{wanted} yet."
        )
        found = stand_in.models(f"{progress}. {none}", otherwise=otherwise)
        if policy.refused is not None:
            found = replace(found, refused=(policy.refused, *found.refused))
        found = replace(found, challenger=challenger.model)
        return _saying(found, found.warning, challenger.refused)
    rival = challenger.model
    if rival is not None and rival.version == policy.model.version:
        rival = None
    found = replace(named, policy=policy.model, challenger=rival)
    return _saying(found, policy.refused, challenger.refused, unnamed)


def _saying(models: Models, *said: str | Refused | None) -> Models:
    """Return the models with all there is to say of them, and with everyone that was refused."""
    known = [one for one in said if one is not None]
    refused = tuple(one for one in known if isinstance(one, Refused))
    warning = " ".join(map(str, known)) if known else None
    return replace(models, warning=warning, refused=(*models.refused, *refused))


@dataclass(frozen=True, slots=True)
class _StandIn:
    """Who speaks where no policy does: an imitation of people, where one is registered."""

    registry: Registry
    named: Models
    before: Models
    unnamed: Refused | None

    def models(self, because: str, *, otherwise: str) -> Models:
        """Return the models with the imitation in the policy's place, and why it is there.

        Without one nobody speaks, and the reason is `otherwise`.
        """
        checked = usable(
            self.before.policy if self.before.stands_in else None,
            Asked(IMITATION, otherwise=_RULES_ALONE),
            find=self._find,
            load=lambda version: self.registry.load_policy(IMITATION, version),
        )
        why = otherwise
        if checked.model is not None:
            why = f"{IMITATION} speaks, an imitation of your approvals: {because}"
        is_there = checked.model is not None
        found = replace(self.named, policy=checked.model, stands_in=is_there)
        return _saying(found, why, checked.refused, self.unnamed)

    def _find(self) -> Version | None:
        found = self.registry.find(IMITATION, _CHAMPION)
        return found or self.registry.find(IMITATION, _SHADOW)


def _named(registry: Registry, store: Store, *, before: Models) -> tuple[Models, Refused | None]:
    """Return each entity's archetype, brought up to date, and why newer archetypes were refused."""
    checked = usable(
        before.named_by,
        Asked(ARCHETYPES, otherwise=_UNNAMED),
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
        kept = replace(before, policy=None, challenger=None, stands_in=False, refused=())
        return kept, checked.refused
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


def _kept(before: object, error: Exception) -> str:
    keeps = "the one before keeps serving" if before else _RULES_ALONE
    return f"{reason_of(error)} Until that is mended, {keeps}."


def _name(policy: LoadedPolicy | None) -> str:
    return f"{policy.name} version {policy.version}" if policy else "none"
