"""A small world to simulate, and one evaluation of it that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intel_ml.data.sandbox import World
from intel_ml.learning.simulation import Conditions, Evaluation, evaluate
from intel_ml.learning.simulation.evaluation import START
from intel_ml.learning.simulation.looking import Observer

SMALL = """
name = "two shops"
description = "Two accounts in two currencies, with something to win and something to lose."
seed = 3

[kinds.good]
cpa_ratio = [0.4, 0.6]

[kinds.bad]
cpa_ratio = [2.5, 3.5]

[[accounts]]
id = "7"
name = "Small Shop"
currency = "USD"
time_zone = "America/New_York"
target_cpa = 20
target_roas = 2.5
cpm = 12
order_value = 46

[[accounts.campaigns]]
name = "Always On"
adsets = [
  { name = "Lookalike", kind = "good", budget = 200, ads = ["A", "B"] },
  { name = "Broad", kind = "bad", budget = 120, ads = ["A", "B"] },
  { name = "Old", kind = "bad", budget = 120, ads = ["A"], status = "PAUSED" },
]

[[accounts.campaigns]]
name = "Advantage"
budget = 150
adsets = [
  { name = "One", kind = "good", ads = ["A"] },
  { name = "Two", kind = "bad", ads = ["A"] },
]

[[accounts]]
id = "8"
name = "Kumo"
currency = "JPY"
time_zone = "Asia/Tokyo"
target_cpa = 3000
target_roas = 2.5
cpm = 1500
order_value = 7000
min_daily_budget = 100

[[accounts.campaigns]]
name = "Winter"
adsets = [
  { name = "Near", kind = "good", budget = 20000, ads = ["A", "B"] },
  { name = "Far", kind = "bad", budget = 15000, ads = ["A"] },
]
"""


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worlds") / "two-shops.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def played_world(small_file: Path) -> World:
    world = World.load(small_file, start=START, seed=5)
    world.advance(8 * 24)
    return world


@pytest.fixture
def world(played_world: World) -> World:
    """Eight days in, nothing changed yet."""
    return played_world.fork()


@pytest.fixture(scope="session")
def observer() -> Iterator[Observer]:
    with Observer() as one:
        yield one


@pytest.fixture(scope="session")
def three_days(small_file: Path) -> Evaluation:
    """The uniform policy's three days in the small world, on two seeds."""
    return evaluate(
        "uniform", small_file, days=3, seeds=2, workers=1, conditions=Conditions(oracle_hours=24)
    )
