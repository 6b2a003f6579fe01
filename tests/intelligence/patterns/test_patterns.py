from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from intel_ml.intelligence.patterns import budget_sweet_spot, creative_fatigue, time_performance
from intel_ml.intelligence.patterns.pattern import rate

START = date(2026, 10, 1)


def _hours(days: int, *, good: int | None, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for n in range(days):
        day = START + timedelta(days=n)
        for hour in range(24):
            for _ in range(2):
                mean = 4.0 * (2.0 if hour == good else 1.0)
                rows.append((day, day.strftime("%A"), hour, 1000, random.poisson(mean)))
    columns = ["day", "day_of_week", "hour", "impressions", "conversions"]
    return pd.DataFrame(rows, columns=columns)


def test_an_hour_twice_as_good_is_found_and_no_other() -> None:
    found = time_performance.learn(_hours(30, good=14))
    assert found is not None
    assert found.data["best_hours"] == [14]
    assert found.data["best_days"] == []
    assert found.data["weekend_performance"] == pytest.approx(1.0, abs=0.1)
    assert 0 <= found.confidence_score <= 1


def test_without_a_pattern_hardly_any_hour_is_named() -> None:
    named = 0
    for seed in range(20):
        found = time_performance.learn(_hours(28, good=None, seed=seed))
        assert found is not None
        named += len(found.data["best_hours"]) + len(found.data["worst_hours"])
    assert named <= 2


def test_a_week_of_hours_says_nothing() -> None:
    assert time_performance.learn(_hours(7, good=14)) is None


def _ads(tired: int, fresh: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frames = []
    for ad in range(tired + fresh):
        frequency = np.linspace(1, 5, 20)
        fall = np.clip(frequency - 3, 0, None) * 0.5 if ad < tired else 0.0
        frames.append(
            pd.DataFrame(
                {
                    "entity_id": str(ad),
                    "day": [START + timedelta(days=n) for n in range(20)],
                    "frequency": frequency,
                    "ctr": 2.0 - fall + random.normal(0, 0.02, 20),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_where_ads_tire_is_where_their_ctr_starts_to_fall() -> None:
    found = creative_fatigue.learn(_ads(tired=3, fresh=2))
    assert found is not None
    assert 3.0 < found.data["avg_frequency_before_decline"] < 4.5
    assert set(found.data["tired_ads"]) >= {"0", "1", "2"}
    assert found.data["judged_ads"] == 5


def test_ads_that_do_not_tire_are_no_pattern() -> None:
    assert creative_fatigue.learn(_ads(tired=0, fresh=2)) is None


def _budgets(seed: int = 0) -> pd.DataFrame:
    """Results grow with the budget up to 200 a day, then hardly."""
    random = np.random.default_rng(seed)
    rows = []
    for n in range(60):
        for budget in (25, 50, 100, 150, 200, 300, 450):
            results = random.poisson(min(budget, 200) / 10 + max(budget - 200, 0) / 60)
            rows.append((START + timedelta(days=n), float(budget), float(budget), results))
    return pd.DataFrame(rows, columns=["day", "daily_budget", "spend", "conversions"])


def test_the_sweet_spot_ends_where_money_stops_buying() -> None:
    found = budget_sweet_spot.learn(_budgets())
    assert found is not None
    assert found.data["optimal_daily_budget_range"]["max"] == 200
    assert found.data["cpa_increases_above"] == 300
    assert found.data["diminishing_returns_at"] == 300


def test_few_days_or_one_budget_say_nothing() -> None:
    assert budget_sweet_spot.learn(_budgets().head(40)) is None
    assert budget_sweet_spot.learn(_budgets().assign(daily_budget=50.0)) is None


def test_every_pattern_is_plain_json() -> None:
    found = [
        time_performance.learn(_hours(30, good=14)),
        creative_fatigue.learn(_ads(tired=3, fresh=2)),
        budget_sweet_spot.learn(_budgets()),
    ]
    for pattern in found:
        assert pattern is not None
        assert json.loads(json.dumps(pattern.data, allow_nan=False))["type"] == pattern.type


def test_the_interval_of_a_rate_covers_it() -> None:
    random = np.random.default_rng(0)
    for mean in (3.0, 20.0):
        draws = random.poisson(mean, 2000)
        covered = [(r := rate(float(x), 1.0)).low <= mean <= r.high for x in draws]
        assert np.mean(covered) >= 0.94
