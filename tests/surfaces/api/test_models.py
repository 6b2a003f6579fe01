"""Which models serve: the newest that works, or the one before."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from intel_ml.core.errors import ModelRefusedError, UnavailableError
from intel_ml.core.recommendations import Mode
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import Membership, Notification, TrainingRow
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.artifacts import folder_sha256
from intel_ml.learning.registry import Registration, Registry
from intel_ml.surfaces.api.models import (
    ModelKeeper,
    Models,
    loader,
    measured_outcomes,
    wanted_version,
)
from intel_ml.surfaces.api.refused_models import Refused, teller
from intel_ml.surfaces.settings import Settings

WORKING = Models(warning="the one that works")


def settings(home: Path, **values: object) -> Settings:
    return Settings.model_validate({"enable_intelligence": True, "intel_home": home} | values)


def test_a_broken_model_never_replaces_one_that_works() -> None:
    failures: list[Exception] = [
        ModelRefusedError("Its hash is another."),
        ValueError("NaN"),
        OSError(),
    ]

    def load(_: Models) -> Models:
        if failures:
            raise failures.pop()
        return WORKING

    keeper = ModelKeeper(load)
    while failures:
        kept = keeper.check()
        assert (kept.policy, kept.archetypes) == (None, {})
        assert kept.warning is not None
        assert "rules alone decide" in kept.warning
    assert keeper.check() is WORKING
    assert keeper.current is WORKING


def test_newer_models_are_found_in_the_background() -> None:
    found = threading.Event()

    def load(before: Models) -> Models:
        if before is WORKING:
            found.set()
        return WORKING

    keeper = ModelKeeper(load, every_s=0.01)
    keeper.start()
    assert found.wait(timeout=10)
    keeper.stop()


@pytest.mark.parametrize(
    ("version", "shadow", "wanted"),
    [
        ("rules_only", True, "shadow"),
        ("rules_only", False, None),
        ("champion", False, "champion"),
        ("7", True, "7"),
    ],
)
def test_the_settings_say_which_version_is_wanted(
    tmp_path: Path, version: str, *, shadow: bool, wanted: str | None
) -> None:
    chosen = settings(
        tmp_path, enable_ml_predictions=True, ml_shadow_mode=shadow, active_model_version=version
    )
    assert wanted_version(chosen) == wanted


def test_without_predictions_no_registry_is_asked(store: Store, tmp_path: Path) -> None:
    models = ModelKeeper(loader(store, settings(tmp_path))).check()
    assert models.policy is None
    assert models.warning == "No policy decided: ENABLE_ML_PREDICTIONS=false."


def test_a_registry_that_is_away_leaves_the_rules_alone(store: Store, tmp_path: Path) -> None:
    away = settings(tmp_path, enable_ml_predictions=True, intel_mlflow_port=9)
    models = ModelKeeper(loader(store, away)).check()
    assert models.policy is None
    assert models.warning is not None
    assert "does not answer" in models.warning


def test_outcomes_are_counted_once_measured(store: Store) -> None:
    assert measured_outcomes(store) == 0


# a real registry


def registered(registry: Registry, name: str, kind: str = "uniform") -> str:
    with registry.run("serving", "a test") as run:
        return registry.register_policy(
            make_policy(kind), registration=Registration(name=name, run_id=run.id)
        )


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name of this test's own: the registry is shared."""
    name = f"policy-{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr("intel_ml.surfaces.api.models.POLICY", name)
    monkeypatch.setattr("intel_ml.surfaces.api.models.IMITATION", f"{name}-imitation")
    return name


@pytest.fixture
def keeper(store: Store, registry: Registry, tmp_path: Path, named: str) -> ModelKeeper:
    assert named
    now = store.now()
    with store.session() as session:
        session.add(
            TrainingRow(
                ad_account_id="act_1", decision_id="d", horizon_hours=24, entity_type="adset",
                entity_id="1", state_vector={}, features_hash="", pmf={}, proposed="pause",
                executed="pause", action_source="human", p_executed=1.0, outcome_measured=True,
                state_captured_at=now,
            )
        )  # fmt: skip
    port = int(registry.tracking_url.rpartition(":")[2])
    given = settings(
        tmp_path, enable_ml_predictions=True, active_model_version="champion",
        min_training_samples=1, intel_mlflow_port=port,
    )  # fmt: skip
    return ModelKeeper(loader(store, given))


