"""Past cases in an answer: where asked for, of one's own account, with what they come to."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from intel_ml.core.errors import InvalidValueError
from intel_ml.data.store.sessions import Store
from intel_ml.features.catalogue import features_hash
from intel_ml.intelligence.policy import make_policy
from intel_ml.learning.registry import LoadedPolicy
from intel_ml.surfaces.api.models import ModelKeeper, Models
from intel_ml.surfaces.api.predictions import Predictor
from intel_ml.surfaces.settings import Settings
from tests.surfaces.api.tenants import OURS, THEIRS, Tenants

FEATURES = ["roas", "frequency"]
ASKED = {"account_id": OURS, "state": {"roas": 1.0, "frequency": 3.0}}
WITH_CASES = ASKED | {"explain": "cases"}
PLAIN = ["action", "model", "version", "confidence", "archetype", "pmf", "reasons"]


def policy(kind: str, store: Store, *, account: str) -> LoadedPolicy:
    """A policy that learned of ad sets that were all left alone, some days ago."""
    rows, random = 60, np.random.default_rng(4)
    reward = np.where(np.arange(rows) % 3, 0.1, -0.1)
    log = pd.DataFrame(
        {
            "ad_account_id": account,
            "entity_type": "adset",
            "entity_id": [f"secret-{at}" for at in range(rows)],
            "decision_id": [f"d{at}" for at in range(rows)],
            "as_of": store.now() - timedelta(days=9),
            "state_roas": random.uniform(0.5, 1.5, rows),
            "state_frequency": random.uniform(2.0, 4.0, rows),
            "executed": "maintain",
            "reward": reward,
            "reward_earned": reward,
        }
    )
    made = make_policy(kind, features=FEATURES, alpha=0.0, caution=3.0).fit(log)
    return LoadedPolicy(
        policy=made, name="campaign-policy", version="7", run_id="r", sha256="s",
        features_hash=features_hash(),
    )  # fmt: skip


def predictor(store: Store, settings: Settings, loaded: LoadedPolicy) -> Predictor:
    keeper = ModelKeeper(lambda _: Models(policy=loaded))
    keeper.check()
    return Predictor(store, settings, keeper)


def told(tenants: Tenants, by: Predictor, body: Any) -> dict[str, Any]:
    answer = by.recommend(tenants.auth("viewer")["Authorization"], body)
    return dict(json.loads(answer.model_dump_json()))


def test_cases_are_shown_where_they_are_asked_for_and_only_there(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, policy("ridge", store, account=OURS))
    assert list(told(tenants, by, ASKED)["policy"]) == PLAIN
    found = told(tenants, by, WITH_CASES)["policy"]
    assert list(found) == [*PLAIN, "cases", "cases_say"]
    assert found["action"] == {"type": "do_nothing"}
    likeness = [case["likeness"] for case in found["cases"]]
    assert len(likeness) == 5
    assert likeness == sorted(likeness, reverse=True)
    assert all(0.5 <= one <= 1.0 for one in likeness)
    first = found["cases"][0]
    assert list(first) == [
        *("likeness", "executed", "reward", "earned", "against_left_alone"),
        *("proposed", "verdict", "as_of", "entity_type", "entity_id"),
    ]
    assert first["entity_id"].startswith("secret-")
    assert (first["executed"], first["against_left_alone"]) == ("maintain", None)
    good = sum(case["earned"] > 0 for case in found["cases"])
    assert found["cases_say"].startswith(
        f"In the 5 most alike past cases that were left alone, {good} earned more than before"
    )


def test_one_question_of_many_may_ask_for_cases(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, policy("ridge", store, account=OURS))
    body = {"requests": [ASKED, WITH_CASES, ASKED]}
    answers = by.recommend_batch(tenants.auth("viewer")["Authorization"], body)
    shown = json.loads(answers.model_dump_json())["answers"]
    assert ["cases" in one["policy"] for one in shown] == [False, True, False]
    assert len(shown[1]["policy"]["cases"]) == 5


def test_another_accounts_cases_are_not_told_of(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, policy("ridge", store, account=THEIRS))
    found = told(tenants, by, WITH_CASES)["policy"]
    assert found["cases"] == []
    assert found["cases_say"].startswith("Nothing alike was tried before: no outcome is known yet")
    assert "secret" not in json.dumps(found)


def test_a_model_that_remembers_nothing_says_null(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, policy("uniform", store, account=OURS))
    found = told(tenants, by, WITH_CASES)["policy"]
    assert (found["cases"], found["cases_say"]) == (None, None)


def test_nothing_else_can_be_asked_to_explain(
    tenants: Tenants, store: Store, settings: Settings
) -> None:
    by = predictor(store, settings, policy("uniform", store, account=OURS))
    with pytest.raises(InvalidValueError, match="explain"):
        told(tenants, by, ASKED | {"explain": "case"})
