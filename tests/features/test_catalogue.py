"""The catalogue keeps its promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

from intel_ml.core.errors import UnknownNameError
from intel_ml.features.catalogue import FEATURES, Kind, Role, feature, features_hash, names

PLAN_RULE_FIELDS = [
    *("spend", "spend_today", "spend_7d", "conversions"),
    *("conversions_today", "conversion_value", "cpa", "cpc"),
    *("cpm", "roas", "ctr", "frequency"),
    *("impressions", "reach", "clicks", "effective_status"),
    *("learning_phase", "days_active", "hours_since_conversion", "ctr_trend_7d"),
    *("cpa_trend_7d", "roas_trend_7d"),
]
PLAN_CONTEXT = [
    *("cpa_ratio", "roas", "ctr_zscore", "cpa_trend_3d"),
    *("ctr_trend_7d", "frequency", "frequency_velocity", "learning_phase"),
    *("days_since_edit", "budget_utilization", "budget_pacing"),
]
PLAN_STATE = [
    *("spend_today", "spend_7d", "conversions_today", "conversions_7d"),
    *("cpa_today", "cpa_7d", "ctr", "ctr_trend_7d"),
    *("frequency", "learning_phase", "days_active", "hour_of_day"),
    *("day_of_week", "budget_utilization", "entity_type"),
]
PLAN_SIGNATURE = [
    *("avg_cpa", "cpa_volatility", "conversion_rate", "fatigue_rate"),
    *("optimal_frequency", "best_hour_concentration", "budget_efficiency"),
]


@pytest.mark.parametrize(
    ("role", "promised"),
    [
        (Role.RULE, PLAN_RULE_FIELDS),
        (Role.STATE, PLAN_STATE),
        (Role.SIGNATURE, PLAN_SIGNATURE),
    ],
)
def test_every_promised_name_is_there(role: Role, promised: list[str]) -> None:
    assert set(promised) <= set(names(role=role))


def test_the_context_is_the_plan_s() -> None:
    assert set(names(role=Role.CONTEXT)) == set(PLAN_CONTEXT)


def test_every_feature_says_what_it_is() -> None:
    assert all(one.label and one.description and one.formula and one.source for one in FEATURES)
    assert all(one.roles for one in FEATURES)
    assert all(set(one.codes) == set(one.words) for one in FEATURES)
    assert all(bool(one.words) == (one.kind is Kind.WORD) for one in FEATURES)


def test_names_are_unique_in_each_role() -> None:
    for role in Role:
        assert len(names(role=role)) == len({*names(role=role)})
        assert len(names(role=role)) == sum(role in one.roles for one in FEATURES)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spend'"):
        feature("spnd")


def test_ctr_of_three_and_of_thirty_days_are_told_apart_by_role() -> None:
    assert feature("ctr").roles != feature("ctr", role=Role.SIGNATURE).roles
    assert feature("avg_cpa").kind is Kind.MONEY


def test_the_hash_is_the_same_in_every_process() -> None:
    code = "from intel_ml.features.catalogue import features_hash; print(features_hash())"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )  # our own code
    assert found.stdout.strip() == features_hash()
    assert len(features_hash()) == 16
