from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intel_ml.core.errors import InvalidValueError, MissingColumnsError
from intel_ml.intelligence.policy import context
from tests.intelligence.policy import worlds

FIXED = context.learned(worlds.log(300), None)


def test_the_default_features_are_those_the_log_has() -> None:
    assert FIXED.features == ("cpa_ratio", "roas", "ctr_trend_7d", "frequency", "learning_phase")


@given(
    st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
    st.one_of(st.none(), st.sampled_from(["ACTIVE", "LEARNING", "nonsense"])),
)
def test_every_state_becomes_a_finite_vector(ratio: float | None, phase: str | None) -> None:
    states = worlds.states([{"cpa_ratio": ratio, "learning_phase": phase}])
    vectors = FIXED.of_states(states)
    assert vectors.shape == (1, FIXED.width)
    assert np.isfinite(vectors).all()


def test_the_unknown_is_the_median_with_a_flag_and_not_zero() -> None:
    middle = FIXED.usual("roas")
    known, unknown = FIXED.of_states(worlds.states([{"roas": middle}, {"roas": None}]))
    value, flag = FIXED.groups["roas"]
    assert known[value] == unknown[value] == 0
    assert (known[flag], unknown[flag]) == (0, 1)


def test_states_and_log_give_the_same_vectors() -> None:
    log = worlds.log(20, seed=9)
    names = [name for name in log if str(name).startswith("state_")]
    rows = [
        {str(n).removeprefix("state_"): row[n] for n in names} for row in log.to_dict("records")
    ]
    assert np.allclose(context.of_log(FIXED, log), FIXED.of_states(worlds.states(rows)))


def test_columns_of_objects_with_none_are_numbers() -> None:
    log = worlds.log(20)
    log["state_roas"] = pd.Series([None, *log["state_roas"][1:]], dtype=object)
    assert np.isfinite(context.of_log(context.learned(log, ["roas"]), log)).all()


def test_words_it_cannot_read_are_refused() -> None:
    log = worlds.log(20).assign(state_effective_status="ACTIVE")
    with pytest.raises(InvalidValueError, match="effective_status"):
        context.learned(log, ["effective_status"])


def test_a_log_without_states_is_refused() -> None:
    with pytest.raises(MissingColumnsError):
        context.learned(pd.DataFrame({"reward": [1.0]}), None)
