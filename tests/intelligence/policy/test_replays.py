"""How far VowpalWabbit's expectation may be off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from intel_ml.intelligence.policy import load_policy, make_policy
from intel_ml.intelligence.policy.protocol import ARM_INDEX, MAINTAIN, Gains
from intel_ml.intelligence.policy.replays import Lessons, Replays
from tests.operations.test_expecting import earned_log, states_of

FEATURES = ["cpa_ratio", "roas"]
CUT = ARM_INDEX["reduce_20"]


def gains_of(log: pd.DataFrame) -> Gains:
    policy = make_policy("vw", features=FEATURES).fit(log)
    return policy.gains(states_of(20))  # type: ignore[attr-defined]  # of a vw


def test_before_any_log_nothing_is_known() -> None:
    found = make_policy("vw").gains(states_of(2))  # type: ignore[attr-defined]  # of a vw
    assert np.isinf(found.deviation).all()


def doubt(rows: int, *, entities: int | None) -> float:
    """How far the gain of a cut may be off where half the ad sets were cut, each with its luck."""
    random = np.random.default_rng(2)
    entity = np.arange(rows) % (entities or rows)
    luck = random.normal(0, 0.1, entity.max() + 1)
    told = Lessons(
        vectors=np.zeros((rows, 1)),
        arms=np.where(entity % 2, CUT, MAINTAIN),
        costs=np.clip(luck[entity] + random.normal(0, 0.02, rows) - 0.5, -1, 0),
        times=np.ones(rows, dtype=np.intp),
        entities=None if entities is None else [f"a{one}" for one in entity],
    )
    found = Replays().learned(told, rate=0.5, seed=0).gains(np.zeros((1, 1)))
    return float(found.deviation[0, CUT])


def test_more_witnesses_leave_less_doubt_and_more_looks_at_the_same_do_not() -> None:
    many = doubt(6400, entities=None)
    assert many < doubt(200, entities=None) / 2
    assert many < doubt(6400, entities=16) / 2


@pytest.mark.parametrize("missing", ["scale_20", "maintain"])
def test_of_what_was_never_executed_nothing_is_claimed(missing: str) -> None:
    log = earned_log(600, gain=0.3)
    found = gains_of(log[log["executed"] != missing])
    unknown = range(6) if missing == "maintain" else [ARM_INDEX[missing]]
    for arm in set(unknown) - {MAINTAIN}:
        assert np.isinf(found.deviation[:, arm]).all()
    assert np.isfinite(found.deviation[:, CUT]).all() is np.bool_(missing != "maintain")


def test_it_is_saved_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = earned_log(400, gain=0.2)
    whole = make_policy("vw", features=FEATURES).fit(log[:300])
    whole.save(tmp_path)
    loaded = load_policy(tmp_path)
    for policy in (whole, loaded):
        policy.learn(log[300:])
    here, there = (one.gains(states_of(5)) for one in (whole, loaded))  # type: ignore[attr-defined]
    assert (here.value == there.value).all()
    assert (here.deviation == there.deviation).all()
