"""The feature matrix of the plan, row by row, on the code that runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from intel_ml.core.actions import ActionStatus
from intel_ml.core.errors import IntelError, InvalidValueError, WrongUseError
from intel_ml.core.recommendations import Mode
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import AutomationAction, AutomationRule, Decision, PolicyCell
from intel_ml.features.states import States
from intel_ml.intelligence.policy import make_policy
from intel_ml.intelligence.policy.protocol import Choices
from intel_ml.learning.registry import Registry
from intel_ml.operations.decisions import decide
from intel_ml.operations.dispatcher import drain
from intel_ml.operations.views import PolicyInUse
from intel_ml.surfaces.api.models import ModelKeeper, loader
from intel_ml.surfaces.api.predictions import Predictor
from intel_ml.surfaces.entry import run_process
from intel_ml.surfaces.jobs import JobContext
from intel_ml.surfaces.platform import limits_of, open_reader, require_enabled
from intel_ml.surfaces.processes import environment, process_names
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.work import collect, decide_all
from tests.operations.conftest import Desk, desk, graph
from tests.operations.test_decisions import wasting
from tests.surfaces.api.tenants import OUR_ADSET, OURS, make_tenants

__all__ = ["desk", "graph", "wasting"]

ON: dict[str, Any] = {"enable_intelligence": True, "holdout_share": 0.0}
NOBODY_LISTENS = 9


def settings(**changes: Any) -> Settings:
    return Settings(**{**ON, **changes})


def context(store: Store, given: Settings) -> JobContext:
    return JobContext(given, store, Registry("http://127.0.0.1:9"), {})


def count(store: Store, model: Any) -> int:
    with store.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def actions(store: Store) -> list[AutomationAction]:
    with store.session() as session:
        return list(session.scalars(select(AutomationAction)))


# what runs at all


@pytest.mark.parametrize(
    ("changes", "processes"),
    [
        ({}, ["mlflow", "api", "ui", "scheduler"]),
        ({"enable_rules_engine": False}, ["mlflow", "api", "ui", "scheduler"]),
        (
            {"enable_rules_engine": False, "enable_insights_collection": False},
            ["mlflow", "api", "ui"],
        ),
        ({"enable_action_executor": True}, ["mlflow", "executor", "api", "ui", "scheduler"]),
        (
            {"enable_action_executor": True, "intel_sandbox_world": "demo"},
            ["sandbox", "mlflow", "executor", "api", "ui", "scheduler"],
        ),
    ],
)
def test_the_settings_say_which_processes_run(changes: dict[str, Any], processes: list[str]):
    assert process_names(settings(**changes)) == processes


def test_by_default_nothing_acts_and_no_model_decides():
    plain = Settings()
    assert not plain.enable_intelligence
    assert not plain.enable_action_executor
    assert not plain.enable_ml_predictions
    assert plain.ml_shadow_mode
    with pytest.raises(WrongUseError, match="ENABLE_INTELLIGENCE=true"):
        require_enabled(plain)


# the golden rule: one process writes


@pytest.mark.parametrize("name", ["mlflow", "api", "ui", "scheduler", ""])
def test_no_process_but_the_executor_sees_the_write_token(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    for spelling in ("META_WRITE_TOKEN", "meta_write_token"):
        monkeypatch.setenv(spelling, "EAAwrite")
    assert "EAAwrite" not in environment(env_file=None, name=name).values()
    assert "EAAwrite" in environment(env_file=None, name="executor").values()


def test_switched_off_the_executor_refuses_to_run():
    off = settings(meta_write_token=SecretStr("EAAwrite"))
    with pytest.raises(InvalidValueError, match="ENABLE_ACTION_EXECUTOR"):
        run_process("executor", off)


def test_switched_off_nothing_approved_is_carried_out(desk: Desk):
    action = desk.propose()
    assert drain(desk.store, desk.access, desk.limits, enabled=False) == 0
    assert desk.action(action).status == ActionStatus.APPROVED
    assert desk.graph.writes == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"intel_sandbox_world": "demo"}, "not this machine"),
        ({"meta_graph_url": "http://graph.facebook.com"}, "https"),
    ],
)
def test_no_token_goes_where_it_must_not(changes: dict[str, Any], says: str):
    given = settings(
        enable_action_executor=True,
        meta_access_token=SecretStr("EAAread"),
        meta_write_token=SecretStr("EAAwrite"),
        **changes,
    )
    with pytest.raises(InvalidValueError, match=says):
        open_reader(given)
    with pytest.raises(InvalidValueError, match=says):
        run_process("executor", given)


# collection only


def test_collection_switched_off_looks_at_nothing(store: Store):
    told = collect(context(store, settings(enable_insights_collection=False)))
    assert "ENABLE_INSIGHTS_COLLECTION" in told["skipped"]


def test_without_the_rules_engine_nothing_is_decided_proposed_or_recommended(wasting: Desk):
    off = settings(enable_rules_engine=False)
    assert decide_all(context(wasting.store, off)) == {"decisions": 0}
    assert (count(wasting.store, Decision), actions(wasting.store)) == (0, [])
    tenants = make_tenants(wasting.store)
    predictor = Predictor(wasting.store, off, ModelKeeper(loader(wasting.store, off)))
    with pytest.raises(IntelError, match="ENABLE_RULES_ENGINE=false"):
        predictor.recommend(f"Bearer {tenants.tokens['viewer']}", question())


def test_with_the_rules_engine_proposals_wait_for_a_person(wasting: Desk):
    told = decide_all(context(wasting.store, settings()))
    assert told["proposals"] == 3
    assert told["with_policy"] == 0
    assert {row.status for row in actions(wasting.store)} == {ActionStatus.PENDING_APPROVAL}
    assert all(row.requires_approval for row in actions(wasting.store))


# the policy beside the rules


def question() -> dict[str, str]:
    return {"account_id": OURS, "entity_type": "adset", "entity_id": OUR_ADSET}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "ENABLE_ML_PREDICTIONS=false"),
        ({"enable_ml_predictions": True, "ml_shadow_mode": False}, "ACTIVE_MODEL_VERSION"),
        ({"enable_ml_predictions": True, "active_model_version": "champion"}, "MIN_TRAINING"),
        (
            {
                "enable_ml_predictions": True,
                "active_model_version": "champion",
                "min_training_samples": 1,
            },
            "MIN_TRAINING",
        ),
    ],
)
def test_without_a_policy_the_rules_answer_alone_and_say_why(
    store: Store, tracking_url: str, changes: dict[str, Any], says: str
):
    port = int(tracking_url.rsplit(":", 1)[1])
    given = settings(**changes, intel_mlflow_port=port)
    tenants = make_tenants(store)
    keeper = ModelKeeper(loader(store, given))
    keeper.check()
    answer = Predictor(store, given, keeper).recommend(
        f"Bearer {tenants.tokens['viewer']}", question()
    )
    assert answer.policy is None
    assert answer.rules.action.type == "pause"
    assert any(says in warning for warning in answer.warnings)


def test_a_registry_that_is_away_leaves_the_rules_deciding(wasting: Desk):
    away = settings(enable_ml_predictions=True, intel_mlflow_port=NOBODY_LISTENS)
    told = decide_all(context(wasting.store, away))
    assert (told["proposals"], told["with_policy"]) == (3, 0)
    keeper = ModelKeeper(loader(wasting.store, away))
    assert "rules alone decide" in (keeper.check().warning or "")


@dataclass(frozen=True)
class Sure:
    """A policy in use that would pause everything, and is as sure as it is told to be."""

    confidence: float
    name: str = "campaign-policy"
    version: str = "7"

    @property
    def policy(self) -> Any:
        return _Pausing(self.confidence)


class _Pausing:
    """Pauses whatever it may."""

    name = "pausing"
    features: tuple[str, ...] = ()
    entity_types: tuple[str, ...] = ()

    def __init__(self, confidence: float) -> None:
        self._confidence, self._uniform = confidence, make_policy("uniform")

    def choose(self, states: States, **given: Any) -> Choices:
        drawn = self._uniform.choose(states, **given)
        pause = drawn.arms * 0
        pmf = drawn.pmf * 0.0
        pmf[:, 0] = 1.0
        return replace(
            drawn,
            pmf=pmf,
            arms=pause,
            greedy=pause,
            confidence=drawn.confidence * 0.0 + self._confidence,
        )

    def explain(self, *_: Any) -> tuple[()]:
        return ()


def automatic(desk: Desk) -> None:
    """Every rule may go on by itself, and pausing has earned it with version 7."""
    with desk.store.session() as session:
        for rule in session.scalars(select(AutomationRule)):
            rule.execution_mode = "automatic"
        session.add(
            PolicyCell(
                ad_account_id=desk.account.id,
                archetype="",
                arm="pause",
                mode="automatic",
                since=desk.now(),
                set_by="ana",
                reason="proven",
                evidence={
                    "model": "campaign-policy 7",
                    "threshold": 0.7,
                    "risk": 0.05,
                    "delta": 0.1,
                },
            )
        )


@pytest.mark.parametrize(
    ("changes", "policy", "status"),
    [
        # The account of these tests was taken on ten days ago.
        ({"require_approval_for_days": 30}, Sure(0.95), ActionStatus.PENDING_APPROVAL),
        ({"require_approval_for_days": 5}, Sure(0.95), ActionStatus.APPROVED),
        ({"require_approval_for_days": 5}, Sure(0.80), ActionStatus.PENDING_APPROVAL),
        (
            {"require_approval_for_days": 5, "min_confidence_for_auto": 0.75},
            Sure(0.80),
            ActionStatus.APPROVED,
        ),
        ({"require_approval_for_days": 5}, None, ActionStatus.PENDING_APPROVAL),
        (
            {"require_approval_for_days": 5, "enable_action_executor": False},
            Sure(0.95),
            ActionStatus.PENDING_APPROVAL,
        ),
    ],
)
def test_a_change_goes_without_a_person_only_when_old_and_sure_enough(
    wasting: Desk, changes: dict[str, Any], policy: PolicyInUse | None, status: ActionStatus
):
    automatic(wasting)
    decide(
        wasting.store,
        wasting.account,
        now=wasting.now(),
        # Without the audits: chance asks about a tenth of them all the same.
        limits=replace(
            limits_of(settings(**{"enable_action_executor": True} | changes)), audit_share=0.0
        ),
        policy=policy,
        mode=Mode.SHADOW,
    )
    assert {row.status for row in actions(wasting.store)} == {status}


def test_an_automatic_change_asks_after_all_when_the_period_was_made_longer(desk: Desk):
    action = desk.propose(
        requires_approval=False, approved_by=None, model_confidence=0.99, source="policy"
    )
    longer = limits_of(settings(require_approval_for_days=30))
    desk.drain(longer)
    assert desk.action(action).status == ActionStatus.PENDING_APPROVAL
    assert desk.graph.writes == []


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("max_auto_actions_per_hour", "max_actions_per_hour", 3),
        ("require_approval_for_days", "require_approval_days", 3),
        ("min_confidence_for_auto", "min_confidence_for_auto", 0.5),
        ("max_budget_change_percent", "max_budget_change_percent", 7),
        ("action_cooldown_hours", "cooldown_hours", 9.0),
        ("approval_valid_hours", "approval_valid_hours", 5.0),
        ("holdout_share", "holdout_share", 0.2),
        ("exploration_share", "exploration_share", 0.2),
        ("exploration_per_day", "explorations_per_day", 7),
        ("exploration_spend_share", "exploration_spend_share", 0.3),
    ],
)
def test_every_limit_of_the_settings_reaches_the_guards(name: str, field: str, value: float):
    assert getattr(limits_of(settings(**{name: value})), field) == value


def test_data_older_than_two_collection_periods_is_stale():
    limits = limits_of(settings(insights_collection_interval=30))
    assert limits.stale_after == timedelta(hours=1)
