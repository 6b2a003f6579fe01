"""Hostile histories: the engines agree, nothing of the future is known, nothing is infinite."""

from __future__ import annotations

import math
from copy import deepcopy
from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intel_ml.data.store.sessions import Store
from intel_ml.learning.engines import features_of_files
from tests.features.histories import (
    NOW,
    Answer,
    History,
    ask,
    in_duckdb,
    in_files,
    in_postgres,
    same,
)
from tests.features.hostile import MOMENTS, hostile_history

WHICH = ("state", "signature")


def _different(here: Answer, there: Answer) -> dict[tuple[object, str], tuple[object, object]]:
    assert here.keys() == there.keys()
    return {
        (key, name): (here[key][name], there[key][name])
        for key in here
        for name in here[key]
        if not same({name: here[key][name]}, {name: there[key][name]})
    }


@pytest.mark.parametrize("which", WHICH)
def test_both_engines_give_the_same_answer(store: Store, which: str) -> None:
    history = hostile_history(WHICH.index(which))
    here = in_duckdb(history, MOMENTS, which)
    with store.connection() as connection:
        there = in_postgres(connection, history, MOMENTS, which)
    assert _different(here, there) == {}


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("which", WHICH)
def test_spark_gives_the_same_answer(tmp_path: Path, which: str) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed: `make spark` does")
    history = hostile_history(2)
    in_files(history, tmp_path)
    found = features_of_files(tmp_path, as_of=MOMENTS, which=which, engine="spark")
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    there = {(row["entity_id"], row["as_of"].to_pydatetime().astimezone(UTC)): row for row in rows}
    here = in_duckdb(history, MOMENTS, which)
    for row in (*here.values(), *there.values()):
        row["as_of"] = None  # Each engine has moments of its own kind.
    assert _different(here, there) == {}


@pytest.mark.parametrize("which", WHICH)
def test_every_number_is_finite_or_unknown_and_none_is_of_an_entity_to_come(which: str) -> None:
    history = hostile_history(3)
    created = {row["entity_id"]: row["created_at"] for row in history.entities}
    for (key, moment), row in in_duckdb(history, MOMENTS, which).items():
        assert created[key] is None or created[key] <= moment
        for name, value in row.items():
            assert not isinstance(value, float) or math.isfinite(value), (key, name)


@pytest.mark.parametrize("which", WHICH)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(0, 900))
def test_a_replay_knows_at_each_moment_what_was_known_then(
    which: str, seed: int, hours: int
) -> None:
    past = NOW - timedelta(hours=hours, minutes=7)
    history = hostile_history(seed)
    known = deepcopy(history)
    for name in ("versions", "daily", "snapshots"):
        rows = getattr(known, name)
        rows[:] = [row for row in rows if row["seen_at"] <= past]
    random = np.random.default_rng(seed)
    for row in [one for one in history.daily if random.random() < 0.5]:
        later = {"seen_at": past + timedelta(hours=float(random.uniform(0.001, 99)))}
        history.daily.append({**row, **later, "spend_minor": 10**9, "conversions": None})
    order = random.permutation(len(history.daily))
    history.daily[:] = [history.daily[at] for at in order]
    assert _different(*(in_duckdb(one, [past], which) for one in (known, history))) == {}


def test_peers_who_are_all_the_same_have_nobody_who_stands_out(store: Store) -> None:
    history = History()
    for number, times in enumerate((1, 2, 3, 5, 7, 11)):
        key = str(number)
        history.entity(key).day(
            1, entity_id=key, impressions=30 * times, clicks=7 * times, reach=20 * times
        )
    here = in_duckdb(history, [NOW])
    with store.connection() as connection:
        there = in_postgres(connection, history, [NOW])
    found = {row["ctr_zscore"] for row in (*here.values(), *there.values())}
    assert found <= {None, 0.0}


def test_who_delivered_nothing_has_costs_nobody_knows() -> None:
    history = History().entity()
    nothing = dict.fromkeys(("impressions", "reach", "clicks", "spend_minor"), 0)
    for age in range(8):
        history.day(age, conversions=0.0, conversion_value_minor=0, **nothing)
    state = ask(history)
    assert (state["spend"], state["conversions"], state["impressions"]) == (0.0, 0.0, 0.0)
    for name in ("cpa", "cpc", "cpm", "ctr", "roas", "frequency", "cpa_ratio", "cpa_trend_3d"):
        assert state[name] is None