BROKEN = {
    "hash": ({"sha256": "0" * 64}, "hashes to"),
    "features": ({"features_hash": "0" * 16}, "other features"),
}


@pytest.mark.parametrize("how", list(BROKEN))
def test_a_broken_champion_leaves_the_one_before_serving_and_says_what_is_wrong(
    registry: Registry, keeper: ModelKeeper, named: str, how: str
) -> None:
    works, broken = registered(registry, named), registered(registry, named)
    registry.set_alias(named, "champion", works)
    kept = keeper.check().policy
    assert (kept.version if kept else None, keeper.current.warning) == (works, None)
    tags, says = BROKEN[how]
    registry.tag(named, broken, tags=tags)
    registry.set_alias(named, "champion", broken)
    after = keeper.check()
    assert after.policy is kept
    assert says in (after.warning or "")
    assert f"version {broken}" in (after.warning or "")
    assert "the one before keeps serving" in (after.warning or "")


@pytest.mark.parametrize("damage", ["nan", "missing"])
def test_on_a_cold_start_with_a_broken_champion_the_rules_decide_and_say_why(
    registry: Registry, keeper: ModelKeeper, named: str, tmp_path: Path, damage: str
) -> None:
    whole = registry.find(named, registered(registry, named))
    assert whole is not None
    version = whole.version
    if damage == "nan":
        np.savez(tmp_path / "policy.npz", theta=np.array([np.nan]))
        (tmp_path / "policy.json").write_text("{}")
        registry._client.log_artifacts(whole.run_id, str(tmp_path), "model")
        registry.tag(named, version, tags={"sha256": folder_sha256(tmp_path)})
    else:
        with registry.run("serving", "without files") as empty:
            made = registry._client.create_model_version(
                named, source=f"runs:/{empty.id}/model", run_id=empty.id, tags=dict(whole.tags)
            )
        version = str(made.version)
    registry.set_alias(named, "champion", version)
    models = keeper.check()
    assert models.policy is None
    assert f"{named}@champion was refused" in (models.warning or "")
    assert "rules alone decide" in (models.warning or "")
    if damage == "nan":
        assert "not finite: policy.npz: theta" in (models.warning or "")


def test_the_challenger_is_loaded_beside_and_a_broken_one_disturbs_nobody(
    registry: Registry, keeper: ModelKeeper, named: str
) -> None:
    champion, rival, broken = (registered(registry, named) for _ in range(3))
    registry.set_alias(named, "champion", champion)
    registry.set_alias(named, "challenger", champion)
    assert keeper.check().challenger is None
    registry.set_alias(named, "challenger", rival)
    models = keeper.check()
    assert models.policy is not None
    assert models.challenger is not None
    assert (models.policy.version, models.challenger.version) == (champion, rival)
    registry.tag(named, broken, tags={"sha256": "0" * 64})
    registry.set_alias(named, "challenger", broken)
    after = keeper.check()
    assert (after.policy, after.challenger) == (models.policy, models.challenger)
    assert "challenger was refused" in (after.warning or "")


