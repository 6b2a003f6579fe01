"""A small world to simulate, and one evaluation of it that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intel_ml.data.sandbox import World
from intel_ml.learning.simulation import Conditions, Evaluation, evaluate
from intel_ml.learning.simulation.evaluation import START
from intel_ml.learning.simulation.looking import Observer
from tests import two_shops


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_shops.written(tmp_path_factory.mktemp("worlds"))


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
