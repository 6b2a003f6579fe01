from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.ids import AdAccountId, Entity, EntityId, EntityType
from intel_ml.features.states import States, Value, states_of
from intel_ml.intelligence.account_score import account_score

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _states(*rows: dict[str, Value], level: EntityType = EntityType.ADSET) -> States:
    entities = [Entity(AdAccountId("act_1"), level, EntityId(str(n))) for n in range(len(rows))]
    return states_of(rows, entities=entities, moments=[NOW] * len(rows))


GOOD: dict[str, Value] = {
    "spend_7d": 100.0,
    "cpa_ratio": 0.6,
    "frequency": 1.5,
    "ctr_trend_7d": 2.0,
    "learning_phase": "ACTIVE",
    "conversions_7d": 9.0,
}


def test_an_account_at_its_best_scores_high() -> None:
    found = account_score(_states(GOOD, GOOD))
    assert found.overall is not None
    assert found.overall > 90
    assert found.budget_efficiency.score == 100


def test_money_decides_not_heads() -> None:
    bad = GOOD | {"cpa_ratio": 4.0}
    mostly_good = account_score(_states(GOOD | {"spend_7d": 900.0}, bad))
    mostly_bad = account_score(_states(GOOD, bad | {"spend_7d": 900.0}))
    assert (mostly_good.budget_efficiency.score, mostly_bad.budget_efficiency.score) == (90, 10)


def test_silence_is_not_health() -> None:
    empty = account_score(_states({"spend_7d": None}))
    assert empty.overall is None
    assert all(part["score"] is None for part in empty.breakdown.values())
    assert account_score(_states()).overall is None


def test_money_without_a_result_counts_against_efficiency() -> None:
    lost = {"spend_7d": 50.0, "conversions_7d": 0.0, "target_cpa": 20.0, "cpa_ratio": None}
    assert account_score(_states(lost)).budget_efficiency.score == 0
    early = lost | {"spend_7d": 10.0}
    assert account_score(_states(early)).budget_efficiency.score == 100


def test_the_dearest_comes_first_among_recommendations() -> None:
    found = account_score(_states(GOOD, GOOD | {"cpa_ratio": 3.5}, GOOD | {"cpa_ratio": 1.8}))
    assert [(r.action, r.entity) for r in found.recommendations] == [
        ("pause", "adset:1"),
        ("reduce", "adset:2"),
        ("scale", "adset:0"),
    ]


def test_limited_learning_costs_more_than_learning() -> None:
    learning = account_score(_states(GOOD | {"learning_phase": "LEARNING"}))
    limited = account_score(_states(GOOD | {"learning_phase": "LEARNING_LIMITED"}))
    assert (learning.learning_health.score, limited.learning_health.score) == (50, 0)
    assert limited.learning_health.detail["learning_limited"] == 1


numbers = st.one_of(st.none(), st.floats(0, 1e6))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "spend_7d": numbers,
                "cpa_ratio": numbers,
                "roas": numbers,
                "target_roas": st.one_of(st.none(), st.floats(0.1, 10)),
                "frequency": numbers,
                "ctr_trend_7d": st.one_of(st.none(), st.floats(-100, 1000)),
                "cpa_trend_7d": st.one_of(st.none(), st.floats(-100, 1000)),
                "conversions_7d": numbers,
                "learning_phase": st.sampled_from([None, "LEARNING", "ACTIVE"]),
            }
        ),
        max_size=6,
    )
)
def test_every_score_is_none_or_from_0_to_100(rows: list[dict[str, Value]]) -> None:
    found = account_score(_states(*rows))
    json.dumps(found.breakdown, allow_nan=False)
    for score in (found.overall, *(part["score"] for part in found.breakdown.values())):
        assert score is None or 0 <= score <= 100