def test_every_broken_model_is_named_and_not_the_first_alone(
    registry: Registry, keeper: ModelKeeper, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intel_ml.surfaces.api.models.ARCHETYPES", f"{named}-archetypes")
    roles = [(named, "champion"), (named, "challenger"), (f"{named}-imitation", "shadow")]
    for name, alias in [*roles, (f"{named}-archetypes", "champion")]:
        broken = registered(registry, name)
        registry.tag(name, broken, tags={"sha256": "0" * 64})
        registry.set_alias(name, alias, broken)
    models = keeper.check()
    said = [f"{named}@champion", f"{named}@challenger", f"{named}-imitation", f"{named}-archetypes"]
    assert [one for one in said if f"{one} was refused" not in str(models.warning)] == []
    assert len(models.refused) == len(said)
    assert keeper.check().refused == models.refused


# who is told of a refused model


@pytest.mark.usefixtures("tenants")
def test_operators_and_admins_are_told_once_of_a_refused_version_what_serves_and_what_to_do(
    registry: Registry, keeper: ModelKeeper, store: Store, named: str
) -> None:
    works, broken = registered(registry, named), registered(registry, named)
    registry.set_alias(named, "champion", works)
    told = ModelKeeper(keeper._load, tell=teller(store))
    told.check()
    assert notes(store, named) == []
    registry.tag(named, broken, tags={"sha256": "0" * 64})
    registry.set_alias(named, "champion", broken)
    told.check()
    once = notes(store, named)
    assert {role for role, _ in once} == {"operator", "admin"}
    for _, note in once:
        assert note.title == f"{named} version {broken} was refused"
        assert "hashes to" in note.message
        assert f"version {works} keeps serving" in note.message
        assert f"intel-ml models rollback {named} --reason" in note.message
    told.check()
    ModelKeeper(keeper._load, tell=teller(store)).check()  # a service that was started again
    assert [note.id for _, note in notes(store, named)] == [note.id for _, note in once]


def test_who_could_not_be_told_is_told_at_the_next_look() -> None:
    refused = Refused("policy", "3", "champion", "It is another.", None, "rules alone decide")
    away = [UnavailableError(service="The database", check="It is away.")]
    told: list[Refused] = []

    def tell(one: Refused) -> None:
        if away:
            raise away.pop()
        told.append(one)

    keeper = ModelKeeper(lambda _: Models(refused=(refused,)), tell=tell)
    for expected in ([], [refused], [refused]):
        keeper.check()
        assert told == expected


def notes(store: Store, name: str) -> list[tuple[str, Notification]]:
    """Return what was said of a model, with the role of whom it was said to."""
    with store.session() as session:
        found = session.execute(
            select(Membership.role, Notification)
            .join(
                Membership,
                (Membership.user_id == Notification.user_id)
                & (Membership.ad_account_id == Notification.ad_account_id),
            )
            .where(Notification.title.startswith(name))
            .order_by(Notification.id)
        ).all()
        session.expunge_all()
        return [(role, note) for role, note in found]


# an imitation in the policy's place


def test_an_imitation_speaks_until_a_policy_has_learned_and_says_why(
    registry: Registry, keeper: ModelKeeper, named: str
) -> None:
    spoken = registered(registry, f"{named}-imitation")
    assert keeper.check().policy is None, "what has no alias passed no gate"
    registry.set_alias(f"{named}-imitation", "shadow", spoken)
    models = keeper.check()
    assert models.policy is not None
    assert (models.policy.name, models.policy.version) == (f"{named}-imitation", spoken)
    assert models.stands_in
    assert "speaks, an imitation of your approvals: 1 of 1 outcomes so far." in str(models.warning)
    assert f"There is no {named}@champion yet." in str(models.warning)
    assert keeper.check().policy is models.policy, "loaded once"
    registry.set_alias(named, "champion", registered(registry, named))
    after = keeper.check()
    assert after.policy is not None
    assert (after.policy.name, after.stands_in, after.warning) == (named, False, None)


def test_with_too_few_outcomes_the_imitation_speaks_beside_a_policy_in_waiting(
    registry: Registry, store: Store, tmp_path: Path, named: str
) -> None:
    registry.set_alias(named, "champion", registered(registry, named))
    given = settings(
        tmp_path, enable_ml_predictions=True, active_model_version="champion",
        min_training_samples=1000, intel_mlflow_port=int(registry.tracking_url.rpartition(":")[2]),
    )  # fmt: skip
    keeper = ModelKeeper(loader(store, given))
    assert "0 measured outcomes, MIN_TRAINING_SAMPLES=1,000" in str(keeper.check().warning)
    spoken = registered(registry, f"{named}-imitation")
    registry.set_alias(f"{named}-imitation", "champion", spoken)
    models = keeper.check()
    assert models.stands_in
    assert models.policy is not None
    assert "an imitation of your approvals: 0 of 1,000 outcomes so far." in str(models.warning)


def test_a_broken_imitation_leaves_the_rules_alone_and_is_named(
    registry: Registry, keeper: ModelKeeper, named: str
) -> None:
    broken = registered(registry, f"{named}-imitation")
    registry.tag(f"{named}-imitation", broken, tags={"sha256": "0" * 64})
    registry.set_alias(f"{named}-imitation", "shadow", broken)
    models = keeper.check()
    assert (models.policy, models.stands_in) == (None, False)
    assert f"{named}-imitation was refused" in str(models.warning)


@pytest.mark.parametrize("wanted", list(Mode))
def test_what_people_would_do_is_never_shown_in_place_of_rules(wanted: Mode) -> None:
    assert Models(stands_in=True).mode(wanted) is Mode.SHADOW
    assert Models().mode(wanted) is wanted
