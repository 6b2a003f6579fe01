"""What another system asks and is answered: the promised shapes, and only its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from intel_ml.core.actions import ARMS
from intel_ml.core.errors import InvalidValueError, NotAllowedError, NotFoundError, WrongUseError
from intel_ml.core.ids import Entity, EntityId, EntityType
from intel_ml.core.recommendations import Mode
from intel_ml.data.store.accounts import set_mode
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.tables import Decision, TrainingRow
from intel_ml.features.catalogue import features_hash
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.registry import LoadedPolicy
from intel_ml.surfaces.api.models import ModelKeeper, Models
from intel_ml.surfaces.api.predictions import Predictor, only
from intel_ml.surfaces.auth import NotLoggedInError
from intel_ml.surfaces.settings import Settings
from tests.surfaces.api.tenants import COSTLY, OUR_ADSET, OURS, THEIR_ADSET, THEIRS, Tenants

BY_ID = {"account_id": OURS, "entity_type": "adset", "entity_id": OUR_ADSET}
BY_STATE = {"account_id": OURS, "state": COSTLY}
NO_MODEL = "No policy decided: ENABLE_ML_PREDICTIONS=false."

Ask = Callable[..., dict[str, Any]]


def predictor(store: Store, settings: Settings, models: Models) -> Predictor:
    keeper = ModelKeeper(lambda _: models)
    keeper.check()
    return Predictor(store, settings, keeper)


def loaded(version: str) -> LoadedPolicy:
    return LoadedPolicy(
        policy=make_policy("uniform"), name="campaign-policy", version=version, run_id="r",
        sha256="s", features_hash=features_hash(),
    )  # fmt: skip


@pytest.fixture
def rules_alone(store: Store, settings: Settings) -> Predictor:
    return predictor(store, settings, Models(warning=NO_MODEL))


@pytest.fixture
def with_policy(store: Store, settings: Settings) -> Predictor:
    entity = Entity(OURS, EntityType.ADSET, EntityId(OUR_ADSET))
    return predictor(store, settings, Models(policy=loaded("7"), archetypes={entity: "Steady"}))


@pytest.fixture
def ask(tenants: Tenants) -> Ask:
    def asking(by: Predictor, body: Any, *, who: str = "viewer") -> dict[str, Any]:
        answer = by.recommend(tenants.auth(who)["Authorization"], body)
        return dict(json.loads(answer.model_dump_json()))

    return asking


def test_the_rules_answer_alone_in_the_promised_shape(ask: Ask, rules_alone: Predictor) -> None:
    answer = ask(rules_alone, BY_STATE)
    assert list(answer) == [
        *("decision_id", "mode", "shown", "as_of"),
        *("rules", "policy", "agreement", "warnings"),
    ]
    assert answer["as_of"].endswith("Z")
    assert (answer["mode"], answer["shown"]) == ("shadow", "rules")
    assert (answer["policy"], answer["agreement"]) == (None, None)
    assert answer["warnings"][0] == NO_MODEL
    assert list(answer["rules"]) == ["action", "rule", "reasons"]
    assert answer["rules"]["action"] == {"type": "pause"}
    assert list(answer["rules"]["rule"]) == ["id", "version", "name"]
    assert answer["rules"]["rule"]["version"] == 3
    assert answer["rules"]["reasons"][0] == {
        "text": "spent 68.50 USD with no purchase",
        "field": "spend",
        "observed": 68.5,
        "operator": ">",
        "threshold": 50,
        "unit": "USD",
    }


def test_the_policy_answers_beside_them_in_the_promised_shape(
    ask: Ask, with_policy: Predictor
) -> None:
    answer = ask(with_policy, BY_ID)
    policy = answer["policy"]
    assert list(policy) == [
        *("action", "model", "version", "confidence", "archetype", "pmf", "reasons"),
    ]
    assert (policy["model"], policy["version"]) == ("campaign-policy", "7")
    assert policy["archetype"] == "Steady"
    assert list(policy["pmf"]) == [str(arm) for arm in ARMS]
    assert sum(policy["pmf"].values()) == pytest.approx(1)
    assert all(list(one) == ["text", "field", "contribution"] for one in policy["reasons"])
    assert (answer["mode"], answer["shown"]) == ("shadow", "rules")


def test_both_agree_or_not_only_when_both_speak(ask: Ask, with_policy: Predictor) -> None:
    assert ask(with_policy, BY_STATE)["agreement"] in (True, False)
    assert ask(with_policy, {"account_id": OURS, "state": {"spend": 1}})["agreement"] is None


def test_no_rule_fires_on_what_is_unknown(ask: Ask, rules_alone: Predictor) -> None:
    for state in ({}, {"spend": None, "conversions": None}, {"spend": 99}):
        assert ask(rules_alone, {"account_id": OURS, "state": state})["rules"] is None


def test_an_unknown_model_leaves_the_rules_and_says_so(ask: Ask, with_policy: Predictor) -> None:
    answer = ask(with_policy, BY_STATE | {"model": "campaign-polcy"})
    assert answer["policy"] is None
    assert "campaign-polcy" in answer["warnings"][0]
    assert ask(with_policy, BY_STATE | {"model": "campaign-policy@7"})["policy"] is not None


@pytest.mark.parametrize("shadow_setting", [True, False])
@pytest.mark.parametrize("account_mode", list(Mode))
@pytest.mark.parametrize("least", [0.0, 1.0])
def test_the_policy_is_shown_where_setting_account_and_its_own_certainty_allow_it(  # noqa: PLR0913  # one for each cause
    tenants: Tenants,
    store: Store,
    settings: Settings,
    account_mode: Mode,
    least: float,
    *,
    shadow_setting: bool,
) -> None:
    with store.session() as session:
        set_mode(session, OURS, account_mode)
    given_ = settings.model_copy(
        update={"ml_shadow_mode": shadow_setting, "min_confidence_for_auto": least}
    )
    models = Models(policy=loaded("7"))
    header = tenants.auth("viewer")["Authorization"]
    answer = predictor(store, given_, models).recommend(header, {"account_id": OURS, "state": {}})
    is_live = account_mode is Mode.LIVE and not shadow_setting
    assert answer.mode == ("live" if is_live else "shadow")
    assert answer.shown == ("policy" if is_live and least == 0.0 else "rules")


def test_an_imitation_is_named_explained_and_never_shown_even_where_policies_are(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    with store.session() as session:
        set_mode(session, OURS, Mode.LIVE)
    given_ = settings.model_copy(update={"ml_shadow_mode": False, "min_confidence_for_auto": 0.0})
    why = "campaign-imitation speaks, an imitation of your approvals: 3 of 1,000 outcomes so far."
    person = replace(loaded("2"), name="campaign-imitation")
    models = Models(policy=person, stands_in=True, warning=why)
    answer = predictor(store, given_, models).recommend(
        tenants.auth("viewer")["Authorization"], {"account_id": OURS, "state": {}}
    )
    assert (answer.mode, answer.shown) == ("shadow", "rules")
    assert answer.policy is not None
    assert (answer.policy.model, answer.policy.version) == ("campaign-imitation", "2")
    assert why in answer.warnings


def test_the_challenger_is_asked_and_logged_and_never_shown(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, Models(policy=loaded("7"), challenger=loaded("8")))
    thought = by.think(tenants.auth("viewer")["Authorization"], BY_ID)
    assert '"8"' not in only(thought).model_dump_json()
    (row,) = map(json.loads, thought.rows)
    assert row["policy_version"] == "7"
    assert (row["challenger"]["name"], row["challenger"]["version"]) == ("campaign-policy", "8")
    assert row["challenger"]["arm"] in row["challenger"]["pmf"]
    assert sum(row["challenger"]["pmf"].values()) == pytest.approx(1, abs=1e-5)


def test_every_answer_was_logged_first(ask: Ask, with_policy: Predictor, store: Store) -> None:
    answer = ask(with_policy, BY_ID)
    with store.session() as session:
        row = session.get_one(Decision, (OURS, answer["decision_id"]))
        assert (row.trigger, row.entity_id, row.policy_version) == ("request", OUR_ADSET, "7")
        assert row.policy_pmf == pytest.approx(answer["policy"]["pmf"], abs=1e-5)


@pytest.mark.parametrize(
    ("body", "path", "hint"),
    [
        (BY_STATE | {"state": {"spnd": 1}}, "state.spnd", "Did you mean 'spend'?"),
        (BY_STATE | {"state": {"spend": "much"}}, "state.spend", ""),
        (BY_STATE | {"state": {"spend": True}}, "state.spend", ""),
        (BY_STATE | {"state": {"learning_phase": "LERNING"}}, "state.learning_phase", "LEARNING"),
        (BY_STATE | {"state": {"learning_phase": 3}}, "state.learning_phase", ""),
        (BY_ID | {"entity_type": "adst"}, "entity_type", "Did you mean 'adset'?"),
        (BY_ID | {"entity_id": 7}, "entity_id", ""),
        ({"acount_id": OURS}, "acount_id", "Did you mean 'account_id'?"),
        ({"account_id": OURS}, "entity_id", ""),
        ({"entity_id": OUR_ADSET}, "account_id", ""),
        ([BY_ID], "body", ""),
        (None, "body", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_the_nearest_name(
    ask: Ask, rules_alone: Predictor, body: Any, path: str, hint: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        ask(rules_alone, body)
    assert refused.value.path == path
    assert hint in refused.value.hint


def test_another_accounts_ids_do_not_exist(ask: Ask, rules_alone: Predictor) -> None:
    for body in (
        {"account_id": THEIRS, "entity_type": "adset", "entity_id": THEIR_ADSET},
        {"account_id": OURS, "entity_type": "adset", "entity_id": THEIR_ADSET},
        {"account_id": THEIRS, "state": COSTLY},
        {"account_id": "act_none", "state": COSTLY},
    ):
        with pytest.raises(NotFoundError):
            ask(rules_alone, body)


def test_nobody_is_answered_without_a_token(rules_alone: Predictor) -> None:
    for header in (None, "Bearer intel_unknown"):
        for method in (rules_alone.recommend, rules_alone.recommend_batch, rules_alone.feedback):
            with pytest.raises(NotLoggedInError):
                method(header, {})


def test_a_state_without_an_account_is_judged_by_one_and_says_which(
    ask: Ask, rules_alone: Predictor
) -> None:
    assert any(OURS in warning for warning in ask(rules_alone, {"state": COSTLY})["warnings"])


def test_one_bad_question_of_many_does_not_spoil_the_others(
    tenants: Tenants, with_policy: Predictor
) -> None:
    asked = [BY_ID, BY_ID | {"entity_id": "9"}, BY_STATE, BY_STATE | {"state": {"spnd": 1}}]
    header = tenants.auth("viewer")["Authorization"]
    answers = with_policy.recommend_batch(header, {"requests": asked}).model_dump()["answers"]
    assert ["decision_id" in one for one in answers] == [True, False, True, False]
    assert answers[1]["error"]["path"] == "requests[1]"
    assert answers[3]["error"] == {
        "type": "invalid_value",
        "message": "state.spnd: is not a field we know.",
        "hint": "Did you mean 'spend'?",
        "path": "requests[3].state.spnd",
    }


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_has_1_to_1000_questions(
    tenants: Tenants, rules_alone: Predictor, size: int
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        rules_alone.recommend_batch(
            tenants.auth("viewer")["Authorization"], {"requests": [BY_ID] * size}
        )
    assert refused.value.path == "requests"


def test_a_thousand_questions_are_answered(tenants: Tenants, rules_alone: Predictor) -> None:
    asked = [
        {"account_id": OURS, "state": {"spend": n, "conversions": 0, "impressions": 2000}}
        for n in range(1000)
    ]
    answers = rules_alone.recommend_batch(
        tenants.auth("viewer")["Authorization"], {"requests": asked}
    )
    rules = [one.model_dump()["rules"] for one in answers.answers]
    assert [rule is not None for rule in rules] == [n > 50 for n in range(1000)]


def test_feedback_makes_a_training_row_and_the_last_report_counts(
    ask: Ask, tenants: Tenants, rules_alone: Predictor, store: Store
) -> None:
    decision = ask(rules_alone, BY_STATE)["decision_id"]
    header = tenants.auth("approver")["Authorization"]
    report = {"decision_id": decision, "action": {"type": "do_nothing"}, "reason": "promotion"}
    assert rules_alone.feedback(header, report).verdict == "rejected"
    report["action"] = {"type": "pause"}
    assert rules_alone.feedback(header, report).verdict == "approved"
    with store.session() as session:
        rows = session.query(TrainingRow).filter_by(decision_id=decision).all()
        assert {(row.executed, row.verdict_reason) for row in rows} == {("pause", "promotion")}
        assert sorted(row.horizon_hours for row in rows) == [24, 48, 72]


def test_feedback_is_for_approvers_of_the_account(
    ask: Ask, tenants: Tenants, rules_alone: Predictor
) -> None:
    report = {"decision_id": ask(rules_alone, BY_STATE)["decision_id"], "action": {"type": "pause"}}
    with pytest.raises(NotAllowedError):
        rules_alone.feedback(tenants.auth("viewer")["Authorization"], report)
    with pytest.raises(NotFoundError):
        rules_alone.feedback(tenants.auth("stranger")["Authorization"], report)


def test_feedback_lies_between_the_decision_and_now(
    ask: Ask, tenants: Tenants, rules_alone: Predictor, store: Store
) -> None:
    decision = ask(rules_alone, BY_STATE)["decision_id"]
    now = store.now()
    for moment in (now - timedelta(days=1), now + timedelta(days=1), now.replace(tzinfo=None)):
        report = {
            "decision_id": decision,
            "action": {"type": "pause"},
            "executed_at": moment.isoformat(),
        }
        with pytest.raises(InvalidValueError) as refused:
            rules_alone.feedback(tenants.auth("approver")["Authorization"], report)
        assert refused.value.path == "executed_at"


def test_without_the_rules_engine_nothing_is_recommended(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    off = predictor(store, settings.model_copy(update={"enable_rules_engine": False}), Models())
    with pytest.raises(Exception, match="ENABLE_RULES_ENGINE"):
        off.recommend(tenants.auth("viewer")["Authorization"], BY_STATE)


def test_it_is_ready_while_the_database_answers(tenants: Tenants, rules_alone: Predictor) -> None:
    assert tenants
    assert rules_alone.health().is_ready


FIELD = st.sampled_from(["spend", "conversions", "learning_phase", "x"])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@examples(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=VALUE
    | st.fixed_dictionaries(
        {},
        optional={
            "account_id": st.just(OURS) | VALUE,
            "state": VALUE | st.dictionaries(FIELD, VALUE, max_size=3),
            "entity_type": st.sampled_from(["adset", "ad", "x"]) | VALUE,
            "entity_id": VALUE,
        },
    )
)
def test_garbage_is_answered_or_refused_never_a_fault(
    tenants: Tenants, with_policy: Predictor, body: Any
) -> None:
    with contextlib.suppress(WrongUseError, NotFoundError):
        with_policy.recommend(tenants.auth("viewer")["Authorization"], body)
